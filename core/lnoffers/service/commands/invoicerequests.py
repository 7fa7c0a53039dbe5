"""The commands that create, list and disable invoice_requests without an offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from lnoffers.bolt12 import CHAINS, Bolt12Error, InvoiceRequest, UnsignedInvoiceRequest
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.codes import OFFER_ALREADY_DISABLED
from lnoffers.service.commands.pages import in_pages
from lnoffers.service.commands.records import Shown, shown
from lnoffers.service.entropy import EntropyError
from lnoffers.service.message_paths import PathKeyError, fronts, message_paths, ways_through
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.invoicerequests import DuplicateError, StoredRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clnrpc.runtime.server.stubs import Reply
    from lnoffers.bolt12 import BlindedPath
    from lnoffers.service.store import Connection
    from lnoffers.service.store.payments import StoredPayment

METADATA_BYTES: Final = 16
SHOWN_PAYMENTS: Final = 16
"""How many payments are shown with a request, the latest ones; listpays has the others."""


class InvoicerequestCommands(Commands):
    """invoicerequest, listinvoicerequests, disableinvoicerequest."""

    def invoicerequest(self, request: types.InvoicerequestRequest) -> types.InvoicerequestResponse:
        """Create and store an invoice_request without an offer; the payer is the node itself."""
        made = self._make(request)
        status = Status.created(single_use=request.single_use)
        payee = None if request.payee is None else bytes.fromhex(request.payee)
        stored = StoredRequest(made.invreq_id, made.encode(), request.label, status, payee)
        with self._transaction() as connection:
            try:
                invoicerequests.add(connection, stored)
            except DuplicateError as error:
                raise RpcError(GENERIC, "Could not create invoice_request!") from error
        return types.InvoicerequestResponse(**_shown(stored))

    def rpc_check_invoicerequest(self, request: types.InvoicerequestRequest) -> None:
        """Check that the request could be created."""
        self._unsigned_request(request, bytes(METADATA_BYTES))

    def listinvoicerequests(
        self, request: types.ListinvoicerequestsRequest
    ) -> Reply[types.ListinvoicerequestsResponse]:
        """Return the stored requests, by ascending id."""
        invreq_id = None if request.invreq_id is None else bytes.fromhex(request.invreq_id)

        def read(last: StoredRequest | None, limit: int) -> Sequence[StoredRequest]:
            with self._transaction(writes=False) as connection:
                return invoicerequests.find(
                    connection,
                    invreq_id,
                    active_only=request.active_only,
                    after=None if last is None else last.invreq_id,
                    limit=limit,
                )

        def respond(found: Sequence[StoredRequest]) -> types.ListinvoicerequestsResponse:
            with self._transaction(writes=False) as connection:
                paid = payments.latest_of_requests(connection, [stored.invreq_id for stored in found], SHOWN_PAYMENTS)
            return types.ListinvoicerequestsResponse(
                invoicerequests=[_listed(stored, paid.get(stored.invreq_id)) for stored in found]
            )

        return in_pages(read, respond)

    def disableinvoicerequest(self, request: types.DisableinvoicerequestRequest) -> types.DisableinvoicerequestResponse:
        """Disable an active request permanently."""
        invreq_id = bytes.fromhex(request.invreq_id)
        with self._transaction() as connection:
            stored = invoicerequests.apply(connection, invreq_id, StatusChange.DISABLED)
            if stored is None:
                raise _not_active(connection, invreq_id)
        return types.DisableinvoicerequestResponse(**_shown(stored))

    def rpc_check_disableinvoicerequest(self, request: types.DisableinvoicerequestRequest) -> None:
        """Check that the request exists and is active."""
        invreq_id = bytes.fromhex(request.invreq_id)
        with self._transaction(writes=False) as connection:
            if not invoicerequests.find(connection, invreq_id, active_only=True):
                raise _not_active(connection, invreq_id)

    def _make(self, request: types.InvoicerequestRequest) -> InvoiceRequest:
        """Build the request, and sign it unless `unsigned` is true.

        A refused call draws no entropy, and is refused for its other faults first, then for missing entropy.
        """
        entropy = self._node.entropy
        before = entropy.mark()
        try:
            metadata = entropy.draw(METADATA_BYTES)
        except EntropyError as error:
            self.rpc_check_invoicerequest(request)
            raise RpcError(GENERIC, str(error)) from error
        try:
            unsigned = self._unsigned_request(request, metadata)
            if through := fronts(self._node):
                unsigned = self._with_request_paths(request, unsigned, through)
        except RpcError:
            entropy.reset(before)
            raise
        return unsigned.unsigned() if request.unsigned else unsigned.sign(self._node.keys.node_signer)

    def _with_request_paths(
        self, request: types.InvoicerequestRequest, unsigned: UnsignedInvoiceRequest, through: Sequence[bytes]
    ) -> UnsignedInvoiceRequest:
        """Return the same request with a path through each of these nodes."""
        try:
            paths = message_paths(self._node, ways_through(self._node, through), unsigned.invreq_id)
        except (EntropyError, PathKeyError) as error:
            raise RpcError(GENERIC, str(error)) from error
        return self._unsigned_request(request, unsigned.invreq_metadata or b"", paths)

    def _unsigned_request(
        self, request: types.InvoicerequestRequest, metadata: bytes, paths: Sequence[BlindedPath] | None = None
    ) -> UnsignedInvoiceRequest:
        if request.amount <= 0:
            raise RpcError(INVALID_PARAMS, "amount: must be positive")
        node = self._node
        try:
            unsigned = InvoiceRequest.without_offer(
                invreq_metadata=metadata,
                invreq_payer_id=node.keys.node_id,
                invreq_amount=request.amount,
                invreq_chain=CHAINS[node.options.network],
                offer_description=request.description,
                offer_issuer=request.issuer,
                offer_absolute_expiry=request.absolute_expiry,
                invreq_paths=paths,
            )
        except Bolt12Error as error:
            # The message begins with the field's name, which without its prefix is the parameter's name.
            why = str(error).removeprefix("offer_").removeprefix("invreq_")
            raise RpcError(INVALID_PARAMS, why) from error
        self._check_size(unsigned)
        return unsigned


def _not_active(connection: Connection, invreq_id: bytes) -> RpcError:
    if invoicerequests.find(connection, invreq_id):
        return RpcError(OFFER_ALREADY_DISABLED, "invoice_request is not active")
    return RpcError(GENERIC, "Unknown invoice_request")


class _ShownRequest(Shown):
    invreq_id: str


def _shown(stored: StoredRequest) -> _ShownRequest:
    return _ShownRequest(**shown(stored), invreq_id=stored.invreq_id.hex())


def _listed(stored: StoredRequest, paid: Sequence[StoredPayment] | None) -> types.ListinvoicerequestsInvoicerequest:
    """Return the element of a list; it has payments only if there are any."""
    payee = None if stored.payee is None else stored.payee.hex()
    shown_payments = None if paid is None else [_payment(each) for each in paid]
    return types.ListinvoicerequestsInvoicerequest(**_shown(stored), payee=payee, payments=shown_payments)


def _payment(payment: StoredPayment) -> types.ListinvoicerequestsInvoicerequestPayment:
    return types.ListinvoicerequestsInvoicerequestPayment(
        payment_hash=payment.payment_hash.hex(),
        invoice=payment.bolt12,
        amount_msat=payment.amount_msat,
        state=payment.state.value,
        reason=payment.reason,
    )
