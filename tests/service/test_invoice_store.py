"""Stored invoices: payments and their effects, indexes, and the order of expiry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest

from clnrpc.types import CreateinvoiceRequest
from lnoffers.service import Node, OffersService
from lnoffers.service.status import Status
from lnoffers.service.store import Connection, invoices, offers
from lnoffers.service.store.invoices import InvoiceStatus, StoredInvoice
from tests.service.invoicing import NOW, creation, pay, preimage, store_offer
from tests.service.program import SECONDS


def create(node: Node, *numbers: int, seconds: int = 7200) -> None:
    service = OffersService(node)
    node.inject(None, NOW)
    for number in numbers:
        service.createinvoice(CreateinvoiceRequest(**creation(number, invoice_relative_expiry=seconds)))


def stored(node: Node, number: int) -> StoredInvoice:
    with node.store.transaction(writes=False) as connection:
        found = invoices.by_label(connection, f"number {number}")
    assert found is not None
    return found


def statuses(node: Node, *numbers: int) -> list[InvoiceStatus]:
    return [stored(node, number).status for number in numbers]


def offer_status(node: Node, offer_id: bytes) -> Status | None:
    with node.store.transaction(writes=False) as connection:
        return offers.status_of(connection, offer_id)


def test_a_payment_is_noted_with_its_number_amount_and_time(node: Node) -> None:
    create(node, 1, 2)
    assert pay(node, 2, amount=1_500, at=NOW + 5) == stored(node, 2)
    paid = stored(node, 2)
    assert (paid.status, paid.pay_index, paid.amount_received_msat, paid.paid_at) == ("paid", 1, 1_500, NOW + 5)
    assert pay(node, 1) == stored(node, 1)
    assert (stored(node, 1).pay_index, stored(node, 1).updated_index) == (2, 2)


def test_an_invoice_is_paid_once(node: Node) -> None:
    create(node, 1)
    assert pay(node, 1) is not None
    assert pay(node, 1) is None
    assert pay(node, 2) is None, "nor one that is not there"
    create(node, 3)
    again = pay(node, 3)
    assert again is not None
    assert again.pay_index == 2, "a refused payment takes no number"


def test_an_invoice_whose_time_is_over_is_not_paid(node: Node) -> None:
    create(node, 1, 2)
    assert pay(node, 1, at=NOW + 7200) is None
    assert pay(node, 1, at=NOW + 7199) is not None


def test_the_payment_s_offer_is_used(node: Node) -> None:
    offer_id = store_offer(node, Status.created(single_use=False))
    create(node, 1, 2)
    pay(node, 1)
    assert offer_status(node, offer_id) == Status(5)
    assert statuses(node, 1, 2) == ["paid", "unpaid"]
    pay(node, 2)
    assert (offer_status(node, offer_id), statuses(node, 2)) == (Status(5), ["paid"])


def test_a_single_use_offer_ends_with_its_first_payment_and_its_invoices_with_it(node: Node) -> None:
    create(node, 1)
    offer_id = store_offer(node, Status.created(single_use=True))
    create(node, 2, 3, 4)
    pay(node, 3)
    assert offer_status(node, offer_id) == Status(6)
    assert statuses(node, 1, 2, 3, 4) == ["unpaid", "expired", "paid", "expired"]
    assert pay(node, 2) is None
    assert stored(node, 2).updated_index == 0, "as in Core Lightning, that is no change of its own"


def test_invoices_expire_in_the_order_of_their_times(node: Node) -> None:
    create(node, 1, seconds=300)
    create(node, 2, seconds=200)
    create(node, 3, seconds=100)
    create(node, 4, seconds=400)
    pay(node, 1)
    with node.store.transaction() as connection:
        assert not invoices.any_due(connection, NOW + 99)
        assert invoices.any_due(connection, NOW + 100)
        invoices.expire(connection, NOW + 300)
        assert not invoices.any_due(connection, NOW + 300)
        invoices.expire(connection, NOW + 300)
    assert [stored(node, number).updated_index for number in (1, 2, 3, 4)] == [1, 3, 2, 0]
    assert statuses(node, 1, 2, 3, 4) == ["paid", "expired", "expired", "unpaid"]
    with node.store.transaction() as connection:
        invoices.expire(connection, NOW + 400)
    assert stored(node, 4).updated_index == 4


def test_a_preimage_is_not_in_the_repr(node: Node) -> None:
    create(node, 1)
    assert repr(preimage(1)) not in repr(stored(node, 1))


def test_of_processes_that_pay_a_single_use_offer_exactly_one_succeeds(node: Node) -> None:
    store_offer(node, Status.created(single_use=True))
    numbers = range(1, 21)
    create(node, *numbers)
    code = (
        "import sys; from pathlib import Path; from lnoffers.service import Node, Options\n"
        "from tests.service.invoicing import pay\n"
        "with Node.open(Options(lightning_dir=Path(sys.argv[1]), network='regtest')) as node:\n"
        "    print(sum(pay(node, int(number)) is not None for number in sys.argv[2:]))\n"
    )
    shares = [[str(number) for number in numbers[share::4]] for share in range(4)]
    directory = str(node.options.base_dir)
    payers = [
        subprocess.Popen([sys.executable, "-c", code, directory, *share], stdout=subprocess.PIPE) for share in shares
    ]
    succeeded = [int(payer.communicate(timeout=SECONDS)[0]) for payer in payers]
    assert sum(succeeded) == 1
    assert sorted(statuses(node, *numbers)) == ["expired"] * 19 + ["paid"]


@pytest.mark.parametrize("amount", [0, 2**63 - 1])
def test_amounts_up_to_what_a_column_takes(node: Node, amount: int) -> None:
    create(node, 1)
    assert pay(node, 1, amount=amount) == stored(node, 1)
    assert sha256(stored(node, 1).payment_preimage).digest() == stored(node, 1).payment_hash


class Explaining:
    """A connection that collects the plan of each statement instead of carrying it out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.plans: list[str] = []

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        explained = self._connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        self.plans += [detail for *_, detail in explained.fetchall() if "ORDER BY" not in detail]
        return self._connection.execute("SELECT 1 WHERE FALSE")


def test_unpaid_answers_are_found_in_an_index_of_their_own_however_many_other_invoices_there_are(node: Node) -> None:
    with node.store.transaction() as connection:
        explaining: Any = Explaining(connection)
        invoices.are_unpaid_answers(explaining, 5)
        invoices.is_unpaid_answer_expired(explaining, NOW)
        invoices.remove_unpaid_answers(explaining, NOW, 5)
        invoices.remove_oldest_unpaid_answer(explaining, NOW)
    searches = [
        plan for plan in explaining.plans if "created_index" not in plan and "rowid" not in plan and "LIST" not in plan
    ]
    assert len(searches) == 4
    assert all("USING COVERING INDEX ix_invoices_unpaid_answers" in plan for plan in searches), searches
