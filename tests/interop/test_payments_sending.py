"""The backend `cln` pays invoices through a real node, and knows what has become of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lnoffers.bolt12 import Invoice, KeyPair
from lnoffers.service.payments.backend import Failed, Outcome, Paid, Uncertain
from lnoffers.service.payments.cln.outcomes import ENDED
from tests.interop.conftest import Pair
from tests.interop.nodes import Node, until
from tests.interop.paying import backend, end_at, hash_of, invoice_for, payable_at, status_at

AMOUNT = 1_000_000


def pay(node: Node, directory: Path, invoice: Invoice, **given: Any) -> Outcome:
    """Return the outcome of paying with a backend of its own."""

    async def run() -> Outcome:
        async with backend(node.socket, directory, **given) as (used, _):
            return await used.pay(invoice)

    return asyncio.run(run())


def find(node: Node, directory: Path, invoice: Invoice, **given: Any) -> Outcome:
    """Return what another backend finds, as after a restart."""

    async def run() -> Outcome:
        async with backend(node.socket, directory, **given) as (used, _):
            return await used.find(invoice)

    return asyncio.run(run())


def is_preimage(outcome: Outcome, invoice: Invoice) -> bool:
    return isinstance(outcome, Paid) and sha256(outcome.preimage).hexdigest() == hash_of(invoice)


@contextmanager
def held(node: Node) -> Iterator[None]:
    """Stop a node, so that payments to it stay on their way."""
    os.kill(node.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.process.pid, signal.SIGCONT)


def test_pays_an_invoice_of_another_key_once(pair: Pair, tmp_path: Path) -> None:
    invoice = payable_at(pair.l1, AMOUNT)
    first, second = pay(pair.l2, tmp_path, invoice), pay(pair.l2, tmp_path, invoice)
    assert first == second
    assert is_preimage(first, invoice)
    assert isinstance(first, Paid)
    assert first.sent_msat == AMOUNT
    assert len(pair.l2.client.listpays(payment_hash=hash_of(invoice)).pays) == 1


def test_two_calls_at_once_pay_once(pair: Pair, tmp_path: Path) -> None:
    invoice = payable_at(pair.l1, AMOUNT)

    async def run() -> list[Outcome]:
        async with backend(pair.l2.socket, tmp_path) as (used, _):
            both = await asyncio.gather(used.pay(invoice), used.pay(invoice))
            return [*both, await used.find(invoice)]

    *both, found = asyncio.run(run())
    assert not any(isinstance(outcome, Failed) for outcome in both)
    assert is_preimage(found, invoice)
    assert found in both
    assert len(pair.l2.client.listsendpays(payment_hash=hash_of(invoice)).payments) == 1


FAILURES: dict[int, dict[str, Any]] = {
    209: {"secret": b"\1" * 32},
    206: {"fee_msat": 5_000},
    207: {"invoice_relative_expiry": 0, "invoice_created_at": 1_700_000_000},
    -32602: {"invoice_features": bytes.fromhex("01000000")},
}
"""What is wrong with an invoice, by the node's code."""


@pytest.mark.parametrize("code", FAILURES)
def test_a_failure_is_final_and_has_a_reason_and_a_code(code: int, pair: Pair, tmp_path: Path) -> None:
    invoice = payable_at(pair.l1, AMOUNT, **FAILURES[code])
    assert pay(pair.l2, tmp_path, invoice, max_fee=1_000) == ENDED[code]
    assert status_at(pair.l1, invoice) == "unpaid"


def test_an_amount_above_the_channels_fails(pair: Pair, tmp_path: Path) -> None:
    assert pay(pair.l2, tmp_path, payable_at(pair.l1, 10**10)) == ENDED[215]


def test_a_payee_that_nobody_knows_fails(l1: Node, tmp_path: Path) -> None:
    invoice = invoice_for(b"\5" * 32, AMOUNT, end_at(KeyPair(b"\3" * 32).public_key.hex(), b"\1" * 32))
    assert pay(l1, tmp_path, invoice) == ENDED[205]


