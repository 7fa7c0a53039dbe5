"""Both ports at stand-ins and at real nodes: whatever is lost, refused or restarted, no payment is counted wrongly."""

from __future__ import annotations

import asyncio
import os
import tempfile
import warnings
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from clnrpc import VersionWarning
from clnrpc.types import InvoiceResponse
from lnoffers.rest.certificates import provide
from tests.ports.backends import Access, Mint, Wallet
from tests.ports.sites import Site, site

pytest.importorskip("uvicorn", reason="REST needs the extra rest")

SECONDS = 240
AMOUNT_SAT = 1_234
Port: TypeAlias = Mint | Wallet


@pytest.fixture(scope="module", params=["stand-in socket", "stand-in rest", "lightningd socket", "lightningd rest"])
def place(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Run the nodes for all tests of this file, in each way that they can be reached."""
    with tempfile.TemporaryDirectory(prefix="ports-") as folder, site(request.param, Path(folder)) as made:
        yield made


@pytest.fixture(params=[Mint, Wallet], ids=["nutshell", "lnbits"])
def kind(request: pytest.FixtureRequest, place: Site) -> type[Port]:
    if request.param is Mint and not place.url:
        pytest.skip("nutshell calls REST only")
    found: type[Port] = request.param
    return found


@asynccontextmanager
async def opened(kind: type[Port], place: Site, **changes: Any) -> AsyncIterator[Any]:
    """Yield a port that calls the payer; `changes` are arguments of Access."""
    usual: dict[str, Any] = {"node": place.socket}
    if place.url:
        usual = {"node": place.url, "rune": place.rune(), "ca": place.certificates / "ca.pem"}
    port = kind(Access(**usual | changes))
    try:
        yield port
    finally:
        await port.close()


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    with warnings.catch_warnings(action="ignore", category=VersionWarning):  # nodes of any release will do
        asyncio.run(asyncio.wait_for(coroutine, SECONDS))


def wanted(place: Site) -> InvoiceResponse:
    """Return an invoice of the payee."""
    return place.payee.invoice(1000 * AMOUNT_SAT, os.urandom(8).hex(), "tea")


def received_msat(place: Site, made: InvoiceResponse) -> int | None:
    """Return what the payee got for its invoice, in millisatoshi; None if nothing."""
    [invoice] = place.payee.listinvoices(payment_hash=made.payment_hash).invoices
    return invoice.amount_received_msat if invoice.status == "paid" else None


def attempts(place: Site, made: InvoiceResponse) -> list[str]:
    return [pay.status for pay in place.payer.listpays(payment_hash=made.payment_hash).pays]


def is_preimage(preimage: str | None, made: InvoiceResponse) -> bool:
    return sha256(bytes.fromhex(preimage or "")).hexdigest() == made.payment_hash


def test_an_invoice_is_open_until_it_is_paid_and_then_reported_once(place: Site, kind: type[Port]) -> None:
    async def main() -> None:
        async with opened(kind, place) as port, aclosing(port.paid_invoices()) as stream:
            first = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(1)  # so that it follows from here
            before = await port.balance_sat()
            invoice, payment_hash = await port.invoice(AMOUNT_SAT)
            assert await port.incoming(payment_hash) is None
            await asyncio.to_thread(place.payee.xpay, invoice)
            assert await first == payment_hash
            assert await port.incoming(payment_hash) is True
            while await port.balance_sat() != before + AMOUNT_SAT:  # lightningd settles it in the channel afterwards
                await asyncio.sleep(0.1)
            assert await port.incoming("00" * 32) is None

    run(main())


def test_a_payment_is_paid_once_however_often_it_is_asked_for(place: Site, kind: type[Port]) -> None:
    async def main() -> None:
        made = wanted(place)
        async with opened(kind, place) as port:
            for _ in range(2):
                paid = await port.pay(made.bolt11, AMOUNT_SAT)
                assert (paid.paid, paid.fee_msat) == (True, 0)
                assert is_preimage(paid.preimage, made)
            assert await port.payment(made.payment_hash) == paid
        assert attempts(place, made) == ["complete"]
        assert received_msat(place, made) == 1000 * AMOUNT_SAT

    run(main())


def test_a_mint_learns_what_a_payment_costs_before_it_pays(place: Site) -> None:
    async def main() -> None:
        made = wanted(place)
        async with opened(Mint, place) as port:
            quote = await port.quote(made.bolt11)
        assert (quote.checking_id, quote.amount.amount, quote.fee.amount) == (made.payment_hash, AMOUNT_SAT, 13)

    if not place.url:
        pytest.skip("nutshell calls REST only")
    run(main())


def test_what_the_payee_refuses_has_failed(place: Site, kind: type[Port]) -> None:
    async def main() -> None:
        made = wanted(place)
        [listed] = place.payee.listinvoices(payment_hash=made.payment_hash).invoices
        place.payee.delinvoice(listed.label, "unpaid")
        async with opened(kind, place) as port:
            assert (await port.pay(made.bolt11, AMOUNT_SAT)).paid is False
            assert (await port.pay("lnbcrt1", AMOUNT_SAT)).paid is False
        assert "complete" not in attempts(place, made)

    run(main())


def test_a_lost_answer_is_looked_up(place: Site, kind: type[Port]) -> None:
    async def main() -> None:
        made = wanted(place)
        with place.losing("xpay") as (node, proxy):
            async with opened(kind, place, node=node) as port:
                paid = await port.pay(made.bolt11, AMOUNT_SAT)
        assert proxy.lost == 1
        assert paid.paid is True
        assert is_preimage(paid.preimage, made)
        assert received_msat(place, made) == 1000 * AMOUNT_SAT

    run(main())


def test_a_payment_that_takes_too_long_is_open_until_it_ends(place: Site, kind: type[Port]) -> None:
    async def main() -> None:
        made = wanted(place)
        place.hold()
        try:
            async with opened(kind, place, patience=3) as port:
                assert (await port.pay(made.bolt11, AMOUNT_SAT)).paid is None
                assert (await port.payment(made.payment_hash)).paid is None
        finally:
            place.release()
        async with opened(kind, place) as port:
            while (found := await port.payment(made.payment_hash)).paid is None:
                await asyncio.sleep(0.2)
        assert found.paid is True
        assert is_preimage(found.preimage, made)
        assert received_msat(place, made) == 1000 * AMOUNT_SAT

    run(main())


@pytest.mark.parametrize("permitted", [(), ("decode", "listpays")], ids=["nothing", "reading only"])
def test_with_a_wrong_rune_nothing_is_paid(place: Site, kind: type[Port], permitted: tuple[str, ...]) -> None:
    async def main() -> None:
        made = wanted(place)
        rune = place.rune(*permitted) if permitted else "0" * 48
        async with opened(kind, place, rune=rune) as port:
            assert (await port.pay(made.bolt11, AMOUNT_SAT)).paid is False
            assert isinstance(await port.balance_sat(), str)
            assert (await port.incoming("00" * 32)) is None
        assert attempts(place, made) == []

    if not place.url:
        pytest.skip("a socket needs no rune")
    run(main())


def test_a_node_with_a_wrong_certificate_gets_no_call(place: Site, kind: type[Port], tmp_path: Path) -> None:
    async def main() -> None:
        made = wanted(place)
        provide(tmp_path, "127.0.0.1")
        async with opened(kind, place, ca=tmp_path / "ca.pem") as port:
            assert "certificate" in str(await port.balance_sat())
            assert (await port.pay(made.bolt11, AMOUNT_SAT)).paid is False
            assert (await port.payment(made.payment_hash)).paid is None
        assert attempts(place, made) == []

    if not place.url:
        pytest.skip("a socket has no certificate")
    run(main())


def test_a_node_that_restarts_during_a_payment_is_asked_when_it_is_back(place: Site, kind: type[Port]) -> None:
    async def main() -> None:
        made = wanted(place)
        place.hold()
        try:
            async with opened(kind, place) as port:
                paying = asyncio.ensure_future(port.pay(made.bolt11, AMOUNT_SAT))
                while not await asyncio.to_thread(place.is_held, made.payment_hash):
                    await asyncio.sleep(0.1)
                await asyncio.to_thread(place.restart)
                place.release()
                paid = await paying
                while (found := await port.payment(made.payment_hash)).paid is None:
                    await asyncio.sleep(0.2)
                assert isinstance(await port.balance_sat(), int)
        finally:
            place.release()
        assert paid.paid is not False
        assert found.paid is True
        assert received_msat(place, made) == 1000 * AMOUNT_SAT

    run(main())
