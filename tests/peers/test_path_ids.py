"""What a path_id that this node did not make does to a request for its offer, and to an invoice for its request.

Anybody can make a path to a node. As in Core Lightning, a path_id of another length than 32 bytes counts as none.
"""

from __future__ import annotations

import secrets

import pytest

from lnoffers.bolt12 import Invoice, InvoiceError, InvoiceRequest, Offer
from lnoffers.net.blinding import message_path
from lnoffers.net.onion_messages import Payload, wrap
from tests.payments import payee
from tests.peers import issuing
from tests.peers.conftest import Served, Start
from tests.peers.issuing import answer, path_to
from tests.peers.stranger import Stranger, connected, key
from tests.service.program import until

STRANGER = key(1)
OTHERS = [b"", b"x", bytes(31), bytes(33), bytes(100)]
"""No path_id of this node has such a length."""


def said(served: Served, stranger: Stranger, message: InvoiceRequest | Invoice, path_id: bytes) -> str:
    """Send a message along a path with a path_id of a stranger's choice; return the error, or "an invoice"."""
    name = "invoice_request" if isinstance(message, InvoiceRequest) else "invoice"
    content = {name: message.to_bytes()}
    path = message_path(secrets.token_bytes(32), [bytes.fromhex(served.id)], path_id)
    payload = Payload.build(reply_path=path_to(STRANGER.public_key), **content)
    stranger.send(wrap(secrets.token_bytes(32), path, payload))
    found = answer(stranger, STRANGER)
    return (found.error or "").rpartition(": ")[2] if isinstance(found, InvoiceError) else "an invoice"


def wanted(served: Served) -> tuple[Offer, InvoiceRequest]:
    """Return an offer and a request of the server."""
    return issuing.offer(served), payee.request(served)


@pytest.mark.parametrize("path_id", OTHERS, ids=len)
def test_a_path_id_of_another_length_counts_as_none(start: Start, path_id: bytes) -> None:
    served = start()
    offer, request = wanted(served)
    with connected(STRANGER, served.id, served.port) as stranger:
        assert said(served, stranger, issuing.request(offer, STRANGER), path_id) == "an invoice"
        taken = said(served, stranger, payee.invoice(request, STRANGER), path_id)
        assert taken.startswith("this service does not pay by itself")


def test_a_path_id_of_32_bytes_must_be_the_right_one(start: Start) -> None:
    served = start()
    offer, request = wanted(served)
    with connected(STRANGER, served.id, served.port) as stranger:
        assert said(served, stranger, issuing.request(offer, STRANGER), bytes(32)) != "an invoice"
        assert said(served, stranger, payee.invoice(request, STRANGER), bytes(32)) == "Unknown invoice_request ID"


@pytest.mark.parametrize("path_id", OTHERS, ids=len)
def test_what_must_come_along_a_path_of_this_node_is_refused(start: Start, path_id: bytes) -> None:
    middle = start()
    served = start("--via", middle.address)
    until(lambda: served.id in middle.peers())
    offer, request = wanted(served)
    assert offer.offer_paths
    assert request.invreq_paths
    with connected(STRANGER, served.id, served.port) as stranger:
        assert said(served, stranger, issuing.request(offer, STRANGER), path_id) != "an invoice"
        refused = said(served, stranger, payee.invoice(request, STRANGER), path_id)
        assert refused == "Unknown invoice_request ID"
