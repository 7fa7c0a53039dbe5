"""listpays: what this node pays and has paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from lnoffers.bolt12 import Invoice
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.pages import in_pages
from lnoffers.service.parameters.payments import to_pay
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.store import payments
from lnoffers.service.store.payments import Selection, StoredPayment

if TYPE_CHECKING:
    from clnrpc.runtime.server.stubs import Reply

PayStatus: TypeAlias = Literal["pending", "failed", "complete"]
"""What lightningd calls the state of a payment."""
_STATUSES: Final[Mapping[PaymentState, PayStatus]] = {
    PaymentState.CLAIMED: "pending",
    PaymentState.PAYING: "pending",
    PaymentState.UNKNOWN: "pending",
    PaymentState.PAID: "complete",
    PaymentState.FAILED: "failed",
}


class ListpaysCommands(Commands):
    """listpays."""

    def listpays(self, request: types.ListpaysRequest) -> Reply[types.ListpaysResponse]:
        """Return the payments of this node, oldest first."""
        check_selection(request)
        payment_hash = None if request.payment_hash is None else bytes.fromhex(request.payment_hash)
        if request.bolt11 is not None:
            payment_hash = to_pay(request.bolt11)
        start, end = request.start or 0, None
        if request.limit is not None:
            with self._transaction(writes=False) as connection:
                end = payments.nth_index(connection, start, request.limit)
        states = {state for state, status in _STATUSES.items() if request.status in (None, status)}
        chosen = Selection(payment_hash=payment_hash, states=states, start=start, end=end)

        def read(last: StoredPayment | None, limit: int) -> Sequence[StoredPayment]:
            with self._transaction(writes=False) as connection:
                return payments.find(connection, chosen, after=last, limit=limit)

        return in_pages(read, _listed)

    def rpc_check_listpays(self, request: types.ListpaysRequest) -> None:
        """Check that the parameters go together."""
        check_selection(request)


def check_selection(request: types.ListpaysRequest | types.ListsendpaysRequest) -> None:
    """Check that the parameters of a list of payments go together.

    Raises:
        RpcError: if they do not.
    """
    if request.bolt11 is not None and request.payment_hash is not None:
        raise RpcError(INVALID_PARAMS, "Can only specify one of {bolt11} or {payment_hash}")
    for name, given in (("start", request.start), ("limit", request.limit)):
        if given is not None and request.index is None:
            raise RpcError(INVALID_PARAMS, f"Can only specify {{{name}}} with {{index}}")
    if request.index == "updated":
        raise RpcError(INVALID_PARAMS, "index: payments are listed by the index 'created' only")


def _listed(found: Sequence[StoredPayment]) -> types.ListpaysResponse:
    return types.ListpaysResponse(pays=[_shown(each) for each in found])


def _shown(payment: StoredPayment) -> types.ListpaysPay:
    invoice = Invoice.parse(payment.bolt12)
    return types.ListpaysPay(
        bolt12=payment.bolt12,
        destination=(invoice.invoice_node_id or b"").hex(),
        description=invoice.offer_description,
        payment_hash=payment.payment_hash.hex(),
        status=_STATUSES[payment.state],
        created_at=payment.created_at,
        completed_at=payment.completed_at,
        preimage=None if payment.preimage is None else payment.preimage.hex(),
        amount_msat=payment.amount_msat,
        amount_sent_msat=0 if payment.state is PaymentState.FAILED else payment.sent_msat or payment.amount_msat,
        created_index=payment.created_index,
        state=payment.state.value,
        reason=payment.reason,
        backend=payment.backend,
    )
