"""paybyhand: a person begins to pay, and says what has become of it; the request is paid once."""

from __future__ import annotations

from typing import Any

import pytest

from lnoffers.bolt12 import Invoice, InvoiceRequest
from lnoffers.service import Node, Options
from lnoffers.service.commands.paybyhand import NOT_PAID
from lnoffers.service.payment_states import OPEN, PaymentState
from lnoffers.service.payments.manual import COMPARE
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.schema import PAYMENTS
from tests.bolt12 import samples
from tests.service.invoicing import NOW, Ask
from tests.service.paying import invoice_for, own_request, preimage, store_payment
from tests.service.program import Program, run

BY_HAND = [PaymentState.CLAIMED, PaymentState.PAYING, PaymentState.UNKNOWN]


def waiting(node: Node, ask: Ask, state: PaymentState = PaymentState.CLAIMED, number: int = 1) -> Invoice:
    """Return an invoice for a request of the node, which has come so far."""
    node.inject(samples.METADATA[:15] + bytes([number]), None)
    request = InvoiceRequest.parse(ask("invoicerequest", amount=21_000, description="refund")["bolt12"])
    invoice = invoice_for(request, number)
    store_payment(node, invoice, preimage(number), state)
    return invoice


def status(node: Node, invoice: Invoice) -> Status | None:
    with node.store.transaction(writes=False) as connection:
        return invoicerequests.status_of(connection, invoice.invreq_id)


def only(found: Any) -> dict[str, Any]:
    [payment] = found["payments"]
    assert isinstance(payment, dict)
    return payment


def hash_of(invoice: Invoice) -> str:
    assert invoice.invoice_payment_hash is not None
    return invoice.invoice_payment_hash.hex()


def test_lists_what_is_open_with_what_is_needed_to_pay_it(node: Node, ask: Ask) -> None:
    made = [waiting(node, ask, state, number) for number, state in enumerate(PaymentState, 1)]
    assert [each["state"] for each in ask("paybyhand")["payments"]] == ["claimed", "paying", "unknown"]
    first = made[0]
    assert ask("paybyhand")["payments"][0] == {
        "payment_hash": hash_of(first),
        "invoice": first.encode(),
        "invreq_id": first.invreq_id.hex(),
        "amount_msat": 21_000,
        "payee": samples.OTHER_SIGNER.public_key.hex(),
        "description": "refund",
        "expires_at": NOW + 7200,
        "state": "claimed",
    }


def test_an_invoice_that_is_begun_outlives_its_expiry_and_one_that_waits_does_not(node: Node, ask: Ask) -> None:
    begun, late = waiting(node, ask), waiting(node, ask, number=2)
    for name in (begun.encode(), f"lightning:{begun.encode()}", hash_of(begun), hash_of(begun).upper()):
        assert only(ask("paybyhand", name))["state"] == "paying"
    node.inject(None, late.expires_at + 1)
    refused = ask("paybyhand", late.encode())
    assert refused == {"code": -1, "message": "This invoice is not to be paid: Expired invoice"}
    assert only(ask("paybyhand", begun.encode()))["state"] == "paying"


@pytest.mark.parametrize("state", BY_HAND)
def test_a_preimage_pays_the_request_for_good(node: Node, ask: Ask, state: PaymentState) -> None:
    invoice = waiting(node, ask, state)
    for _ in range(2):  # a lost answer is asked for again
        paid = only(ask("paybyhand", invoice.encode(), preimage(1).hex()))
        assert (paid["state"], paid["preimage"]) == ("paid", preimage(1).hex())
    assert status(node, invoice) == Status.SINGLE_USE | Status.USED
    assert ask("paybyhand") == {"payments": []}
    assert ask("createproof", invoice.encode())["proofs"]
    assert ask("paybyhand", invoice=invoice.encode(), failed=True)["message"] == (
        "This invoice is recorded as paid, with its preimage"
    )
    assert ask("paybyhand", invoice.encode())["message"] == "This invoice is not to be paid: it is paid"


@pytest.mark.parametrize("state", BY_HAND)
def test_a_failure_frees_the_request(node: Node, ask: Ask, state: PaymentState) -> None:
    invoice = waiting(node, ask, state)
    for _ in range(2):
        failed = only(ask("paybyhand", invoice=invoice.encode(), failed=True))
        assert (failed["state"], failed["reason"]) == ("failed", NOT_PAID)
    assert status(node, invoice) == Status.SINGLE_USE | Status.ACTIVE
    assert (
        ask("paybyhand", invoice.encode())["message"] == f"This invoice is not to be paid: it has failed ({NOT_PAID})"
    )


def test_a_preimage_that_comes_after_the_failure_is_recorded_if_the_request_is_free(node: Node, ask: Ask) -> None:
    invoice = waiting(node, ask, PaymentState.FAILED)
    assert only(ask("paybyhand", invoice.encode(), preimage(1).hex()))["state"] == "paid"
    assert status(node, invoice) == Status.SINGLE_USE | Status.USED


def test_a_preimage_that_comes_after_another_invoice_was_paid_is_refused_and_says_so(node: Node, ask: Ask) -> None:
    first = waiting(node, ask, PaymentState.FAILED)
    [listed] = ask("listinvoicerequests")["invoicerequests"]
    second = invoice_for(InvoiceRequest.parse(listed["bolt12"]), 2)
    store_payment(node, second, preimage(2))
    refused = ask("paybyhand", first.encode(), preimage(1).hex())
    assert refused["code"] == -1
    why = f"Single-use invoice_request already paid with {hash_of(second)}"
    assert refused["message"] == f"This invoice was given up, and cannot be recorded as paid: {why}"


