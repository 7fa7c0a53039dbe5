"""The offers flow between two nodes: what is asked along which path, and which answers are read."""

from __future__ import annotations

import pytest

from lnoffers.bolt12 import BlindedPath, InvoiceError, InvoiceRequest, KeyPair, Offer
from lnoffers.net.blinding import message_path
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.messages import OnionMessage
from lnoffers.net.offer_messages import ask, paths_to, read_reply, reply
from lnoffers.net.onion_messages import Forward, Payload, ReceivedMessage, open_message, wrap
from tests.bolt12 import samples

ISSUER, FRONT, PAYER = KeyPair(bytes(range(2, 34))), KeyPair(b"f" * 32), KeyPair(b"p" * 32)
PATH_ID = b"i" * 32
KEYS = [bytes([number]) * 32 for number in range(1, 9)]


def received(node: KeyPair, message: OnionMessage) -> ReceivedMessage:
    opened = open_message(node, message)
    assert isinstance(opened, ReceivedMessage)
    return opened


def reply_path(*before: KeyPair) -> BlindedPath:
    return message_path(KEYS[0], [*(node.public_key for node in before), PAYER.public_key], PATH_ID)


def test_the_issuer_gets_the_request_and_the_payer_its_answer() -> None:
    request = samples.request_for(samples.offer())
    [path] = paths_to(samples.offer(), KEYS[1])
    got = received(ISSUER, ask(KEYS[2], path, request, reply_path(FRONT)))
    assert got.path_id is None  # the offer has no paths, so the request came by none of them
    assert got.payload.invoice_request is not None
    assert InvoiceRequest.from_bytes(got.payload.invoice_request) == request
    assert got.payload.reply_path == reply_path(FRONT)
    error = InvoiceError.build(error="no")
    for said in (samples.invoice(), error):
        forwarded = open_message(FRONT, reply(KEYS[3], got.payload.reply_path, said))
        assert isinstance(forwarded, Forward)
        assert forwarded.next_node == PAYER.public_key
        back = received(PAYER, forwarded.message)
        assert back.path_id == PATH_ID
        assert read_reply(back) == said


def test_the_paths_of_an_offer_are_taken_as_they_are() -> None:
    paths = [message_path(key, [FRONT.public_key, ISSUER.public_key], PATH_ID) for key in KEYS[4:6]]
    assert paths_to(samples.offer(offer_paths=paths), KEYS[1]) == tuple(paths)


def test_an_offer_that_names_nobody_can_be_asked_of_nobody() -> None:
    nameless = Offer._build(offer_description="tea")
    with pytest.raises(LocalProtocolError, match="neither paths nor an issuer"):
        paths_to(nameless, KEYS[1])


def test_what_is_neither_invoice_nor_error_is_no_answer() -> None:
    message = wrap(KEYS[2], reply_path(), Payload.build(invoice_request=samples.request().to_bytes()))
    assert read_reply(received(PAYER, message)) is None


@pytest.mark.parametrize(
    "said", [Payload.build(invoice=b"\x02"), Payload.build(invoice_error=b"\x05\x02\xff\xff")], ids=["invoice", "error"]
)
def test_an_answer_that_cannot_be_read_is_dropped(said: Payload) -> None:
    with pytest.raises(RemoteProtocolError, match=r"^invoice") as caught:
        read_reply(received(PAYER, wrap(KEYS[2], reply_path(), said)))
    assert caught.value.hint is Hint.DROP
