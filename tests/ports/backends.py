"""Both ports behind one interface, for tests that apply to both."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.ports.lnbits.corelightning import CoreLightningWallet
from tests.ports.nutshell.base import Amount, MeltQuote, PaymentResult, PostMeltQuoteRequest, Unit
from tests.ports.nutshell.clnrest import CLNRestWallet

MAX_FEE_MSAT = 5_000


class Verdict(NamedTuple):
    """What a port says of a payment or an invoice."""

    paid: bool | None
    """None if it is pending or unknown, so that nothing may be given back."""
    preimage: str | None = None
    fee_msat: int | None = None


@dataclass(frozen=True)
class Access:
    """How a port reaches the node; `patience` is how long a payment may take, in seconds."""

    node: str | Path
    rune: str | None = None
    ca: Path | None = None
    patience: float = 300


class Mint:
    """nutshell's backend."""

    def __init__(self, access: Access) -> None:
        assert access.rune is not None
        self._wallet = CLNRestWallet(Unit.sat, str(access.node), access.rune, access.ca, access.patience)
        self.close = self._wallet.cleanup

    async def balance_sat(self) -> int | str:
        status = await self._wallet.status()
        return status.error_message or status.balance.amount

    async def invoice(self, amount_sat: int) -> tuple[str, str]:
        """Return an invoice and its payment hash."""
        made = await self._wallet.create_invoice(Amount(Unit.sat, amount_sat), "tea")
        assert made.payment_request is not None
        assert made.checking_id is not None
        return made.payment_request, made.checking_id

    async def pay(self, invoice: str, amount_sat: int) -> Verdict:
        paid = await self._wallet.pay_invoice(MeltQuote(invoice, "sat", amount_sat), MAX_FEE_MSAT)
        return _verdict(paid)

    async def payment(self, payment_hash: str) -> Verdict:
        return _verdict(await self._wallet.get_payment_status(payment_hash))

    async def incoming(self, payment_hash: str) -> bool | None:
        return _verdict(await self._wallet.get_invoice_status(payment_hash)).paid

    def paid_invoices(self) -> AsyncGenerator[str, None]:
        return self._wallet.paid_invoices_stream()

    async def quote(self, invoice: str) -> Any:
        return await self._wallet.get_payment_quote(PostMeltQuoteRequest(invoice, "sat"))


def _verdict(found: Any) -> Verdict:
    paid = {PaymentResult.SETTLED: True, PaymentResult.FAILED: False}.get(found.result)
    return Verdict(paid, getattr(found, "preimage", None), found.fee.to(Unit.msat).amount if found.fee else None)


class Wallet:
    """lnbits' wallet."""

    def __init__(self, access: Access) -> None:
        self._wallet = CoreLightningWallet(access.node, access.rune, access.ca, access.patience)
        self.close = self._wallet.cleanup

    async def balance_sat(self) -> int | str:
        status = await self._wallet.status()
        return status.error_message or status.balance_msat // 1000

    async def invoice(self, amount_sat: int) -> tuple[str, str]:
        """Return an invoice and its payment hash."""
        made = await self._wallet.create_invoice(amount_sat, "tea")
        assert made.payment_request is not None
        assert made.checking_id is not None
        return made.payment_request, made.checking_id

    async def pay(self, invoice: str, _: int) -> Verdict:
        paid = await self._wallet.pay_invoice(invoice, MAX_FEE_MSAT)
        return Verdict(paid.ok, paid.preimage, paid.fee_msat)

    async def payment(self, payment_hash: str) -> Verdict:
        found = await self._wallet.get_payment_status(payment_hash)
        return Verdict(found.paid, found.preimage, found.fee_msat)

    async def incoming(self, payment_hash: str) -> bool | None:
        return (await self._wallet.get_invoice_status(payment_hash)).paid

    def paid_invoices(self) -> AsyncGenerator[str, None]:
        return self._wallet.paid_invoices_stream()
