"""xpay: what is paid, what is refused, and how the call ends, with a backend that does as it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.types import XpayRequest, XpayResponse
from lnoffers.bolt12 import CHAINS, Invoice
from lnoffers.service import Node, OffersService
from lnoffers.service.commands import Served
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments import payer as payer_module
from lnoffers.service.payments.backend import Failed, FailureCode, Uncertain
from lnoffers.service.payments.limits import Limits
from lnoffers.service.payments.payer import Payer
from lnoffers.service.peers import Peers
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.invoicerequests import StoredRequest
from tests.bolt12 import samples
from tests.bolt12.samples import NOW
from tests.payments.scripted import Scripted, paid, ready
from tests.service.invoicing import HOUR
from tests.service.paying import invoice_for, own_request, preimage, request_of, store_payment

OFFER = samples.offer()
SINGLE = Status.created(single_use=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have payers ask at short intervals."""
    monkeypatch.setattr(payer_module, "FIRST_PAUSE", 0.001)


def xpay(node: Node, backend: Scripted, text: str, limits: Limits | None = None, **more: Any) -> XpayResponse:
    node.inject(bytes(100), NOW)

    async def use(payer: Payer) -> XpayResponse:
        peers = Peers(node.keys.key_pair, CHAINS["regtest"], lambda _, __: None)
        service = OffersService(node, Served(node.options.socket, lambda: None, peers, payer))
        return await service.xpay(XpayRequest(invstring=text, **more))

    return ready(node, backend, use, limits)


def refused(node: Node, backend: Scripted, text: str, limits: Limits | None = None, **more: Any) -> tuple[int, str]:
    with pytest.raises(RpcError) as error:
        xpay(node, backend, text, limits, **more)
    return error.value.code, error.value.message


def state(node: Node, invoice: Invoice) -> PaymentState | None:
    with node.store.transaction(writes=False) as connection:
        found = payments.by_payment_hash(connection, invoice.invoice_payment_hash or b"")
    return None if found is None else found.state


@pytest.fixture
def invoice(node: Node) -> Invoice:
    """Return an invoice for an offer of another node."""
    return invoice_for(request_of(node, OFFER))


def test_pays_an_invoice_once_and_says_so_the_second_time(node: Node, invoice: Invoice) -> None:
    backend = Scripted([paid(preimage(1))])
    response = xpay(node, backend, f"lightning:{invoice.encode()}")
    assert response == XpayResponse(
        payment_preimage=preimage(1).hex(),
        amount_msat=1_000,
        amount_sent_msat=21_003,
        failed_parts=0,
        successful_parts=1,
    )
    assert refused(node, backend, invoice.encode().upper()) == (219, "Already paid this invoice successfully")
    assert backend.told == [invoice.invoice_payment_hash]


def test_a_failure_is_told_and_the_invoice_can_be_paid_later(node: Node, invoice: Invoice) -> None:
    backend = Scripted([Failed("no route"), paid(preimage(1))])
    assert refused(node, backend, invoice.encode()) == (209, "Failed: no route")
    assert xpay(node, backend, invoice.encode()).payment_preimage == preimage(1).hex()


@pytest.mark.parametrize("code", FailureCode)
def test_a_failure_has_the_code_of_the_backend(node: Node, invoice: Invoice, code: FailureCode) -> None:
    assert refused(node, Scripted([Failed("no", code)]), invoice.encode()) == (int(code), "Failed: no")


def test_a_failure_after_a_lost_answer_has_its_code_too(node: Node, invoice: Invoice) -> None:
    backend = Scripted([Uncertain("?")], [Uncertain("?"), Failed("refused", FailureCode.REFUSED)])
    assert refused(node, backend, invoice.encode()) == (203, "Failed: refused")


