"""invoicerequest and its siblings: requests that answer no offer, made, listed and withdrawn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypedDict

from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from clnrpc.types import (
    DisableinvoicerequestResponse,
    InvoicerequestResponse,
    ListinvoicerequestsResponse,
    ListinvoicerequestsResponseInvoicerequests,
)
from lnoffers.bolt12 import CHAINS, Bolt12Error, InvoiceRequest
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.codes import OFFER_ALREADY_DISABLED
from lnoffers.service.entropy import EntropyError
from lnoffers.service.status import Event, Status
from lnoffers.service.store import invoicerequests
from lnoffers.service.store.invoicerequests import DuplicateError, StoredRequest

if TYPE_CHECKING:
    from clnrpc.types import DisableinvoicerequestRequest, InvoicerequestRequest, ListinvoicerequestsRequest

METADATA_BYTES: Final = 16


class InvoicerequestCommands(Commands):
    """invoicerequest, listinvoicerequests, disableinvoicerequest."""

    def invoicerequest(self, request: InvoicerequestRequest) -> InvoicerequestResponse:
        """Make, sign and store an invoice_request that answers no offer; the payer it names is the node itself."""
        if request.amount <= 0:
            raise RpcError(INVALID_PARAMS, "amount: must be positive")
        if self._node.options.payment_fronting_nodes:
            # Whoever answers must come by way of such a node, and lightningd takes only peers for that.
            raise RpcError(GENERIC, "Could not find neighbour fronting node")
        signed = self._sign(request)
        status = Status.created(single_use=request.single_use)
        stored = StoredRequest(signed.invreq_id, signed.encode(), request.label, status)
        with self._transaction() as connection:
            try:
                invoicerequests.add(connection, stored)
            except DuplicateError as error:
                raise RpcError(GENERIC, "Could not create invoice_request!") from error
        return InvoicerequestResponse(**_shown(stored))

    def listinvoicerequests(self, request: ListinvoicerequestsRequest) -> ListinvoicerequestsResponse:
        """The stored requests, by ascending id."""
        invreq_id = None if request.invreq_id is None else bytes.fromhex(request.invreq_id)
        with self._transaction(writes=False) as connection:
            found = invoicerequests.find(connection, invreq_id=invreq_id, active_only=request.active_only)
        return ListinvoicerequestsResponse(
            invoicerequests=[ListinvoicerequestsResponseInvoicerequests(**_shown(stored)) for stored in found]
        )

    def disableinvoicerequest(self, request: DisableinvoicerequestRequest) -> DisableinvoicerequestResponse:
        """Make an active request inactive, for good."""
        invreq_id = bytes.fromhex(request.invreq_id)
        with self._transaction() as connection:
            stored = invoicerequests.apply(connection, invreq_id, Event.DISABLED)
            if stored is None:
                if invoicerequests.find(connection, invreq_id=invreq_id):
                    raise RpcError(OFFER_ALREADY_DISABLED, "invoice_request is not active")
                raise RpcError(GENERIC, "Unknown invoice_request")
        return DisableinvoicerequestResponse(**_shown(stored))

    def _sign(self, request: InvoicerequestRequest) -> InvoiceRequest:
        node = self._node
        build = partial(
            InvoiceRequest.without_offer,
            invreq_payer_id=node.keys.node_id,
            invreq_amount=request.amount,
            invreq_chain=CHAINS[node.options.network],
            offer_description=request.description,
            offer_issuer=request.issuer,
            offer_absolute_expiry=request.absolute_expiry,
        )
        try:
            build(invreq_metadata=bytes(METADATA_BYTES))  # a call that is refused must not draw
            return build(invreq_metadata=node.entropy.draw(METADATA_BYTES)).sign(node.keys.node_signer)
        except EntropyError as error:
            raise RpcError(GENERIC, str(error)) from error
        except Bolt12Error as error:
            # It begins with the field, whose name without its prefix is the parameter's.
            why = str(error).removeprefix("offer_").removeprefix("invreq_")
            raise RpcError(INVALID_PARAMS, why) from error


class _Shown(TypedDict):
    """What is told of a stored request, whichever command asks."""

    invreq_id: str
    active: bool
    single_use: bool
    bolt12: str
    used: bool
    label: str | None


def _shown(stored: StoredRequest) -> _Shown:
    return _Shown(
        invreq_id=stored.invreq_id.hex(),
        active=Status.ACTIVE in stored.status,
        single_use=Status.SINGLE_USE in stored.status,
        bolt12=stored.bolt12,
        used=Status.USED in stored.status,
        label=stored.label,
    )
