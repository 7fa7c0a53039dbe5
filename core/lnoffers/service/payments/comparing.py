"""Bring what a backend knows into a store that was restored from a backup.

The backend lists all payments that have not failed. So a claim that the list does not have has failed, even if the
store does not know that yet. What only the list has was paid, or begun, after the backup was made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lnoffers.service.payment_states import PaymentEvent, PaymentState
from lnoffers.service.payments.backend import Paid, Uncertain
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.payments import ClaimError, NewPayment, StoredPayment

if TYPE_CHECKING:
    from lnoffers.bolt12 import Invoice, NodeKeys
    from lnoffers.service.store import Connection

FORGOTTEN = "the backend does not know of it, since the store was restored"


class Known(NamedTuple):
    """A payment that the backend has made, or is making."""

    new: NewPayment
    """Its owner is this server."""
    outcome: Paid | Uncertain


def is_ours(connection: Connection, keys: NodeKeys, invoice: Invoice) -> bool:
    """Return whether this node has made the request of an invoice: one that is stored, or one for an offer."""
    if invoicerequests.status_of(connection, invoice.invreq_id) is not None:
        return True
    metadata = invoice.invreq_metadata
    return metadata is not None and invoice.invreq_payer_id in (keys.node_id, keys.payer_id(metadata))


def bring_in(
    connection: Connection, known: Sequence[Known], identity: str, has_ended: Callable[[str], bool], at: int
) -> Sequence[StoredPayment]:
    """Bring payments in, in the caller's transaction, and return those whose outcome is still to be found.

    Args:
        connection: that of the transaction.
        known: all payments for this node's requests that the backend has not failed.
        identity: that of the backend.
        has_ended: whether the owner of this name has ended.
        at: Unix seconds.
    """
    hashes = {each.new.payment_hash for each in known}
    for payment in payments.open_payments(connection):
        if payment.backend == identity and payment.payment_hash not in hashes and has_ended(payment.owner):
            payments.step(connection, payment, PaymentEvent.FAILED, completed_at=at, reason=FORGOTTEN)
    # Those that are paid come first, so that nothing else can claim their requests.
    paid_first = sorted(known, key=lambda each: isinstance(each.outcome, Uncertain))
    followed = [_bring_in(connection, each, has_ended, at) for each in paid_first]
    return [payment for payment in followed if payment is not None]


def _bring_in(connection: Connection, known: Known, has_ended: Callable[[str], bool], at: int) -> StoredPayment | None:
    """Bring one in; return it if its outcome is still to be found, and nobody else looks for it."""
    new, outcome = known
    stored = payments.by_payment_hash(connection, new.payment_hash)
    if stored is not None and stored.state is PaymentState.PAID:
        return None
    if stored is None or stored.state is PaymentState.FAILED:
        stored = _claimed(connection, new, is_paid=isinstance(outcome, Paid))
    elif not has_ended(stored.owner):
        return None
    else:
        stored = payments.take_over(connection, stored, new.owner)
    if stored is None or isinstance(outcome, Uncertain):
        return stored
    payments.step(connection, stored, PaymentEvent.BEGUN)  # if it had not when the backup was made
    preimage, sent = outcome.preimage, outcome.sent_msat
    payments.step(connection, stored, PaymentEvent.PAID, completed_at=at, preimage=preimage, sent_msat=sent)
    return None


def _claimed(connection: Connection, new: NewPayment, *, is_paid: bool) -> StoredPayment:
    try:
        return payments.claim(connection, new, PaymentState.UNKNOWN)
    except ClaimError:
        # Another payment for its request is open or made: then there are two, which must not be. It is recorded all
        # the same, and the request is used if it is paid, whatever becomes of the other one.
        if is_paid:
            invoicerequests.use(connection, new.invreq_id)
        return payments.add_unclaimed(connection, new, PaymentState.UNKNOWN)
