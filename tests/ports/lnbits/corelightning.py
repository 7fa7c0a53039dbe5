"""The wallet of a Core Lightning node: in place of two, one for the socket and one for REST.

Source of the interface: lnbits/lnbits 7d98c6b08, lnbits/wallets/corelightning.py and clnrest.py. These two have a list
of fatal codes each, and the lists differ. Here a payment has failed if its error says so. An invoice that the node has
paid is paid, whoever asked for it. Fees are positive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from secrets import token_hex

from clnrpc import AsyncClient, ClientError, Outcome, RpcError, TransportError
from clnrpc.errors import InvoiceWaitTimeoutError
from tests.ports.lnbits.base import InvoiceResponse, PaymentResponse, PaymentStatus, StatusResponse, UnsupportedError
from tests.ports.lookup import find_payment

PAID = {"paid": True, "unpaid": None, "expired": False}
PAYMENTS = {"complete": True, "pending": None, "failed": False, "absent": None}


class CoreLightningWallet:
    """Pays and is paid through a node; `patience` is how long a payment may take, in seconds."""

    def __init__(
        self,
        node: str | Path,
        rune: str | Path | None = None,
        ca: str | Path | None = None,
        patience: float = 300,
    ) -> None:
        self.patience = patience
        self.is_running = True
        self.client = AsyncClient(node, rune=rune, ca=ca, timeout=patience, retries=3)

    async def cleanup(self) -> None:
        await self.client.rpc_close()

    async def status(self) -> StatusResponse:
        try:
            funds = await self.client.rpc_with(timeout=15).listfunds()
        except (RpcError, ClientError) as error:
            return StatusResponse(str(error), 0)
        return StatusResponse(None, sum(channel.our_amount_msat for channel in funds.channels))

    async def create_invoice(
        self,
        amount: int,
        memo: str | None = None,
        description_hash: bytes | None = None,
        unhashed_description: bytes | None = None,
        *,
        label: str | None = None,
        expiry: int | None = None,
        preimage: str | None = None,
    ) -> InvoiceResponse:
        if description_hash and not unhashed_description:
            raise UnsupportedError("a node makes no invoice for a hash: pass unhashed_description")
        preimage = preimage or token_hex(32)
        try:
            made = await self.client.invoice(
                1000 * amount,
                label or f"lnbits-{token_hex(16)}",
                unhashed_description.decode() if unhashed_description else memo or "",
                expiry=expiry,
                preimage=preimage,
                deschashonly=True if unhashed_description else None,
            )
        except (RpcError, ClientError) as error:
            return InvoiceResponse(ok=False, error_message=str(error))
        return InvoiceResponse(ok=True, checking_id=made.payment_hash, payment_request=made.bolt11, preimage=preimage)

    async def pay_invoice(self, bolt11: str, fee_limit_msat: int) -> PaymentResponse:
        try:
            paid = await self.client.pay_once(bolt11, maxfee=fee_limit_msat, within=self.patience)
        except (RpcError, ClientError) as error:
            ok = False if error.outcome in {Outcome.FAILED, Outcome.RETRY} else None
            return PaymentResponse(ok, error_message=str(error))
        return PaymentResponse(True, paid.payment_hash, _fee(paid.amount_sent_msat, paid.amount_msat), paid.preimage)

    async def get_invoice_status(self, checking_id: str) -> PaymentStatus:
        try:
            found = (await self.client.listinvoices(payment_hash=checking_id)).invoices
        except (RpcError, ClientError):
            return PaymentStatus()
        return PaymentStatus(PAID[found[0].status] if found else None)

    async def get_payment_status(self, checking_id: str) -> PaymentStatus:
        try:
            state, pay = await find_payment(self.client, checking_id)
        except (RpcError, ClientError):
            return PaymentStatus()
        if pay is None:
            return PaymentStatus(PAYMENTS[state])
        return PaymentStatus(PAYMENTS[state], _fee(pay.amount_sent_msat, pay.amount_msat), pay.preimage)

    async def paid_invoices_stream(self) -> AsyncGenerator[str, None]:
        last: int | None = None
        while self.is_running:
            try:
                if last is None:
                    last = max([paid.pay_index or 0 async for paid in self.client.iter.listinvoices()], default=0)
                paid = await self.client.waitanyinvoice(lastpay_index=last, timeout=2)
            except InvoiceWaitTimeoutError:
                continue
            except TransportError:
                await asyncio.sleep(1)
                continue
            last = paid.pay_index
            yield paid.payment_hash


def _fee(sent_msat: int | None, amount_msat: int | None) -> int | None:
    return None if sent_msat is None or amount_msat is None else sent_msat - amount_msat
