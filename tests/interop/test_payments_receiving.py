"""The backend `cln` is paid through a real node, for invoices of another key."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import Invoice
from lnoffers.service.payments.backend import BackendError, Destination, Incoming, Paid
from tests.interop.chain.folder import Chain
from tests.interop.channels import CHANNEL_SAT, connect, fund, open_channel
from tests.interop.conftest import Pair
from tests.interop.nodes import SECONDS, Node, running, until
from tests.interop.paying import EXPIRY, Desk, await_chain, backend, end_at, incoming, invoice_for

AMOUNT = 1_000_000


def xpay(node: Node, invoice: Invoice, **given: Any) -> dict[str, Any]:
    paid: dict[str, Any] = node.client.rpc_call("xpay", {"invstring": invoice.encode(), "retry_for": 5, **given})
    return paid


async def awaited(condition: Callable[[], object]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


def label(desk: Desk, payment: Incoming) -> str:
    return f"lnoffers/{desk.node.keys.node_id.hex()[:20]}/{payment.payment_hash.hex()}"


def test_a_real_payer_pays_and_it_is_noticed(pair: Pair, tmp_path: Path) -> None:
    wanted = incoming(AMOUNT)

    async def run() -> dict[str, Any]:
        async with backend(pair.l1.socket, tmp_path) as (used, desk):
            invoice = invoice_for(wanted.payment_hash, AMOUNT, await used.receive(wanted))
            paid = await asyncio.to_thread(xpay, pair.l2, invoice)
            await awaited(lambda: desk.arrived)
            assert desk.arrived == [(wanted.payment_hash, AMOUNT)]
            return paid

    assert asyncio.run(run())["payment_preimage"] == wanted.preimage.hex()


def test_a_node_can_pay_itself_between_two_services(pair: Pair, tmp_path: Path) -> None:
    wanted = incoming(AMOUNT)

    async def run() -> None:
        async with (
            backend(pair.l1.socket, tmp_path / "a") as (used, desk),
            backend(pair.l1.socket, tmp_path / "b") as (payer, _),
        ):
            invoice = invoice_for(wanted.payment_hash, AMOUNT, await used.receive(wanted))
            assert await payer.pay(invoice) == Paid(wanted.preimage, AMOUNT)
            await awaited(lambda: desk.arrived)

    asyncio.run(run())


def test_a_payment_while_nobody_watched_is_noticed_at_the_start(pair: Pair, tmp_path: Path) -> None:
    wanted = incoming(AMOUNT)

    async def prepare() -> Invoice:
        async with backend(pair.l1.socket, tmp_path) as (used, _):
            return invoice_for(wanted.payment_hash, AMOUNT, await used.receive(wanted))

    async def watch() -> None:
        async with backend(pair.l1.socket, tmp_path) as (_, desk):
            await awaited(lambda: (wanted.payment_hash, AMOUNT) in desk.arrived)

    xpay(pair.l2, asyncio.run(prepare()))
    asyncio.run(watch())


def test_several_parts_are_collected(chain: Chain, l1: Node, work: Path, tmp_path: Path) -> None:
    amount = CHANNEL_SAT * 1_200  # more than one channel has
    wanted = incoming(amount)

    async def run(node: Node) -> int:
        async with backend(node.socket, tmp_path) as (used, desk):
            invoice = invoice_for(wanted.payment_hash, amount, await used.receive(wanted))
            paid = await asyncio.to_thread(xpay, l1, invoice)
            await awaited(lambda: desk.arrived)
            assert desk.arrived == [(wanted.payment_hash, amount)]
            parts: int = paid["successful_parts"]
            return parts

    with running(chain, work / "wide") as node:
        fund(chain, l1)
        for _ in range(2):
            open_channel(chain, l1, node, push_msat=0)
        assert asyncio.run(run(node)) > 1


def refused(pair: Pair, directory: Path, change: Callable[[Destination], Any], asked: int = AMOUNT) -> str:
    """Return the status at the node after a payer got an invoice with a changed end, or another amount."""
    wanted = incoming(AMOUNT)

    async def run() -> str:
        async with backend(pair.l1.socket, directory) as (used, desk):
            invoice = invoice_for(wanted.payment_hash, asked, change(await used.receive(wanted)))
            with pytest.raises(RpcError):
                await asyncio.to_thread(xpay, pair.l2, invoice)
            assert desk.arrived == []
            [found] = pair.l1.client.listinvoices(label=label(desk, wanted)).invoices
            return found.status

    return asyncio.run(run())


@pytest.mark.parametrize("asked", [AMOUNT - 1, 2 * AMOUNT + 1])
def test_another_amount_is_refused(asked: int, pair: Pair, tmp_path: Path) -> None:
    assert refused(pair, tmp_path, lambda end: end, asked) == "unpaid"


def test_another_path_id_is_refused(pair: Pair, tmp_path: Path) -> None:
    assert refused(pair, tmp_path, lambda _: end_at(pair.l1.id, os.urandom(32))) == "unpaid"


def test_a_path_without_path_id_is_refused(pair: Pair, tmp_path: Path) -> None:
    assert refused(pair, tmp_path, lambda _: end_at(pair.l1.id, b"")) == "unpaid"


def test_the_path_key_is_new_each_time(pair: Pair, tmp_path: Path) -> None:
    wanted = incoming(AMOUNT)

    async def run() -> list[Destination]:
        async with backend(pair.l1.socket, tmp_path) as (used, _):
            return [await used.receive(wanted), await used.receive(wanted)]

    first, second = asyncio.run(run())
    assert first.paths[0].first_path_key != second.paths[0].first_path_key
    assert first.payinfos == second.payinfos
    assert first.payinfos[0].cltv_expiry_delta == 18


def test_what_is_forgotten_is_deleted(pair: Pair, tmp_path: Path) -> None:
    wanted = incoming(AMOUNT)

    async def run() -> str:
        async with backend(pair.l1.socket, tmp_path) as (used, desk):
            await used.receive(wanted)
            await used.forget(wanted.payment_hash)
            await used.forget(wanted.payment_hash)
            return label(desk, wanted)

    assert not pair.l1.client.listinvoices(label=asyncio.run(run())).invoices


def test_what_is_paid_is_not_deleted(pair: Pair, tmp_path: Path) -> None:
    wanted = incoming(AMOUNT)

    async def run() -> str:
        async with backend(pair.l1.socket, tmp_path) as (used, desk):
            await asyncio.to_thread(xpay, pair.l2, invoice_for(wanted.payment_hash, AMOUNT, await used.receive(wanted)))
            await used.forget(wanted.payment_hash)
            return label(desk, wanted)

    [found] = pair.l1.client.listinvoices(label=asyncio.run(run())).invoices
    assert found.status == "paid"


def test_expired_invoices_make_room_for_others(pair: Pair, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(pair.l1.socket, tmp_path, max_invoices=2) as (used, desk):
            short = [incoming(AMOUNT, expiry=1) for _ in range(2)]
            for each in short:
                await used.receive(each)
            found = pair.l1.client.listinvoices
            await awaited(lambda: all(found(label=label(desk, each)).invoices[0].status == "expired" for each in short))
            await used.receive(incoming(AMOUNT))
            assert not any(found(label=label(desk, each)).invoices for each in short)

    asyncio.run(run())


def test_the_oldest_invoice_makes_room_and_cannot_be_paid_any_more(pair: Pair, tmp_path: Path) -> None:
    wanted = [incoming(AMOUNT, EXPIRY + 60 * number) for number in range(3)]

    async def run() -> None:
        async with backend(pair.l1.socket, tmp_path, max_invoices=2) as (used, desk):
            made = [invoice_for(each.payment_hash, AMOUNT, await used.receive(each)) for each in wanted]
            found = pair.l1.client.listinvoices
            assert [len(found(label=label(desk, each)).invoices) for each in wanted] == [0, 1, 1]
            with pytest.raises(RpcError):
                await asyncio.to_thread(xpay, pair.l2, made[0])
            await asyncio.to_thread(xpay, pair.l2, made[2])
            await awaited(lambda: desk.arrived == [(wanted[2].payment_hash, AMOUNT)])

    asyncio.run(run())


def test_expired_invoices_are_deleted_at_the_start(pair: Pair, tmp_path: Path) -> None:
    async def prepare() -> str:
        async with backend(pair.l1.socket, tmp_path) as (used, desk):
            wanted = incoming(AMOUNT, expiry=1)
            await used.receive(wanted)
            return label(desk, wanted)

    async def start(left: str) -> None:
        found = pair.l1.client.listinvoices
        await awaited(lambda: found(label=left).invoices[0].status == "expired")
        async with backend(pair.l1.socket, tmp_path):
            await awaited(lambda: not found(label=left).invoices)

    asyncio.run(start(asyncio.run(prepare())))


def test_invoices_of_others_are_left_alone(pair: Pair, tmp_path: Path) -> None:
    other = pair.l1.client.invoice(AMOUNT, "of somebody else", "x", expiry=1)
    found = pair.l1.client.listinvoices

    async def run() -> None:
        await awaited(lambda: found(payment_hash=other.payment_hash).invoices[0].status == "expired")
        async with backend(pair.l1.socket, tmp_path, max_invoices=1) as (used, _):
            for _ in range(2):
                await used.receive(incoming(AMOUNT))

    asyncio.run(run())
    assert found(payment_hash=other.payment_hash).invoices


def test_a_description_of_any_length_and_script_is_taken(pair: Pair, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(pair.l1.socket, tmp_path) as (used, _):
            for text in ("", "☕" * 500, 'quo"te\\\n\x01', "é" * 400):
                await used.receive(replace(incoming(AMOUNT), description=text))

    asyncio.run(run())


def test_a_node_without_channels_cannot_be_paid(chain: Chain, work: Path, tmp_path: Path) -> None:
    async def run(node: Node) -> None:
        async with backend(node.socket, tmp_path) as (used, _):
            with pytest.raises(BackendError, match="no public channel, and no connected peer"):
                await used.receive(incoming(AMOUNT))

    with running(chain, work / "lonely") as node:
        await_chain(node)
        asyncio.run(run(node))


def has_terms(node: Node, scid: str) -> bool:
    """Return whether the peer has told its terms for a channel."""
    [channel] = node.client.listpeerchannels(short_channel_id=scid).channels
    return channel.updates is not None and channel.updates.remote is not None


def test_a_node_that_is_not_announced_is_paid_through_its_peer(
    chain: Chain, pair: Pair, work: Path, tmp_path: Path
) -> None:
    wanted = incoming(AMOUNT)

    async def run(node: Node) -> int:
        async with backend(node.socket, tmp_path) as (used, desk):
            with pytest.raises(BackendError, match="room for 10000000000 msat"):
                await used.receive(incoming(10**10))
            end = await used.receive(wanted)
            assert end.paths[0].first_node_id.hex() == pair.l1.id
            assert end.payinfos[0].fee_base_msat > 0
            invoice = invoice_for(wanted.payment_hash, AMOUNT, end)
            paid = await asyncio.to_thread(xpay, pair.l2, invoice)
            await awaited(lambda: desk.arrived)
            assert desk.arrived == [(wanted.payment_hash, AMOUNT)]
            sent: int = paid["amount_sent_msat"]
            return sent

    with running(chain, work / "hidden") as node:
        fund(chain, pair.l1)
        scid = open_channel(chain, pair.l1, node, announce=False)
        until(lambda: node.client.listnodes(id=pair.l1.id).nodes, "the node has heard of its peer")
        until(lambda: has_terms(node, scid), "the peer has told its terms")
        assert asyncio.run(run(node)) > AMOUNT, "the peer takes its fee"


def test_the_node_may_be_restarted_meanwhile(chain: Chain, l1: Node, work: Path, tmp_path: Path) -> None:
    wanted = [incoming(AMOUNT), incoming(AMOUNT)]

    async def run() -> None:
        with running(chain, work / "paid") as first:
            fund(chain, l1)
            open_channel(chain, l1, first)
            async with backend(first.socket, tmp_path) as (used, desk):
                invoices = [invoice_for(each.payment_hash, AMOUNT, await used.receive(each)) for each in wanted]
                first.process.kill()
                first.process.wait()
                with running(chain, work / "paid") as second:
                    await_chain(second)  # it answers calls before it listens
                    connect(l1, second)
                    for number, invoice in enumerate(invoices, 1):
                        await awaited_payment(l1, invoice)
                        await awaited(lambda: len(desk.arrived) == number)  # noqa: B023 # it is called right here

    async def awaited_payment(payer: Node, invoice: Invoice) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                await asyncio.to_thread(xpay, payer, invoice)
            except RpcError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.5)
            else:
                return

    asyncio.run(run())
