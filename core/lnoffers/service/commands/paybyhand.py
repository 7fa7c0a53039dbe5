"""paybyhand: what waits for somebody who pays it, and what has become of it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from lnoffers.bolt12 import Bolt12Error, Invoice
from lnoffers.service.commands.base import Commands
from lnoffers.service.parameters.payments import to_pay
from lnoffers.service.payment_states import OPEN, PaymentEvent, PaymentState
from lnoffers.service.payments.backend import BackendError
from lnoffers.service.payments.manual import COMPARE, IDENTITY
from lnoffers.service.payments.witness import FileWitness, is_restored
from lnoffers.service.store import payments
from lnoffers.service.store.payments import ClaimError, StoredPayment

if TYPE_CHECKING:
    from lnoffers.service.store import Connection

NOT_PAID: Final = "it was not paid by hand"
"""The reason of a payment that a person gives up."""


class PaybyhandCommands(Commands):
    """paybyhand."""

    def paybyhand(
        self, request: types.PaybyhandRequest
    ) -> types.PaybyhandResponse | Awaitable[types.PaybyhandResponse]:
        """List what is to be paid by hand, begin to pay an invoice, or record what has become of it."""
        wanted = self._wanted(request)
        if request.compared:
            self._compared()
        if wanted is None:
            return _listed(self._open())
        preimage = None if request.preimage is None else bytes.fromhex(request.preimage)
        if preimage is not None and sha256(preimage).digest() != wanted:
            raise RpcError(INVALID_PARAMS, "preimage: it is not that of the invoice's payment_hash")
        with self._transaction() as connection:
            if self._restored_to(connection) is not None:
                raise RpcError(GENERIC, COMPARE)
            payment = payments.by_payment_hash(connection, wanted)
            if payment is None or payment.backend != IDENTITY:
                raise RpcError(GENERIC, _why_not(payment))
            if preimage is not None:
                changed = self._completed(connection, payment, preimage)
            elif request.failed:
                changed = self._given_up(connection, payment)
            else:
                changed = self._begun(connection, payment)
        self._node.changes.tell()
        return self._counted(changed) if changed.fence != payment.fence else _listed([changed])

    async def _counted(self, payment: StoredPayment) -> types.PaybyhandResponse:
        """Return the response once the payment is counted outside of the store, before anybody pays it."""
        try:
            await FileWitness(self._node.options).write(payment.fence)
        except BackendError as error:
            raise RpcError(GENERIC, f"The payment has begun, but do not pay it yet: {error}") from error
        return _listed([payment])

    def _restored_to(self, connection: Connection) -> int | None:
        """Return the counter beside the store, if that was restored from a backup; None if it was not."""
        last = payments.last_fence(connection)
        try:
            count = FileWitness(self._node.options).current()
        except BackendError as error:
            raise RpcError(GENERIC, str(error)) from error
        return (count or 0) if is_restored(last, count) else None

    def _compared(self) -> None:
        """Record that the operator has compared a restored store, so that its requests can be paid again."""
        with self._transaction() as connection:
            count = self._restored_to(connection)
            if count is None:
                return
            payments.raise_fence(connection, max(count, payments.last_fence(connection)))
            last = payments.last_fence(connection)
        try:
            FileWitness(self._node.options).raise_to(last, synced=False)
        except BackendError as error:
            raise RpcError(GENERIC, str(error)) from error

    def rpc_check_paybyhand(self, request: types.PaybyhandRequest) -> None:
        """Check that the parameters go together."""
        self._wanted(request)

    @staticmethod
    def _wanted(request: types.PaybyhandRequest) -> bytes | None:
        """Return the payment hash of the invoice, 32 bytes; None if none is named."""
        if request.preimage is not None and request.failed:
            raise RpcError(INVALID_PARAMS, "Can only specify one of {preimage} or {failed}")
        if request.invoice is not None:
            return to_pay(request.invoice)
        if request.preimage is not None or request.failed:
            raise RpcError(INVALID_PARAMS, "missing required parameter: invoice")
        return None

    def _open(self) -> Sequence[StoredPayment]:
        with self._transaction(writes=False) as connection:
            return [each for each in payments.open_payments(connection) if each.backend == IDENTITY]

    def _begun(self, connection: Connection, payment: StoredPayment) -> StoredPayment:
        """Return the payment once it has begun, so that only a person can end it."""
        if payment.state is not PaymentState.CLAIMED:
            if payment.state in OPEN:
                return payment
            raise RpcError(GENERIC, f"This invoice is not to be paid: {_ended(payment)}")
        try:
            Invoice.parse(payment.bolt12).check_unexpired(self._node.clock.now())
        except Bolt12Error as error:
            raise RpcError(GENERIC, f"This invoice is not to be paid: {error.message}") from error
        return _begun(connection, payment)

    def _completed(self, connection: Connection, payment: StoredPayment, preimage: bytes) -> StoredPayment:
        """Record that the invoice is paid, also if it was given up before."""
        if payment.state is PaymentState.PAID:
            return payment
        if payment.state is PaymentState.FAILED:
            try:
                payment = payments.claim(connection, payments.again(payment, self._node.clock.now()))
            except ClaimError as error:
                raise RpcError(
                    GENERIC, f"This invoice was given up, and cannot be recorded as paid: {error}"
                ) from error
        if payment.state is PaymentState.CLAIMED:
            payment = _begun(connection, payment)
        at, sent = self._node.clock.now(), payment.amount_msat
        return _stepped(
            payments.step(connection, payment, PaymentEvent.PAID, completed_at=at, preimage=preimage, sent_msat=sent)
        )

    def _given_up(self, connection: Connection, payment: StoredPayment) -> StoredPayment:
        """Record that the invoice is not paid and will not be, which frees its request."""
        if payment.state is PaymentState.FAILED:
            return payment
        if payment.state is PaymentState.PAID:
            raise RpcError(GENERIC, "This invoice is recorded as paid, with its preimage")
        at = self._node.clock.now()
        return _stepped(payments.step(connection, payment, PaymentEvent.FAILED, completed_at=at, reason=NOT_PAID))


def _why_not(payment: StoredPayment | None) -> str:
    if payment is None:
        return "No payment of this invoice waits or has begun"
    return f"The payment backend {payment.backend} pays this invoice, and it alone knows what has become of it"


def _ended(payment: StoredPayment) -> str:
    return "it is paid" if payment.state is PaymentState.PAID else f"it has failed ({payment.reason})"


def _begun(connection: Connection, payment: StoredPayment) -> StoredPayment:
    """Return a claim once it has begun, with a new fence: a backup from before does not know that somebody may pay."""
    renumbered = _stepped(payments.take_over(connection, payment, payment.owner))
    return _stepped(payments.step(connection, renumbered, PaymentEvent.BEGUN))


def _stepped(payment: StoredPayment | None) -> StoredPayment:
    if payment is None:  # somebody else has taken a step since it was read, in another process
        raise RpcError(GENERIC, "Somebody else has changed this payment; look at it again")
    return payment


def _listed(found: Sequence[StoredPayment]) -> types.PaybyhandResponse:
    return types.PaybyhandResponse(payments=[_shown(each) for each in found])


def _shown(payment: StoredPayment) -> types.PaybyhandPayment:
    invoice = Invoice.parse(payment.bolt12)
    return types.PaybyhandPayment(
        payment_hash=payment.payment_hash.hex(),
        invoice=payment.bolt12,
        invreq_id=payment.invreq_id.hex(),
        amount_msat=payment.amount_msat,
        payee=(invoice.invoice_node_id or b"").hex(),
        description=invoice.offer_description,
        expires_at=invoice.expires_at,
        state=payment.state.value,
        reason=payment.reason,
        preimage=None if payment.preimage is None else payment.preimage.hex(),
    )
