"""invoice: a BOLT 11 invoice, signed and stored beside those of BOLT 12."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from hashlib import sha256
from typing import Final

from clnrpc import types
from clnrpc.errors import INVOICE_LABEL_ALREADY_EXISTS, INVOICE_PREIMAGE_ALREADY_EXISTS
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from lnoffers import bolt11
from lnoffers.bolt11.fields import MAX_BYTES
from lnoffers.service.commands.invoices import InvoiceCommands, spelling
from lnoffers.service.entropy import EntropyError
from lnoffers.service.payment_paths import FINAL_CLTV_TESTNETS
from lnoffers.service.store import invoices
from lnoffers.service.store.invoices import MAX_NUMBER, NewInvoice, StoredInvoice
from lnstandin.network.base import NetworkCommands
from lnstandin.play.receiver import payment_secret

WEEK: Final = 604_800
"""The default of `expiry`, in seconds."""
MAX_EXPIRY: Final = 2**32 - 1
PREIMAGE_BYTES: Final = 32


class InvoicingCommand(NetworkCommands, InvoiceCommands):
    """invoice."""

    def invoice(self, request: types.InvoiceRequest) -> Awaitable[types.InvoiceResponse]:
        """Make an invoice, and return it once it is stored."""
        _check(request)
        try:
            preimage = (
                self._node.entropy.draw(PREIMAGE_BYTES) if request.preimage is None else bytes.fromhex(request.preimage)
            )
        except EntropyError as error:
            raise RpcError(GENERIC, f"No invoice can be made: {error}") from error
        made = self._signed_bolt11(request, sha256(preimage).digest())
        self._expire_due()
        stored = self._stored(request, made, preimage)
        response = types.InvoiceResponse(
            payment_hash=made.payment_hash.hex(),
            expires_at=stored.expires_at,
            created_index=stored.created_index,
            bolt11=made.encode(),
            payment_secret=made.payment_secret.hex(),
        )
        return self._with_warning(response, stored.amount_msat)

    def rpc_check_invoice(self, request: types.InvoiceRequest) -> None:
        """Check what does not depend on other invoices."""
        _check(request)

    def _signed_bolt11(self, request: types.InvoiceRequest, payment_hash: bytes) -> bolt11.Invoice:
        keys, description = self._node.keys, request.description
        build = partial(
            bolt11.Invoice.build,
            chain=bolt11.CHAINS["bcrt"],
            timestamp=self._node.clock.now(),
            amount_msat=_amount(request) or None,
            payment_hash=payment_hash,
            payment_secret=payment_secret(keys, payment_hash),
            expiry=WEEK if request.expiry is None else request.expiry,
            min_final_cltv_expiry=FINAL_CLTV_TESTNETS if request.cltv is None else request.cltv,
        )
        try:
            if request.deschashonly:
                unsigned = build(description_hash=sha256(description.encode()).digest())
            else:
                unsigned = build(description=description)
        except bolt11.Bolt11Error as error:
            raise RpcError(INVALID_PARAMS, f"No invoice can be made: {error}") from error
        return unsigned.sign(keys.key_pair)

    def _stored(self, request: types.InvoiceRequest, made: bolt11.Invoice, preimage: bytes) -> StoredInvoice:
        label = spelling(request.label)
        with self._transaction() as connection:
            if invoices.by_label(connection, label) is not None:
                raise RpcError(INVOICE_LABEL_ALREADY_EXISTS, f"Duplicate label '{label}'")
            if invoices.by_payment_hash(connection, made.payment_hash) is not None:
                raise RpcError(INVOICE_PREIMAGE_ALREADY_EXISTS, "preimage already used")
            new = NewInvoice(
                label=label,
                bolt12=made.encode(),
                description=request.description,
                payer_note=None,
                payment_hash=made.payment_hash,
                payment_preimage=preimage,
                amount_msat=made.amount_msat or 0,
                expires_at=made.timestamp + made.expiry,
                local_offer_id=None,
            )
            return invoices.add(connection, new)

    async def _with_warning(self, response: types.InvoiceResponse, amount_msat: int) -> types.InvoiceResponse:
        """Add a warning if no channel can receive the amount."""
        channels = await self._play.ledger.channels()
        if not any(each.receivable_msat >= max(amount_msat, 1) for each in channels):
            response.warning_capacity = "Insufficient incoming channel capacity to pay invoice"
        return response


def _amount(request: types.InvoiceRequest) -> int:
    """Return the amount, in millisatoshi; 0 if the payer chooses."""
    return 0 if request.amount_msat == "any" else int(request.amount_msat)


def _check(request: types.InvoiceRequest) -> None:
    """Check the parameters.

    Raises:
        RpcError: if one of them cannot be used.
    """
    if request.amount_msat == 0:
        raise RpcError(INVALID_PARAMS, "amount_msat: should be positive msat or 'any'")
    if _amount(request) > MAX_NUMBER:
        raise RpcError(INVALID_PARAMS, f"amount_msat: should be {MAX_NUMBER}msat at most")
    if request.expiry is not None and request.expiry > MAX_EXPIRY:
        raise RpcError(INVALID_PARAMS, f"expiry: should be {MAX_EXPIRY} seconds at most")
    if request.fallbacks:
        raise RpcError(INVALID_PARAMS, "fallbacks: not available here: this network has no chain")
    size = len(request.description.encode())
    if size > MAX_BYTES and not request.deschashonly:
        why = f"Description greater than {MAX_BYTES} bytes invalid (description length {size})"
        raise RpcError(INVALID_PARAMS, why)
