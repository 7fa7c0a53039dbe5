"""invoicerequest with a payee or with paths, and the payments that listinvoicerequests shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clnrpc.types import InvoicerequestRequest
from lnoffers.bolt12 import InvoiceRequest, KeyPair
from lnoffers.net.address import Address
from lnoffers.net.offer_messages import ask as message_with
from lnoffers.net.onion_messages import Forward, ReceivedMessage, open_message
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.commands.invoicerequests import SHOWN_PAYMENTS
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.store import invoicerequests
from tests.bolt12 import samples
from tests.service.invoicing import KEYS, Ask
from tests.service.paying import invoice_for, pay, preimage, store_payment
from tests.service.program import SEED_SECRET, write_secret

PAYEE = samples.OTHER_SIGNER.public_key
FRONTS = [KeyPair(bytes([number]) * 32) for number in (21, 22)]


def made(ask: Ask, node: Node, **changes: Any) -> InvoiceRequest:
    """Return a new request of the node."""
    node.inject(samples.METADATA, None)
    return InvoiceRequest.parse(ask("invoicerequest", amount=21_000, description="refund", **changes)["bolt12"])


def listed(ask: Ask) -> dict[str, Any]:
    [shown] = ask("listinvoicerequests")["invoicerequests"]
    assert isinstance(shown, dict)
    return shown


def test_a_payee_is_stored_and_listed_but_not_part_of_the_string(node: Node, ask: Ask) -> None:
    request = made(ask, node, payee=PAYEE.hex())
    assert listed(ask)["payee"] == PAYEE.hex()
    with node.store.transaction(writes=False) as connection:
        [stored] = invoicerequests.find(connection)
    assert stored.payee == PAYEE
    assert PAYEE not in request.to_bytes()


def test_a_request_without_payee_and_payments_is_listed_as_by_lightningd(node: Node, ask: Ask) -> None:
    made(ask, node)
    assert list(listed(ask)) == ["invreq_id", "active", "single_use", "bolt12", "used"]


@pytest.mark.parametrize("payee", ["02" * 32, "00" * 33, 7])
def test_a_payee_is_a_node_id(ask: Ask, payee: object) -> None:
    refused = ask("invoicerequest", amount=1, description="x", payee=payee)
    assert refused["code"] == -32602
    assert refused["message"].startswith("payee: ")


def test_a_payee_cannot_be_given_by_position(ask: Ask) -> None:
    refused = ask("invoicerequest", 1, "x", None, None, None, True, PAYEE.hex())
    assert refused == {"code": -32602, "message": "too many parameters: got 7, expected 6"}


@pytest.mark.parametrize("state", PaymentState)
def test_a_payment_is_listed_with_its_request(node: Node, ask: Ask, state: PaymentState) -> None:
    invoice = invoice_for(made(ask, node))
    payment = store_payment(node, invoice, preimage(1), state)
    reason = {"reason": "no route"} if state is PaymentState.FAILED else {}
    assert listed(ask)["payments"] == [
        {
            "payment_hash": payment.payment_hash.hex(),
            "invoice": invoice.encode(),
            "amount_msat": 21_000,
            "state": state.value,
            **reason,
        }
    ]
    assert listed(ask)["used"] == (state is PaymentState.PAID)


def test_the_latest_payments_of_each_request_are_listed_oldest_first(node: Node, ask: Ask) -> None:
    requests = [made(ask, node, single_use=False, issuer=issuer) for issuer in ("one", "two")]
    number = SHOWN_PAYMENTS + 3
    hashes = [pay(node, invoice_for(requests[0], each), each).payment_hash.hex() for each in range(number)]
    other = pay(node, invoice_for(requests[1], number), number).payment_hash.hex()
    shown = {
        each["invreq_id"]: [payment["payment_hash"] for payment in each["payments"]]
        for each in ask("listinvoicerequests")["invoicerequests"]
    }
    assert shown == {requests[0].invreq_id.hex(): hashes[-SHOWN_PAYMENTS:], requests[1].invreq_id.hex(): [other]}


@pytest.mark.parametrize("option", ["via", "payment_fronting_nodes"])
@pytest.mark.parametrize("unsigned", [False, True])
def test_a_request_has_a_path_through_each_front_that_only_this_node_recognises(
    tmp_path: Path, option: str, unsigned: bool
) -> None:
    nodes = [front.public_key for front in FRONTS]
    named = [Address(each, "127.0.0.1", 9) for each in nodes] if option == "via" else nodes
    options = Options(lightning_dir=tmp_path, network="regtest", **{option: tuple(named)})  # type: ignore[arg-type]
    write_secret(options.secret_file, SEED_SECRET)
    with Node.open(options) as node:
        response = OffersService(node).invoicerequest(
            InvoicerequestRequest(amount=1, description="x", unsigned=unsigned)
        )
    request = InvoiceRequest.parse(response.bolt12)
    request.verify()
    assert (request.signed, request.invreq_id.hex()) == (not unsigned, response.invreq_id)
    assert [path.first_node_id for path in request.invreq_paths or ()] == nodes
    without = InvoiceRequest._build([each for each in request.records if each.type not in (90, 240)])
    for front, path in zip(FRONTS, request.invreq_paths or (), strict=True):
        first = open_message(front, message_with(bytes(31) + b"\1", path, samples.invoice(), None))
        assert isinstance(first, Forward)
        assert first.next_node == KEYS.node_id
        found = open_message(KEYS.key_pair, first.message)
        assert isinstance(found, ReceivedMessage)
        assert found.path_id == KEYS.path_id(without.invreq_id) != KEYS.path_id(request.invreq_id)


def test_a_request_whose_path_keys_are_missing_is_refused_and_draws_nothing(tmp_path: Path) -> None:
    options = Options(
        lightning_dir=tmp_path, network="regtest", dev_entropy=bytes(range(47)), payment_fronting_nodes=(PAYEE,)
    )
    write_secret(options.secret_file, SEED_SECRET)
    with Node.open(options) as node:
        before = node.entropy.mark()
        with pytest.raises(Exception, match="Injected entropy has run out: 32 bytes needed, 31 left"):
            OffersService(node).invoicerequest(InvoicerequestRequest(amount=1, description="x"))
        assert node.entropy.mark() == before