def test_a_call_that_waits_too_long_leaves_the_payment_alone(node: Node, invoice: Invoice) -> None:
    code, message = refused(node, Scripted(), invoice.encode(), retry_for=0)
    assert (code, message.partition(". ")[0]) == (210, "No result after 0 seconds")
    assert state(node, invoice) is PaymentState.PAYING
    again = refused(node, Scripted(finding=[Uncertain("?")] * 9), invoice.encode())
    assert again == (200, "The payment of this invoice is still in progress: listpays shows its result")


def test_two_calls_at_once_pay_once(node: Node, invoice: Invoice) -> None:
    backend = Scripted([paid(preimage(1))] * 2)
    node.inject(None, NOW)

    async def use(payer: Payer) -> list[Any]:
        peers = Peers(node.keys.key_pair, CHAINS["regtest"], lambda _, __: None)
        service = OffersService(node, Served(node.options.socket, lambda: None, peers, payer))
        calls = [service.xpay(XpayRequest(invstring=invoice.encode())) for _ in range(5)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = ready(node, backend, use)
    assert [type(result) for result in results].count(XpayResponse) == 1
    assert {result.code for result in results if isinstance(result, RpcError)} <= {200, 219}
    assert len(backend.told) == 1


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(payment_msat=999), "1000msat are more than one payment may have (999msat)"),
        (
            Limits(daily_msat=999),
            "1005msat, with fees, would exceed the limit of 24 hours (999msat), of which 0msat are used",
        ),
    ],
)
def test_the_limits_of_the_server_hold(node: Node, invoice: Invoice, limits: Limits, why: str) -> None:
    backend = Scripted()
    assert refused(node, backend, invoice.encode(), limits) == (209, why)
    assert (state(node, invoice), backend.told) == (None, [])


def own(node: Node, status: Status = SINGLE, payee: bytes | None = None, **changes: Any) -> Invoice:
    """Return an invoice for a request of the node, which it has stored."""
    request = own_request(node, **changes)
    with node.store.transaction() as connection:
        invoicerequests.add(connection, StoredRequest(request.invreq_id, request.encode(), None, status, payee))
    return invoice_for(request)


def test_an_invoice_for_a_request_of_ours_uses_the_request(node: Node) -> None:
    invoice = own(node)
    assert xpay(node, Scripted([paid(preimage(1))]), invoice.encode(), localinvreqid=invoice.invreq_id.hex())
    with node.store.transaction(writes=False) as connection:
        status = invoicerequests.status_of(connection, invoice.invreq_id)
    assert status == Status.SINGLE_USE | Status.USED


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"status": Status.SINGLE_USE}, "invoice_request no longer available"),
        ({"payee": samples.SIGNER.public_key}, "the invoice_request is for another payee"),
        ({"offer_absolute_expiry": NOW - 1}, "invoice_request has expired"),
    ],
)
def test_a_request_of_ours_must_allow_the_payment(node: Node, arguments: dict[str, Any], why: str) -> None:
    backend = Scripted()
    assert refused(node, backend, own(node, **arguments).encode()) == (212, why)
    assert backend.told == []


def test_another_invoice_for_a_single_use_that_is_paid_is_refused(node: Node) -> None:
    first = own(node)
    store_payment(node, first, preimage(1))
    second = invoice_for(own_request(node), 2)
    code, why = refused(node, Scripted(), second.encode())
    assert (code, why.partition(" with ")[0]) == (212, "Single-use invoice_request already paid")


def test_an_invoice_of_our_own_is_not_paid(node: Node) -> None:
    keys = node.keys
    unsigned = samples.unsigned_invoice(samples.request(), invoice_node_id=keys.node_id)
    assert refused(node, Scripted(), unsigned.sign(keys.node_signer).encode()) == (
        209,
        "the invoice is this node's own",
    )