def test_a_payment_with_too_small_an_amount_is_refused(pair: Pair, tmp_path: Path) -> None:
    invoice = payable_at(pair.l1, AMOUNT, asked=AMOUNT // 10)
    assert isinstance(pay(pair.l2, tmp_path, invoice), Failed)
    assert status_at(pair.l1, invoice) == "unpaid"


def test_finds_a_payment_right_after_it_began(pair: Pair, tmp_path: Path) -> None:
    """`listpays` is empty at first."""

    async def run(invoice: Invoice) -> Outcome:
        async with backend(pair.l2.socket, tmp_path) as (used, _):
            paying = asyncio.ensure_future(used.pay(invoice))
            await asyncio.sleep(0)
            found = await used.find(invoice)
            assert found == await paying
            return found

    for _ in range(5):
        invoice = payable_at(pair.l1, 1_000)
        assert is_preimage(asyncio.run(run(invoice)), invoice)


def test_a_call_goes_on_without_its_caller(pair: Pair, tmp_path: Path) -> None:
    async def leave(invoice: Invoice) -> None:
        async with backend(pair.l2.socket, tmp_path) as (used, _):
            paying = asyncio.ensure_future(used.pay(invoice))
            await asyncio.sleep(0.001)
            paying.cancel()

    for _ in range(5):
        invoice = payable_at(pair.l1, 1_000)
        asyncio.run(leave(invoice))
        outcome = find(pair.l2, tmp_path, invoice)
        assert isinstance(outcome, Failed) or is_preimage(outcome, invoice)
        assert status_at(pair.l1, invoice) == ("unpaid" if isinstance(outcome, Failed) else "paid")


def test_what_was_never_paid_is_found_as_failed_only_when_no_call_can_run(l2: Node, tmp_path: Path) -> None:
    async def run() -> Outcome:
        async with backend(l2.socket, tmp_path, at_most=3600.0) as (used, _):
            async with asyncio.timeout(5):
                return await used.find(invoice)

    invoice = payable_at(l2, AMOUNT)
    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert isinstance(find(l2, tmp_path, invoice, at_most=0.5), Failed)


def test_a_part_on_its_way_is_uncertain_until_it_is_settled(pair: Pair, tmp_path: Path) -> None:
    invoice = payable_at(pair.l1, AMOUNT)

    async def run() -> Outcome:
        async with backend(pair.l2.socket, tmp_path, at_most=0.5) as (used, _):
            with held(pair.l1):
                paying = asyncio.ensure_future(used.pay(invoice))
                finding = asyncio.ensure_future(used.find(invoice))
                done, _waiting = await asyncio.wait([paying, finding], timeout=4)
                assert not done, "it is neither paid nor failed"
            found = await finding
            assert found == await paying
            return found

    assert is_preimage(asyncio.run(run()), invoice)


def test_a_node_that_is_not_there_pays_nothing(l2: Node, tmp_path: Path) -> None:
    """The proxy is gone as soon as the backend has started."""
    invoice = payable_at(l2, AMOUNT)
    link = tmp_path / "rpc"
    link.symlink_to(l2.socket)

    async def run() -> tuple[Outcome, Outcome]:
        async with backend(link, tmp_path / "own") as (used, _):
            link.unlink()
            await used._client.close()
            return await used.pay(invoice), await used.find(invoice)

    paid, found = asyncio.run(run())
    assert paid == Failed("the node that pays cannot be reached")
    assert isinstance(found, Uncertain)


def test_lists_what_it_has_paid(pair: Pair, tmp_path: Path) -> None:
    paid, failed = payable_at(pair.l1, AMOUNT), payable_at(pair.l1, AMOUNT, secret=b"\1" * 32)

    async def run() -> dict[str, Outcome]:
        async with backend(pair.l2.socket, tmp_path, at_most=0.5) as (used, _):
            await used.pay(paid)
            await used.pay(failed)
            return {hash_of(invoice): outcome async for invoice, outcome in used.payments()}

    listed = asyncio.run(run())
    assert is_preimage(listed[hash_of(paid)], paid)
    assert hash_of(failed) not in listed


def test_lists_what_is_on_its_way(pair: Pair, tmp_path: Path) -> None:
    invoice = payable_at(pair.l1, AMOUNT)

    async def run() -> dict[str, Outcome]:
        async with backend(pair.l2.socket, tmp_path, at_most=0.5) as (used, _):
            with held(pair.l1):
                paying = asyncio.ensure_future(used.pay(invoice))
                rows = pair.l2.client.listpays
                await asyncio.to_thread(until, lambda: rows(payment_hash=hash_of(invoice)).pays, "it is on its way")
                listed = {hash_of(each): outcome async for each, outcome in used.payments()}
            await paying
            return listed

    assert isinstance(asyncio.run(run())[hash_of(invoice)], Uncertain)


def test_the_node_keeps_the_count_of_payments(l2: Node, tmp_path: Path) -> None:
    async def run() -> list[int | None]:
        async with backend(l2.socket, tmp_path) as (used, desk):
            witness = used.witness()
            counts = [await witness.read()]
            await asyncio.gather(*(witness.write(count) for count in (3, 1, 2)))
            await witness.write(2)
            own = ["lnoffers", desk.node.keys.node_id.hex()]
            stored = l2.client.listdatastore(key=own).datastore
            assert {row.key[-1]: row.string for row in stored} == {"payments": "3", "retry_for": "5"}
            return [*counts, await witness.read()]

    assert asyncio.run(run()) == [None, 3]
