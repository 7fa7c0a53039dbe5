"""Payees without the backend play: nothing is sent to them, and what was sent before they stopped playing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lnoffers.bolt12 import CHAINS, Invoice
from lnoffers.net.address import Address
from lnoffers.service.payments.backend import Failed, FailureCode, Uncertain
from lnoffers.service.peers import Peers, listening
from lnstandin.play import sender
from lnstandin.play.messages import PAY_TYPE
from tests.play.players import Player, playing

REFUSED = Failed("the payee does not play: it would have to run with --backend play", FailureCode.NO_ROUTE)


@dataclass
class Silent:
    """A payee that is connected and does not play; it only keeps what it gets."""

    invoice: Invoice
    received: list[bytes] = field(default_factory=list)


async def refuse_once(folder: Path) -> Invoice:
    """Return an invoice whose payment the payee has refused."""
    async with playing(folder / "payee", "fail=0.999999") as payee, playing(folder / "payer") as payer:
        await payer.peers.connect(payee.address)
        invoice = payee.invoice()
        assert isinstance(await payer.backend.pay(invoice), Failed)
        await payer.written()
        return invoice


async def lose_once(folder: Path) -> Invoice:
    """Return an invoice whose payment may have left, and never arrived."""
    async with playing(folder / "payee") as payee, playing(folder / "payer", "lose=0.999999") as payer:
        await payer.peers.connect(payee.address)
        invoice = payee.invoice()
        assert isinstance(await payer.backend.pay(invoice), Uncertain)
        return invoice


async def never_tried(folder: Path) -> Invoice:
    """Return an invoice that nobody has tried to pay."""
    async with playing(folder / "payee") as payee:
        return payee.invoice()


@asynccontextmanager
async def not_playing(folder: Path, invoice: Invoice) -> AsyncIterator[tuple[Player, Silent]]:
    """Run the payer, connected to the payee of an invoice, which does not play any more."""
    async with playing(folder / "payee") as payee:
        key = payee.node.keys.key_pair
    silent = Silent(invoice)
    peers = Peers(key, CHAINS["regtest"], lambda *_: None)
    peers.handle_custom(PAY_TYPE, lambda _, data: silent.received.append(data))
    async with playing(folder / "payer") as payer, listening(peers, [("127.0.0.1", 0)]):
        [(host, port)] = peers.listening
        try:
            await payer.peers.connect(Address(peers.node_id, host, port))
            yield payer, silent
        finally:
            await peers.close()


async def flush(payer: Player, invoice: Invoice) -> None:
    """Wait until the payee has read all that it was sent."""
    assert invoice.invoice_node_id is not None
    await payer.peers.ping(invoice.invoice_node_id, length=0, pong_length=0)


@pytest.mark.parametrize("before", [never_tried, refuse_once])
def test_payment_fails_before_anything_is_sent(tmp_path: Path, before: Callable[[Path], Awaitable[Invoice]]) -> None:
    async def run() -> None:
        invoice = await before(tmp_path)
        async with not_playing(tmp_path, invoice) as (payer, silent):
            rows = payer.rows("sent", "failed")
            assert await payer.backend.pay(invoice) == REFUSED
            await flush(payer, invoice)
            assert silent.received == []
            assert (payer.rows("sent", "pending"), payer.rows("sent", "failed")) == ([], rows)

    asyncio.run(run())


def test_payment_that_may_have_left_stays_uncertain_and_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.1)

    async def run() -> None:
        invoice = await lose_once(tmp_path)
        async with not_playing(tmp_path, invoice) as (payer, silent):
            assert isinstance(await payer.backend.find(invoice), Uncertain)
            assert isinstance(await payer.backend.pay(invoice), Uncertain)
            while not silent.received:
                await asyncio.sleep(0.01)
            assert [row["attempt"] for row in payer.rows("sent", "pending")] == [1]

    asyncio.run(run())
