"""`pay_once` with real nodes: lost answers, killed nodes, and refusals of which each is what it says."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clnrpc import AsyncClient, Client, Outcome, Paid, PayOnceError, RpcError
from clnrpc.errors import AlreadyPaidError, DestinationFailedError, InvoiceExpiredError, PluginError, RouteNotFoundError
from tests.interop.chain.folder import Chain
from tests.interop.channels import open_channel
from tests.interop.conftest import Pair
from tests.interop.losing import losing
from tests.interop.nodes import Node, program, running, until
from tests.interop.paying import Mortal, await_chain, hash_of, payable_at

AMOUNT = 1_234_000
PATIENCE = 90


@pytest.fixture
def path() -> Iterator[Path]:
    """Return a path for a socket."""
    with tempfile.TemporaryDirectory(prefix="once") as folder:
        yield Path(folder) / "rpc"


def invoice_of(node: Node, **given: Any) -> Any:
    """Return a BOLT 11 invoice of a node."""
    return node.client.invoice(AMOUNT, os.urandom(8).hex(), "tea", **given)


def payments(node: Node, payment_hash: str) -> list[str]:
    """Return the states of the payments that a node has made."""
    return [pay.status for pay in node.client.listpays(payment_hash=payment_hash).pays]


def assert_paid_once(payer: Node, payee: Node, payment_hash: str, paid: Paid) -> None:
    assert sha256(bytes.fromhex(paid.preimage)).hexdigest() == paid.payment_hash == payment_hash
    assert payments(payer, payment_hash).count("complete") == 1
    [received] = payee.client.listinvoices(payment_hash=payment_hash).invoices
    assert (received.status, received.amount_received_msat) == ("paid", AMOUNT)


def failure(client: Client, invoice: str, **given: Any) -> Any:
    with pytest.raises((RpcError, PayOnceError)) as error:
        client.pay_once(invoice, **given)
    return error.value


def test_pays_both_kinds_of_invoices_and_finds_what_is_paid(pair: Pair) -> None:
    made = invoice_of(pair.l2)
    paid = pair.l1.client.pay_once(made.bolt11)
    assert_paid_once(pair.l1, pair.l2, made.payment_hash, paid)
    assert pair.l1.client.pay_once(made.bolt11).preimage == paid.preimage
    with pytest.raises(AlreadyPaidError) as error:
        pair.l1.client.xpay(made.bolt11)
    assert error.value.outcome == Outcome.DONE
    invoice = payable_at(pair.l2, AMOUNT)
    assert_paid_once(pair.l1, pair.l2, hash_of(invoice), pair.l1.client.pay_once(invoice.encode()))


def test_a_lost_answer_is_looked_up_on_a_new_connection(pair: Pair, path: Path) -> None:
    made = invoice_of(pair.l2)
    with losing(pair.l1.socket, path, "xpay") as proxy, Client(path) as client:
        paid = client.pay_once(made.bolt11)
        assert proxy.lost == 1
    assert_paid_once(pair.l1, pair.l2, made.payment_hash, paid)


def test_a_lost_answer_is_looked_up_by_the_asyncio_client(pair: Pair, path: Path) -> None:
    async def pay() -> Paid:
        async with AsyncClient(path) as client:
            return await client.pay_once(made.bolt11)

    made = invoice_of(pair.l2)
    with losing(pair.l1.socket, path, "xpay") as proxy:
        paid = asyncio.run(asyncio.wait_for(pay(), PATIENCE))
        assert proxy.lost == 1
    assert_paid_once(pair.l1, pair.l2, made.payment_hash, paid)


def test_several_callers_pay_once(pair: Pair) -> None:
    made = invoice_of(pair.l2)
    results: list[Paid] = []

    def pay() -> None:
        with Client(pair.l1.socket) as client:
            results.append(client.pay_once(made.bolt11))

    threads = [Thread(target=pay) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len({paid.preimage for paid in results}) == 1
    assert len(results) == 5
    assert_paid_once(pair.l1, pair.l2, made.payment_hash, results[0])


def test_refusals_before_anything_is_sent_have_failed(pair: Pair) -> None:
    expired = invoice_of(pair.l2, expiry=1)
    until(lambda: expired.expires_at + 1 < time.time(), "it has expired")
    error = failure(pair.l1.client, expired.bolt11)
    assert (type(error), error.outcome) == (InvoiceExpiredError, Outcome.FAILED)
    assert payments(pair.l1, expired.payment_hash) == []


def test_a_payee_that_refuses_has_failed_once_no_part_is_pending(pair: Pair) -> None:
    made = invoice_of(pair.l2)
    [listed] = pair.l2.client.listinvoices(payment_hash=made.payment_hash).invoices
    pair.l2.client.delinvoice(listed.label, "unpaid")
    with pytest.raises(DestinationFailedError) as refused:
        pair.l1.client.xpay(made.bolt11)
    assert refused.value.outcome == Outcome.UNKNOWN
    error = failure(pair.l1.client, made.bolt11)
    assert (type(error), error.outcome) == (DestinationFailedError, Outcome.FAILED)
    assert "pending" not in payments(pair.l1, made.payment_hash)


def test_without_a_route_it_has_failed(chain: Chain, pair: Pair, work: Path) -> None:
    with running(chain, work / "lonely") as lonely:
        made = invoice_of(lonely)
        error = failure(pair.l1.client, made.bolt11)
        assert (type(error), error.outcome) == (RouteNotFoundError, Outcome.FAILED)
        assert payments(pair.l1, made.payment_hash) == []


def test_a_payment_that_takes_longer_is_unknown_until_it_ends(chain: Chain, pair: Pair, work: Path) -> None:
    released = work / "released"
    plugin = program(work / "holding", "tests.interop.holding", released)
    with running(chain, work / "holder", f"--plugin={plugin}") as holder:
        await_chain(holder)
        open_channel(chain, pair.l1, holder)
        made = invoice_of(holder)
        error = failure(pair.l1.client, made.bolt11, within=10)
        assert (type(error), error.outcome) == (PayOnceError, Outcome.UNKNOWN)
        assert payments(pair.l1, made.payment_hash) == ["pending"]
        with pytest.raises(PluginError) as refused:  # a second call, while the first one is under way
            pair.l1.client.xpay(made.bolt11)
        assert refused.value.outcome == Outcome.UNKNOWN
        released.touch()
        paid = pair.l1.client.pay_once(made.bolt11, again=True)
        assert_paid_once(pair.l1, holder, made.payment_hash, paid)


def test_a_payer_that_is_killed_during_the_payment_is_asked_when_it_is_back(
    chain: Chain, pair: Pair, work: Path
) -> None:
    with ExitStack() as stack:
        payer = Mortal(chain, work / "mortal", stack)
        await_chain(payer.node)
        open_channel(chain, pair.l1, payer.node)
        payee = pair.l1
        made = invoice_of(payee)
        outcomes: list[Any] = []

        def pay() -> None:
            with Client(payer.node.socket) as client:
                try:
                    outcomes.append(client.pay_once(made.bolt11, within=PATIENCE))
                except (RpcError, PayOnceError) as error:
                    outcomes.append(error)

        thread = Thread(target=pay)
        thread.start()
        until(lambda: payments(payer.node, made.payment_hash) or outcomes, "the payment has begun")
        payer.kill()
        payer.restart(payee)
        thread.join(2 * PATIENCE)
        [outcome] = outcomes
        [received] = payee.client.listinvoices(payment_hash=made.payment_hash).invoices
        if isinstance(outcome, Paid):
            assert_paid_once(payer.node, payee, made.payment_hash, outcome)
        else:  # a part whose HTLC is lost stays pending for ever
            assert (outcome.outcome == Outcome.UNKNOWN) or received.status == "unpaid"