def changed(invoice: Invoice, **changes: Any) -> str:
    """Return an invoice with other fields, signed again."""
    others = {getattr(Invoice, name).number for name in changes} | {240}
    records = [each for each in invoice.records if each.type not in others]
    records += [getattr(Invoice, name).encode(value) for name, value in changes.items()]
    signed = samples.resigned(Invoice, records, samples.OTHER_SIGNER)
    return Invoice.from_bytes(b"".join(each.raw for each in signed)).encode()


def test_an_invoice_that_is_not_valid_is_not_paid(node: Node, invoice: Invoice) -> None:
    for text, why in {
        changed(invoice, invoice_amount=0): "Invalid bolt12 invoice with zero amount",
        changed(invoice, invreq_amount=5): "Invalid bolt12 invoice: Amount must be",
        invoice.encode()[:-4]: "Invalid bolt12 invoice: ",
        samples.as_text(
            invoice.to_bytes()[:-1] + bytes([invoice.to_bytes()[-1] ^ 1]), "lni"
        ): "Invalid bolt12 invoice: ",
    }.items():
        code, message = refused(node, Scripted(), text)
        assert code == -32602
        assert message.startswith(why.partition(": Amount")[0])


def test_an_expired_invoice_is_not_paid(node: Node) -> None:
    late = invoice_for(request_of(node, OFFER), invoice_created_at=NOW - 3 * HOUR)
    assert refused(node, Scripted(), late.encode()) == (207, "Invoice expired 3600 seconds ago")


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("hello", {}, "invstring: expected a BOLT 12 invoice (lni1...) or offer (lno1...)"),
        ("alice@example.com", {}, "invstring: names are not looked up here"),
        ("lnbc1", {}, "invstring: only BOLT 12 is paid here"),
        ("lno1qq", {}, "Invalid bolt12 offer: "),
        (OFFER.encode(), {"amount_msat": 999}, "Offer amount is 1000msat, you tried to pay 999msat"),
        (OFFER.encode(), {"localinvreqid": "00" * 32}, "Cannot use localinvreqid with offer payment"),
        (samples.offer(offer_amount=None).encode(), {}, "Must specify amount for this offer"),
        (samples.offer(offer_currency="EUR").encode(), {}, "Cannot pay offer in different currency EUR"),
        (samples.offer(offer_quantity_max=2).encode(), {}, "quantity parameter required"),
        (samples.invoice().encode(), {"amount_msat": 1_000}, "Cannot override amount for bolt12 invoices"),
        (samples.invoice().encode(), {"payer_note": "hi"}, "payer_note: only the request for an offer has one"),
        (samples.invoice().encode(), {"localinvreqid": "00" * 32}, "localinvreqid: the invoice is for another"),
        (samples.invoice().encode(), {"maxfee": 1}, "maxfee: not available here: the limit for fees is the server's"),
        (samples.invoice().encode(), {"layers": []}, "layers: not available here: "),
        (samples.invoice().encode(), {"partial_msat": 1}, "partial_msat: not available here: "),
        (samples.invoice().encode(), {"label": "x"}, "label: not available here: "),
        (samples.invoice().encode(), {"maxdelay": 144}, "maxdelay: not available here: "),
    ],
)
def test_what_is_not_paid_here_is_refused(node: Node, text: str, more: dict[str, Any], message: str) -> None:
    code, found = refused(node, Scripted(), text, **more)
    assert code == -32602
    assert found.startswith(message)


def test_an_expired_offer_and_one_that_cannot_be_reached_are_told(node: Node) -> None:
    assert refused(node, Scripted(), samples.offer(offer_absolute_expiry=NOW - 1).encode()) == (1002, "Offer expired")
    assert refused(node, Scripted(), OFFER.encode())[0] == 1003


def test_a_server_that_does_not_pay_says_so(node: Node, invoice: Invoice) -> None:
    backend = Scripted()
    backend.pays = False
    code, message = refused(node, backend, invoice.encode())
    assert (code, message) == (209, "This server does not pay: start it with a payment backend (--backend)")
    assert state(node, invoice) is None
