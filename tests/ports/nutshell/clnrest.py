"""The backend that calls Core Lightning over REST.

Source of the interface: cashubtc/nutshell 3282be2f, cashu/lightning/clnrest.py. It differs where that one can lose
money: an error of `xpay` is FAILED only if the payment can never succeed, and the server's certificate is verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from secrets import token_hex
from typing import Literal

from clnrpc import AsyncClient, ClientError, Outcome, RpcError, TransportError
from clnrpc.types import DecodeBolt11InvoiceResponse
from tests.ports.lookup import find_payment
from tests.ports.nutshell.base import (
    Amount,
    InvoiceResponse,
    MeltQuote,
    PaymentQuoteResponse,
    PaymentResponse,
    PaymentResult,
    PaymentStatus,
    PostMeltQuoteRequest,
    StatusResponse,
    Unit,
    Unsupported,
)

RESULTS = {
    Outcome.FAILED: PaymentResult.FAILED,
    Outcome.RETRY: PaymentResult.FAILED,
    Outcome.DONE: PaymentResult.UNKNOWN,
    Outcome.UNKNOWN: PaymentResult.UNKNOWN,
}
PAYMENTS = {
    "complete": PaymentResult.SETTLED,
    "pending": PaymentResult.PENDING,
    "failed": PaymentResult.FAILED,
    "absent": PaymentResult.UNKNOWN,
}
INVOICES = {"paid": PaymentResult.SETTLED, "unpaid": PaymentResult.PENDING, "expired": PaymentResult.FAILED}


class CLNRestWallet:
    """Pays and is paid through a node; `patience` is how long a payment may take, in seconds."""

    supported_units = frozenset(Unit)
    supports_mpp = True
    supports_incoming_payment_stream = True
    supports_description = True

    def __init__(
        self, unit: Unit, url: str, rune: str | Path, ca: str | Path | None = None, patience: float = 300
    ) -> None:
        self.unit = unit
        self.patience = patience
        self.client = AsyncClient(url, rune=rune, ca=ca, timeout=patience, retries=3)

    async def cleanup(self) -> None:
        await self.client.rpc_close()

    async def status(self) -> StatusResponse:
        try:
            funds = await self.client.rpc_with(timeout=5).listfunds()
        except (RpcError, ClientError) as error:
            return StatusResponse(Amount(self.unit, 0), str(error))
        return StatusResponse(self._own(sum(channel.our_amount_msat for channel in funds.channels)))

    async def create_invoice(
        self,
        amount: Amount,
        memo: str | None = None,
        description_hash: bytes | None = None,
        unhashed_description: bytes | None = None,
        *,
        expiry: int | None = None,
        preimage: str | None = None,
    ) -> InvoiceResponse:
        if description_hash and not unhashed_description:
            raise Unsupported("a node makes no invoice for a hash: pass unhashed_description")
        try:
            made = await self.client.invoice(
                amount.to(Unit.msat).amount,
                f"nutshell-{token_hex(16)}",
                unhashed_description.decode() if unhashed_description else memo or "",
                expiry=expiry,
                preimage=preimage,
                deschashonly=True if unhashed_description else None,
            )
        except (RpcError, ClientError) as error:
            return InvoiceResponse(ok=False, error_message=str(error))
        return InvoiceResponse(ok=True, checking_id=made.payment_hash, payment_request=made.bolt11)

    async def pay_invoice(self, quote: MeltQuote, fee_limit_msat: int) -> PaymentResponse:
        try:
            payment_hash, full_msat = await self._read(quote.request)
        except (RpcError, ClientError, Unsupported) as error:  # nothing was sent
            return PaymentResponse(PaymentResult.FAILED, error_message=str(error))
        amount_msat = Amount(Unit[quote.unit], quote.amount).to(Unit.msat).amount
        try:
            if amount_msat == full_msat:
                paid = await self.client.pay_once(quote.request, maxfee=fee_limit_msat, within=self.patience)
                preimage, sent_msat = paid.preimage, paid.amount_sent_msat
            else:  # other mints pay the rest
                part = await self.client.xpay(quote.request, maxfee=fee_limit_msat, partial_msat=amount_msat)
                preimage, sent_msat = part.payment_preimage, part.amount_sent_msat
        except (RpcError, ClientError) as error:
            return PaymentResponse(RESULTS[error.outcome], payment_hash, error_message=str(error))
        return PaymentResponse(PaymentResult.SETTLED, payment_hash, _fee(sent_msat, amount_msat), preimage)

    async def get_invoice_status(self, checking_id: str) -> PaymentStatus:
        try:
            found = (await self.client.listinvoices(payment_hash=checking_id)).invoices
        except (RpcError, ClientError) as error:
            return PaymentStatus(PaymentResult.UNKNOWN, error_message=str(error))
        if not found:
            return PaymentStatus(PaymentResult.UNKNOWN, error_message="the node has no such invoice")
        return PaymentStatus(INVOICES[found[0].status])

    async def get_payment_status(self, checking_id: str) -> PaymentStatus:
        try:
            state, pay = await find_payment(self.client, checking_id)
        except (RpcError, ClientError) as error:
            return PaymentStatus(PaymentResult.UNKNOWN, error_message=str(error))
        if pay is None:
            return PaymentStatus(PAYMENTS[state])
        return PaymentStatus(PAYMENTS[state], _fee(pay.amount_sent_msat, pay.amount_msat), pay.preimage)

    async def paid_invoices_stream(self) -> AsyncGenerator[str, None]:
        last: int | None = None
        while True:
            try:
                if last is None:
                    last = max([paid.pay_index or 0 async for paid in self.client.iter.listinvoices()], default=0)
                paid = await self.client.rpc_with(timeout=None).waitanyinvoice(lastpay_index=last)
            except TransportError:
                await asyncio.sleep(1)
                continue
            last = paid.pay_index
            yield paid.payment_hash

    async def get_payment_quote(self, melt_quote: PostMeltQuoteRequest) -> PaymentQuoteResponse:
        payment_hash, full_msat = await self._read(melt_quote.request)
        amount_msat = melt_quote.mpp_amount or full_msat
        return PaymentQuoteResponse(
            payment_hash, self._own(max(2000, amount_msat // 100), "up"), self._own(amount_msat, "up")
        )

    async def _read(self, request: str) -> tuple[str, int]:
        """Return the payment hash and the amount, in millisatoshi, of an invoice that has one."""
        match await self.client.decode(string=request):
            case DecodeBolt11InvoiceResponse(payment_hash=payment_hash, amount_msat=int(amount_msat)):
                return payment_hash, amount_msat
        raise Unsupported("only BOLT 11 invoices with an amount can be paid")

    def _own(self, amount_msat: int, rounding: Literal["up", "down"] = "down") -> Amount:
        return Amount(Unit.msat, amount_msat).to(self.unit, rounding)


def _fee(sent_msat: int | None, amount_msat: int | None) -> Amount | None:
    return None if sent_msat is None or amount_msat is None else Amount(Unit.msat, sent_msat - amount_msat)
