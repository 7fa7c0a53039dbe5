"""createinvoice, listinvoices and delinvoice. The invoices are built elsewhere, and signed and stored here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Never

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from clnrpc.runtime.values.encode import encode
from clnrpc.runtime.values.written import Written
from lnoffers import bolt11
from lnoffers.bolt12 import CHAINS, Bolt12Error, Invoice, UnsignedInvoice, decode_leniently, without_scheme
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.codes import (
    INVOICE_LABEL_ALREADY_EXISTS,
    INVOICE_NO_DESCRIPTION,
    INVOICE_NOT_FOUND,
    INVOICE_OFFER_INACTIVE,
    INVOICE_PREIMAGE_ALREADY_EXISTS,
    INVOICE_STATUS_UNEXPECTED,
)
from lnoffers.service.commands.pages import in_pages
from lnoffers.service.entropy import EntropyError
from lnoffers.service.payment_paths import path_to_self
from lnoffers.service.payments.backend import BackendError, Incoming
from lnoffers.service.status import Status
from lnoffers.service.store import invoices, offers
from lnoffers.service.store.invoices import MAX_NUMBER, InvoiceIndex, NewInvoice, Part, StoredInvoice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from clnrpc.runtime.server.stubs import Reply
    from lnoffers.service.payments.backend import Backend
    from lnoffers.service.store import Connection


class InvoiceCommands(Commands):
    """createinvoice, listinvoices, delinvoice."""

    def createinvoice(
        self, request: types.CreateinvoiceRequest
    ) -> types.CreateinvoiceResponse | Awaitable[types.CreateinvoiceResponse]:
        """Sign an invoice of this node that was built elsewhere, and store it."""
        invoice = self._unsigned(canonical(request.invstring))
        self._expire_due()
        backend = self._collecting
        if backend is None or invoice.invoice_paths is not None:
            return self._created(request, invoice)
        with self._transaction(writes=False) as connection:
            new = self._new_invoice(connection, request, invoice)
        return self._created_at_backend(backend, request, invoice, new)

    def _created(self, request: types.CreateinvoiceRequest, invoice: UnsignedInvoice) -> types.CreateinvoiceResponse:
        with self._transaction() as connection:
            new = self._new_invoice(connection, request, invoice)
            signed = self._signed_invoice(invoice, new.payment_hash).encode()
            return types.CreateinvoiceResponse(**shown(invoices.add(connection, replace(new, bolt12=signed))))

    async def _created_at_backend(
        self, backend: Backend, request: types.CreateinvoiceRequest, invoice: UnsignedInvoice, new: NewInvoice
    ) -> types.CreateinvoiceResponse:
        """Sign and store an invoice without paths, after the backend has said where it is paid to."""
        payment_hash, description = new.payment_hash, new.description or ""
        incoming = Incoming(payment_hash, new.payment_preimage, new.amount_msat, invoice.relative_expiry, description)
        try:
            end = await backend.receive(incoming)
        except BackendError as error:
            raise RpcError(GENERIC, f"The payment backend cannot receive: {error}") from error
        try:
            placed = invoice.with_paths(end.paths, end.payinfos)
            return await self._node.changes.run(partial(self._created, request, placed))
        except BaseException:
            if await self._node.changes.run(partial(self._is_unknown, payment_hash)):
                await backend.forget(payment_hash)
            raise

    def _is_unknown(self, payment_hash: bytes) -> bool:
        """Return whether no invoice has a payment hash. Another call may have made one for it meanwhile."""
        with self._transaction(writes=False) as connection:
            return invoices.by_payment_hash(connection, payment_hash) is None

    def _new_invoice(
        self, connection: Connection, request: types.CreateinvoiceRequest, invoice: UnsignedInvoice
    ) -> NewInvoice:
        """Return what is to be stored of an invoice, still without its string, if its label and preimage are new."""
        preimage, label = bytes.fromhex(request.preimage), spelling(request.label)
        offer_id = _local_offer(connection, invoice)
        amount, payment_hash = self._checked(invoice, preimage)
        if (clash := invoices.by_label(connection, label)) is not None:
            raise RpcError(INVOICE_LABEL_ALREADY_EXISTS, "Duplicate label", shown(clash))
        if (clash := invoices.by_payment_hash(connection, payment_hash)) is not None:
            raise RpcError(INVOICE_PREIMAGE_ALREADY_EXISTS, "Duplicate preimage", shown(clash))
        return NewInvoice(
            label=label,
            bolt12="",
            description=invoice.offer_description,
            payer_note=invoice.invreq_payer_note,
            payment_hash=payment_hash,
            payment_preimage=preimage,
            amount_msat=amount,
            expires_at=self._node.clock.now() + invoice.relative_expiry,
            local_offer_id=offer_id,
        )

    @property
    def _collecting(self) -> Backend | None:
        """The payment backend, if it prepares each payment to this node."""
        backend = None if self._served is None else self._served.payer.backend
        return backend if backend is not None and backend.collects else None

    def listinvoices(self, request: types.ListinvoicesRequest) -> Reply[types.ListinvoicesResponse]:
        """Return the stored invoices, or those that one parameter selects."""
        _check_listing(request)
        payment_hash = None if request.payment_hash is None else bytes.fromhex(request.payment_hash)
        if request.invstring is not None:
            payment_hash = _payment_hash(canonical(request.invstring))
        self._expire_due()
        if request.label is not None:
            return self._one(partial(invoices.by_label, label=spelling(request.label)))
        if payment_hash is not None:
            return self._one(partial(invoices.by_payment_hash, payment_hash=payment_hash))
        return self._many(request)

    def _one(self, look: Callable[[Connection], StoredInvoice | None]) -> types.ListinvoicesResponse:
        with self._transaction(writes=False) as connection:
            found = look(connection)
        return _listed([] if found is None else [found])

    def _many(self, request: types.ListinvoicesRequest) -> Reply[types.ListinvoicesResponse]:
        """Return those of an offer, or all. As in Core Lightning, `limit` counts the invoices of other offers too."""
        if request.limit == 0:
            return _listed([])
        order, start, end = InvoiceIndex(request.index or InvoiceIndex.CREATED), request.start or 0, None
        if request.limit is not None:
            with self._transaction(writes=False) as connection:
                end = invoices.nth_place(connection, order, start, request.limit)
        offer_id = None if request.offer_id is None else bytes.fromhex(request.offer_id)
        part = Part(order=order, start=start, end=end, offer_id=offer_id)

        def read(last: StoredInvoice | None, limit: int) -> Sequence[StoredInvoice]:
            with self._transaction(writes=False) as connection:
                return invoices.find(connection, part, after=last, limit=limit)

        return in_pages(read, _listed)

    def delinvoice(
        self, request: types.DelinvoiceRequest
    ) -> types.DelinvoiceResponse | Awaitable[types.DelinvoiceResponse]:
        """Delete an invoice whose state is the one that the caller names, or only its description."""
        self._expire_due()
        with self._transaction() as connection:
            stored = _deletable(connection, request)
            if not request.desconly:
                invoices.remove(connection, stored)
                self._node.changes.tell()
                return self._forgotten(stored)
            invoices.remove_description(connection, stored)
            return types.DelinvoiceResponse(**shown(stored) | {"description": None})

    def _forgotten(self, stored: StoredInvoice) -> types.DelinvoiceResponse | Awaitable[types.DelinvoiceResponse]:
        """Return the response about a deleted invoice, once the payment backend does not wait for it any more."""
        response = types.DelinvoiceResponse(**shown(stored))
        backend = self._collecting
        if backend is None:
            return response

        async def forget() -> types.DelinvoiceResponse:
            await backend.forget(stored.payment_hash)
            return response

        return forget()

    def rpc_check_createinvoice(self, request: types.CreateinvoiceRequest) -> None:
        """Check that the invoice can be signed, but not that its label and preimage are new."""
        invoice = self._unsigned(canonical(request.invstring))
        with self._transaction(writes=False) as connection:
            _local_offer(connection, invoice)
        self._checked(invoice, bytes.fromhex(request.preimage))

    def rpc_check_listinvoices(self, request: types.ListinvoicesRequest) -> None:
        """Check that the parameters go together."""
        _check_listing(request)
        if request.invstring is not None:
            _payment_hash(canonical(request.invstring))

    def rpc_check_delinvoice(self, request: types.DelinvoiceRequest) -> None:
        """Check that the invoice to delete exists."""
        self._expire_due()
        with self._transaction(writes=False) as connection:
            _deletable(connection, request)

    def _expire_due(self) -> None:
        """Mark due invoices as expired, in a transaction of their own, so that a later error does not undo it.

        An invoice that was once reported as expired stays expired even if the clock is set back.
        """
        now = self._node.clock.now()
        with self._transaction(writes=False) as connection:
            if not invoices.any_due(connection, now):
                return
        with self._transaction() as connection:
            invoices.expire(connection, now)
        self._node.changes.tell()

    def _unsigned(self, string: str) -> UnsignedInvoice:
        """Parse an invoice without its signature."""
        try:
            invoice = UnsignedInvoice.parse(string, chain=CHAINS[self._node.options.network])
        except Bolt12Error as error:
            why = "only BOLT 12 invoices are made here" if bolt11.has_prefix(string) else str(error)
            raise RpcError(INVALID_PARAMS, f"Unparsable invoice '{string}': {why}") from error
        if invoice.signature is not None:
            raise RpcError(INVALID_PARAMS, "invoice already signed")
        return invoice

    def _checked(self, invoice: UnsignedInvoice, preimage: bytes) -> tuple[int, bytes]:
        """Return the amount and the payment hash of an invoice that this node can sign and be paid for."""
        amount, payment_hash = invoice.invoice_amount, invoice.invoice_payment_hash
        if amount is None:
            _refuse("Missing invoice_amount in invoice")
        if payment_hash is None:
            _refuse("Missing payment_hash in invoice")
        if payment_hash != sha256(preimage).digest():
            _refuse("Incorrect preimage")
        if invoice.invoice_node_id is None:
            _refuse("Missing invoice_node_id in invoice")
        if invoice.invoice_node_id != self._node.keys.node_id:
            _refuse("Incorrect invoice_node_id")
        if amount > MAX_NUMBER:
            _refuse("Excessive invoice_amount in invoice")
        return amount, payment_hash

    def _signed_invoice(self, invoice: UnsignedInvoice, payment_hash: bytes) -> Invoice:
        node = self._node
        if invoice.invoice_paths is None:
            try:
                path, payinfo = path_to_self(node, payment_hash)
            except (EntropyError, ValueError) as error:
                raise RpcError(GENERIC, f"No blinded path could be made: {error}") from error
            invoice = invoice.with_paths([path], [payinfo])
        return invoice.sign(node.keys.node_signer)


def canonical(invstring: str) -> str:
    """Return the string of an invoice as lightningd compares it and shows it in errors."""
    lowered = without_scheme(invstring).encode("utf-8", "surrogatepass").lower()  # ASCII alone
    return lowered.decode("utf-8", "surrogatepass")


def spelling(label: str | int) -> str:
    """Return the label as it is written in JSON, by which labels are compared: as received, else as sent."""
    if isinstance(label, Written):
        return label.spelling
    return encode(str(label))[1:-1].decode()


def shown(stored: StoredInvoice) -> dict[str, Any]:
    """Return the members that all responses about an invoice share, and errors too."""
    is_bolt12 = stored.bolt12.startswith("lni1")
    told = {
        "label": Written.read(stored.label),
        "bolt12" if is_bolt12 else "bolt11": stored.bolt12,
        "payment_hash": stored.payment_hash.hex(),
        "amount_msat": stored.amount_msat if is_bolt12 else stored.amount_msat or None,
        "status": stored.status.value,
    }
    if stored.pay_index is not None:
        told |= {
            "pay_index": stored.pay_index,
            "amount_received_msat": stored.amount_received_msat,
            "paid_at": stored.paid_at,
            "payment_preimage": stored.payment_preimage.hex(),
        }
    if stored.description is not None:
        told["description"] = stored.description
    told["expires_at"] = stored.expires_at
    if stored.local_offer_id is not None:
        told["local_offer_id"] = stored.local_offer_id.hex()
        if stored.payer_note is not None:
            told["invreq_payer_note"] = stored.payer_note
    told["created_index"] = stored.created_index
    if stored.updated_index:
        told["updated_index"] = stored.updated_index
    return told


def _local_offer(connection: Connection, invoice: UnsignedInvoice) -> bytes | None:
    """Return the id of the offer that the invoice is for, if this node made it."""
    offer_id = invoice.offer_id
    status = None if offer_id is None else offers.status_of(connection, offer_id)
    if status is None:
        return None
    if Status.ACTIVE not in status:
        raise RpcError(INVOICE_OFFER_INACTIVE, "offer not active")
    return offer_id


def _deletable(connection: Connection, request: types.DelinvoiceRequest) -> StoredInvoice:
    """Return the invoice to delete (or its description), if its state is the one that the caller names."""
    stored = invoices.by_label(connection, spelling(request.label))
    if stored is None:
        raise RpcError(INVOICE_NOT_FOUND, "Unknown invoice")
    if stored.status != request.status:
        told = {"current_status": stored.status.value, "expected_status": request.status}
        raise RpcError(INVOICE_STATUS_UNEXPECTED, f"Invoice status is {stored.status} not {request.status}", told)
    if request.desconly and stored.description is None:
        raise RpcError(INVOICE_NO_DESCRIPTION, "Invoice description already removed")
    return stored


def _listed(found: Sequence[StoredInvoice]) -> types.ListinvoicesResponse:
    return types.ListinvoicesResponse(invoices=[types.ListinvoicesInvoice(**shown(stored)) for stored in found])


def _check_listing(request: types.ListinvoicesRequest) -> None:
    picking = (request.label, request.invstring, request.payment_hash, request.offer_id)
    if sum(given is not None for given in picking) > 1:
        _refuse("Can only specify one of {label}, {invstring}, {payment_hash} or {offer_id}")
    if request.index is None and request.start:
        _refuse("Can only specify {start} with {index}")
    if request.index is None and request.limit is not None:
        _refuse("Can only specify {limit} with {index}")


def _payment_hash(string: str) -> bytes:
    """Return the payment hash of a signed invoice, BOLT 11 or BOLT 12."""
    try:
        return bolt11.Invoice.parse(string).payment_hash
    except bolt11.Bolt11Error:
        pass
    try:
        invoice = decode_leniently(string)
    except Bolt12Error:
        invoice = None
    if not isinstance(invoice, Invoice) or invoice.invoice_payment_hash is None:
        _refuse("Invalid invstring")
    return invoice.invoice_payment_hash


def _refuse(message: str) -> Never:
    raise RpcError(INVALID_PARAMS, message)
