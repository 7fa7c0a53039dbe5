"""Invoices fetched from nodes of ours, in other processes, over real sockets; and each reason why none comes."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from lnoffers import Bolt12Error, FetchError, fetch_invoice
from lnoffers.bolt12 import CHAINS, BlindedPath, ChannelEnd, Invoice, KeySigner, Offer
from lnoffers.bolt12.features import bitmap
from lnoffers.fetching import AddressError, Reason
from lnoffers.net.blinding import message_path
from lnoffers.net.features import OFFERED
from tests.fetching.conftest import Start
from tests.fetching.node import CONVERTED, key_of

ISSUER, FRONT, OTHER_FRONT = 1, 2, 3
PATH_KEY = b"p" * 32


def offer(paths: list[BlindedPath] | None = None, **changes: Any) -> Offer:
    arguments: dict[str, Any] = {
        "offer_issuer_id": key_of(ISSUER).public_key,
        "offer_amount": 1_000,
        "offer_description": "one coffee",
        "offer_chains": (CHAINS["regtest"],),
        "offer_paths": paths,
    }
    return Offer.build(**(arguments | changes))


def path_by(*numbers: int) -> BlindedPath:
    return message_path(PATH_KEY, [key_of(number).public_key for number in (*numbers, ISSUER)], bytes(32))


def fetch(wanted: Offer | str, *connect: str, seconds: float = 60, **given: Any) -> Invoice:
    return asyncio.run(fetch_invoice(wanted, connect=connect, timeout=seconds, **given))


def failure(wanted: Offer, *connect: str, seconds: float = 60, **given: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(wanted, *connect, seconds=seconds, **given)
    return caught.value


# ---- invoices


def test_fetches_from_the_issuer_itself(start: Start) -> None:
    issuer = start(ISSUER)
    for text in (offer().encode(), "lightning:" + offer().encode().upper()):
        invoice = fetch(text, issuer)
        assert (invoice.invoice_amount, invoice.invoice_node_id) == (1_000, key_of(ISSUER).public_key)


def test_says_what_it_is_told_to(start: Start) -> None:
    issuer, signer = start(ISSUER), KeySigner(key_of(50))
    wanted = offer(offer_quantity_max=0)
    invoice = fetch(wanted, issuer, amount=5_000, quantity=4, payer_note="please", signer=signer)
    assert (invoice.invreq_amount, invoice.invreq_quantity, invoice.invreq_payer_note) == (5_000, 4, "please")
    assert invoice.invreq_payer_id == signer.public_key
    assert invoice.invreq_chain == CHAINS["regtest"]


def test_each_request_has_a_key_of_its_own(start: Start) -> None:
    issuer = start(ISSUER)
    first, second = fetch(offer(), issuer), fetch(offer(), issuer)
    assert first.invreq_payer_id != second.invreq_payer_id
    assert first.invreq_metadata != second.invreq_metadata


def test_fetches_along_a_path_through_another_node(start: Start) -> None:
    front = start(FRONT)
    start(ISSUER, "--via", front)
    assert fetch(offer([path_by(FRONT)]), front).invoice_amount == 1_000


def test_the_end_of_the_path_signs_where_the_offer_names_no_issuer(start: Start) -> None:
    front = start(FRONT)
    start(ISSUER, "--via", front)
    wanted = offer([path_by(FRONT)], offer_issuer_id=None)
    assert fetch(wanted, front).invoice_node_id in wanted.offer_path_ends


def test_has_a_node_forward_to_one_that_it_cannot_reach(start: Start) -> None:
    front = start(FRONT)
    start(ISSUER, "--via", front)
    assert fetch(offer(), front).invoice_amount == 1_000


def test_a_path_may_begin_at_the_end_of_a_channel_of_the_node(start: Start) -> None:
    front = start(FRONT)
    start(ISSUER, "--via", front)
    path = path_by(FRONT)
    assert fetch(offer([BlindedPath(ChannelEnd(0, 5), path.first_path_key, path.hops)]), front).invoice_amount == 1_000


def test_tries_each_path_and_each_node_in_turn(start: Start) -> None:
    front, deaf = start(FRONT), start(OTHER_FRONT, "--features", bitmap([67]).hex())
    start(ISSUER, "--via", front)
    down = f"{key_of(9).public_key.hex()}@127.0.0.1:9"
    wanted = offer([path_by(9), path_by(OTHER_FRONT), path_by(FRONT)])
    assert fetch(wanted, down, deaf, front).invoice_amount == 1_000
    broken = BlindedPath(key_of(FRONT).public_key, key_of(4).public_key, path_by(FRONT).hops)
    assert fetch(offer([broken, path_by(FRONT)]), front, seconds=12).invoice_amount == 1_000


def test_answers_pings_while_it_waits(start: Start) -> None:
    assert fetch(offer(), start(ISSUER, "--answer", "after_pong")).invoice_amount == 1_000


# ---- reasons


def test_says_which_nodes_addresses_it_needs() -> None:
    error = failure(offer([path_by(FRONT), path_by(OTHER_FRONT)]))
    assert error.reason is Reason.NO_ADDRESS
    assert key_of(FRONT).public_key.hex() in str(error)
    assert key_of(OTHER_FRONT).public_key.hex() in str(error)
    channel = BlindedPath(ChannelEnd(1, 1 << 40 | 2 << 16 | 3), key_of(7).public_key, path_by(FRONT).hops)
    assert "node 2 of channel 1x2x3" in str(failure(offer([channel])))


def test_says_that_it_cannot_connect() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        error = failure(offer(), f"{key_of(ISSUER).public_key.hex()}@127.0.0.1:{taken.getsockname()[1]}")
    assert error.reason is Reason.CANNOT_CONNECT
    assert "(Connection refused)" in str(error)
    assert len(error.attempts) == 1


def test_says_that_a_host_has_no_address() -> None:
    error = failure(offer(), f"{key_of(ISSUER).public_key.hex()}@node.invalid")
    assert error.reason is Reason.CANNOT_CONNECT
    assert "node.invalid" in str(error)


def test_says_that_the_node_is_another_one(start: Start) -> None:
    place = start(FRONT).partition("@")[2]
    error = failure(offer(), f"{key_of(ISSUER).public_key.hex()}@{place}")
    assert error.reason is Reason.CANNOT_CONNECT


def test_says_that_the_node_is_on_another_chain(start: Start) -> None:
    error = failure(offer(offer_chains=(CHAINS["signet"],)), start(ISSUER))
    assert error.reason is Reason.CANNOT_CONNECT


def test_does_not_wait_for_a_host_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        place = f"127.0.0.1:{mute.getsockname()[1]}"
        error = failure(offer(), f"{key_of(ISSUER).public_key.hex()}@{place}", seconds=0.3)
    assert error.reason is Reason.CANNOT_CONNECT
    assert "did not answer within 0.3 seconds" in str(error)


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ([], Reason.NO_ONION_MESSAGES),
        ([37, 41], Reason.NO_ONION_MESSAGES),
        ([66], Reason.CHANNEL_PEERS_ONLY),
        ([67], Reason.CHANNEL_PEERS_ONLY),
    ],
)
def test_says_that_the_node_would_drop_the_request(start: Start, features: list[int], reason: Reason) -> None:
    assert failure(offer(), start(ISSUER, "--features", bitmap(features).hex())).reason is reason


def test_a_node_that_serves_everybody_may_say_so_twice(start: Start) -> None:
    both = bitmap([39, 67])
    assert fetch(offer(), start(ISSUER, "--features", both.hex())).invoice_amount == 1_000
    assert both != OFFERED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("throttle", Reason.THROTTLED),
        ("nothing", Reason.NO_ANSWER),
        ("something_else", Reason.BAD_ANSWER),
        ("another_way", Reason.NO_ANSWER),
        ("error", Reason.CANNOT_CONNECT),
        ("hang_up", Reason.CANNOT_CONNECT),
    ],
)
def test_says_why_no_answer_came(start: Start, answer: str, reason: Reason) -> None:
    issuer = start(ISSUER, "--answer", answer)
    for seconds in (1.5, 30):  # all of it is waited for; on a busy machine connecting alone may take the first
        error = failure(offer(), issuer, seconds=seconds)
        if error.reason is reason and "did not answer within" not in str(error):
            break
    assert error.reason is reason
    assert reason.advice in str(error)
    assert ("the peer said: full" in str(error)) == (answer == "error")


@pytest.mark.parametrize(("answer", "words"), [("refusal", "not today"), ("refusal_of_ldk", "nope")])
def test_repeats_the_words_of_an_issuer_that_refuses(start: Start, answer: str, words: str) -> None:
    error = failure(offer(), start(ISSUER, "--answer", answer))
    assert (error.reason, error.detail) == (Reason.REFUSED, words)
    assert error.answer is not None
    if answer == "refusal":
        assert (error.answer.erroneous_field, error.answer.suggested_value) == (82, b"\x07")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("another_request", "does not repeat field 0"),
        ("another_amount", "invoice_amount is 1001msat where 1000msat"),
        ("another_signer", "invoice_node_id is neither"),
        ("expired", "Expired invoice"),
        ("unsigned", "Missing signature"),
        ("garbage", "invoice: invalid invoice data"),
    ],
)
def test_says_what_is_wrong_with_an_invoice(start: Start, answer: str, why: str) -> None:
    error = failure(offer(), start(ISSUER, "--answer", answer))
    assert error.reason is Reason.BAD_ANSWER
    assert why in error.detail


def test_a_price_in_a_currency_needs_a_limit(start: Start) -> None:
    issuer, euros = start(ISSUER), offer(offer_currency="EUR", offer_amount=150)
    assert fetch(euros, issuer, max_amount=CONVERTED).invoice_amount == CONVERTED
    assert fetch(euros, issuer, amount=9_000).invoice_amount == 9_000
    for limit, why in ((None, "nobody has allowed"), (CONVERTED - 1, "more than")):
        error = failure(euros, issuer, max_amount=limit)
        assert error.reason is Reason.BAD_ANSWER
        assert why in error.detail


# ---- what is refused before anybody is asked


def test_refuses_what_can_lead_nowhere() -> None:
    with pytest.raises(Bolt12Error, match="Offer expired"):
        fetch(offer(offer_absolute_expiry=int(time.time()) - 5))
    with pytest.raises(Bolt12Error, match="amount"):
        fetch(offer(offer_amount=None))
    with pytest.raises(Bolt12Error):
        fetch("lno1nonsense")
    with pytest.raises(AddressError, match="ID@HOST:PORT"):
        fetch(offer(), "somewhere")