@pytest.mark.parametrize("state", [state for state in PaymentState if state in OPEN])
def test_a_payment_of_a_backend_is_left_to_the_backend(node: Node, ask: Ask, state: PaymentState) -> None:
    invoice = waiting(node, ask, state)
    with node.store.transaction() as connection:
        connection.execute("UPDATE payments SET backend = 'cln 02ab'")
    assert ask("paybyhand") == {"payments": []}
    for more in ({}, {"preimage": preimage(1).hex()}, {"failed": True}):
        refused = ask("paybyhand", invoice=invoice.encode(), **more)
        assert refused["message"].startswith("The payment backend cln 02ab pays this invoice")
    with node.store.transaction(writes=False) as connection:
        found = payments.by_payment_hash(connection, invoice.invoice_payment_hash or b"")
    assert found is not None
    assert found.state is state


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"preimage": "00" * 32}, "missing required parameter: invoice"),
        ({"failed": True}, "missing required parameter: invoice"),
        ({"invoice": "00" * 32, "preimage": "00" * 32, "failed": True}, "Can only specify one of {preimage} or"),
        ({"invoice": "00" * 32, "preimage": "00" * 32}, "preimage: it is not that of the invoice's payment_hash"),
        ({"invoice": "lni1qq"}, "invoice: Invalid invoice: "),
        ({"invoice": "00"}, "invoice: Invalid invoice: "),
    ],
)
def test_what_does_not_go_together_is_refused(ask: Ask, params: dict[str, Any], message: str) -> None:
    refused = ask("paybyhand", **params)
    assert refused["code"] == -32602
    assert refused["message"].startswith(message)


def test_an_invoice_that_never_arrived_is_not_to_be_paid(ask: Ask) -> None:
    refused = ask("paybyhand", "00" * 32)
    assert refused == {"code": -1, "message": "No payment of this invoice waits or has begun"}


@pytest.fixture
def invoice(seed_program: Program) -> Invoice:
    """Return an invoice that waits in the store of a node."""
    with Node.open(Options(lightning_dir=seed_program.directory, network="regtest")) as node:
        made = invoice_for(own_request(node), invoice_created_at=node.clock.now())
        store_payment(node, made, preimage(1), PaymentState.CLAIMED)
    return made


@pytest.mark.parametrize("served", [False, True])
def test_the_program_lists_begins_and_completes(seed_program: Program, invoice: Invoice, *, served: bool) -> None:
    if served:
        with seed_program.served():
            go_through(seed_program, invoice)
    else:
        go_through(seed_program, invoice)


def go_through(program: Program, invoice: Invoice) -> None:
    def by_hand(*arguments: str) -> dict[str, Any]:
        outcome = run("pay-by-hand", *program.flags, *arguments)
        assert outcome.code == 0, outcome.err
        return only(outcome.json)

    assert by_hand()["state"] == "claimed"
    assert by_hand(invoice.encode())["state"] == "paying"
    people = "".join(run("pay-by-hand", *program.flags, "--qr").out.split())
    for text in ("21,000msat", samples.OTHER_SIGNER.public_key.hex(), invoice.encode(), "isyourstopay", "█"):
        assert text in people
    assert by_hand(hash_of(invoice), preimage(1).hex())["state"] == "paid"
    assert run("pay-by-hand", *program.flags, "--qr").out == "No invoice is to be paid by hand.\n"
    refused = run("pay-by-hand", *program.flags, invoice.encode(), "--failed")
    assert (refused.code, refused.err) == (1, "lnoffers: This invoice is recorded as paid, with its preimage\n")


def test_nothing_is_paid_from_a_restored_store_until_the_operator_has_compared_it(node: Node, ask: Ask) -> None:
    """The backup was made while the invoice waited, and it was paid since."""
    invoice = waiting(node, ask)
    with node.store.transaction(writes=False) as connection:
        [backup] = connection.execute(PAYMENTS.select).fetchall()
        last = payments.last_fence(connection)
    ask("paybyhand", invoice.encode())
    ask("paybyhand", invoice.encode(), preimage(1).hex())
    with node.store.transaction() as connection:
        connection.execute("DELETE FROM payments")
        connection.execute(PAYMENTS.insert(), backup)
        claimed = Status.created(single_use=True) | Status.CLAIMED
        connection.execute("UPDATE invoicerequests SET status = ?", (claimed.value,))
        connection.execute("UPDATE counters SET last = ? WHERE name = 'fence'", (last,))
    for given in ({}, {"preimage": preimage(1).hex()}, {"failed": True}):
        assert ask("paybyhand", invoice=invoice.encode(), **given) == {"code": -1, "message": COMPARE}
    assert only(ask("paybyhand"))["state"] == "claimed"
    ask("paybyhand", compared=True)
    assert only(ask("paybyhand", invoice.encode(), preimage(1).hex()))["state"] == "paid"
    assert status(node, invoice) == Status.SINGLE_USE | Status.USED


def test_a_lost_counter_is_like_a_restored_store(node: Node, ask: Ask) -> None:
    invoice = waiting(node, ask)
    node.options.store_file.with_name("lnoffers.sqlite3.fence").unlink()
    assert ask("paybyhand", invoice.encode()) == {"code": -1, "message": COMPARE}
    ask("paybyhand", compared=True)
    assert only(ask("paybyhand", invoice.encode()))["state"] == "paying"
