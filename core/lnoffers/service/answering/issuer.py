"""What to answer to an invoice_request: an invoice, which is stored first, or an invoice_error.

The checks, their order and their texts are Core Lightning's (plugins/offers_invreq_hook.c): a payer shows the text to
its user. "Internal error" stands for what is not the payer's business; the log has the reason.

The label of an invoice names the offer, the payer's key and the number of the payment. So a payer that asks again with
the same key gets the same invoice while that can be paid, whatever else it asks for now.
"""

from __future__ import annotations

import logging
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from lnoffers.bolt12 import (
    CHAINS,
    Bolt12Error,
    Invoice,
    InvoiceError,
    InvoiceRequest,
    Paywindow,
    paywindow,
)
from lnoffers.bolt12.features import MPP_OPTIONAL, bitmap
from lnoffers.bolt12.rules import issuer as rules
from lnoffers.bolt12.tlv import OFFER_SPAN, select
from lnoffers.service.answering import terms
from lnoffers.service.entropy import EntropyError
from lnoffers.service.errors import ServiceError
from lnoffers.service.message_paths import expected_path_id, own_path_id
from lnoffers.service.payment_paths import path_to_self
from lnoffers.service.payments.backend import Destination, Incoming
from lnoffers.service.peers.replies import quoted
from lnoffers.service.rates import RatesError
from lnoffers.service.status import Status
from lnoffers.service.store import invoices, offers
from lnoffers.service.store.invoices import MAX_NUMBER, InvoiceStatus, NewInvoice, StoredInvoice
from lnoffers.service.store.rows import RowError
from lnoffers.service.warner import Warner

if TYPE_CHECKING:
    from lnoffers.service.node import Node
    from lnoffers.service.store import Connection

MAX_OWN_BYTES: Final = 4096
"""Bytes of a request's records beside those of its offer."""
MAX_UNPAID: Final = 10_000
"""Unpaid invoices for requests of other nodes that are stored at a time, expired ones included. At the pace of
`answers`, each of them stays for eight minutes at least."""

INTERNAL_ERROR: Final = "Internal error"
PREIMAGE_BYTES: Final = 32
_FEATURES: Final = bitmap([MPP_OPTIONAL])

Answer: TypeAlias = Invoice | InvoiceError

logger = logging.getLogger(__name__)


class _RefusedError(ServiceError):
    """The request is refused; the message is for the payer."""


class _InternalError(ServiceError):
    """The request cannot be answered; the message is for the log."""


class _PaidError(ServiceError):
    """The request was answered before, and its invoice is paid."""


class _Terms(NamedTuple):
    """What a new invoice says beside its request."""

    amount: int
    """Millisatoshi."""
    period: _Period | None
    now: int
    """Unix seconds."""


class Prepared(NamedTuple):
    """A payment to this node that its backend has prepared, and where it arrives."""

    incoming: Incoming
    destination: Destination


class _UnpreparedError(ServiceError):
    """The payment for a new invoice must be prepared first."""

    def __init__(self, incoming: Incoming) -> None:
        super().__init__()
        self.incoming = incoming


class _Period(NamedTuple):
    """The period of a recurring offer that a request is for."""

    basetime: int
    window: Paywindow


class Issuer:
    """Answers the requests for a node's offers. One thread uses it at a time: the one that uses the store."""

    def __init__(self, node: Node, *, collects: bool = False, max_unpaid: int = MAX_UNPAID) -> None:
        """Create an issuer; `collects` says whether its payments must be prepared where they will arrive."""
        self._node = node
        self._collects = collects
        self._max_unpaid = max_unpaid
        self._warner = Warner(logger)

    def answer(
        self, request: InvoiceRequest, path_id: bytes | None, prepared: Prepared | None = None
    ) -> Answer | Incoming | None:
        """Return the answer to a request. An invoice is stored in the transaction of the caller's turn.

        Args:
            request: the request as it was received; neither its rules nor its signature have been checked.
            path_id: the path_id of the path on which it arrived, if this node made that path.
            prepared: the payment that an earlier call with this request has asked for.

        Returns:
            None for a request that ends a recurrence, which gets no answer. The payment to be prepared, if there is to
            be a new invoice; nothing is stored then.

        Raises:
            StoreError: if the store fails, so that nothing can be answered.
            LockedError: if another process is writing; nothing has changed.
        """
        try:
            rules.check_request(request, CHAINS[self._node.options.network])
            with self._node.store.transaction() as connection:
                return self._answer(connection, request, path_id, prepared)
        except _UnpreparedError as unprepared:
            return unprepared.incoming
        except Bolt12Error as error:
            return _refused(request, error.message)
        except _RefusedError as refusal:
            return _refused(request, str(refusal))
        except _PaidError:
            pass  # the payer knows why, and can cause it as often as it likes: no line in the log
        except (_InternalError, EntropyError, RatesError, RowError) as error:
            self._warner.warn(f"An invoice_request could not be answered: {error}")
        return InvoiceError.build(error=INTERNAL_ERROR)

    def remove_expired(self, limit: int) -> bool:
        """Remove up to `limit` answers that expired unpaid long enough ago; return whether more are left.

        Raises:
            StoreError: if the store fails.
            LockedError: as `answer`.
        """
        at = self._node.clock.now() - self._node.options.keep_unpaid
        with self._node.store.transaction(writes=False) as connection:
            if not invoices.is_unpaid_answer_expired(connection, at):
                return False
        with self._node.store.transaction() as connection:
            removed = invoices.remove_unpaid_answers(connection, at, limit)
        self._node.changes.tell()
        return removed == limit

    def _answer(
        self, connection: Connection, request: InvoiceRequest, path_id: bytes | None, prepared: Prepared | None
    ) -> Invoice | None:
        now = self._node.clock.now()
        self._check_offer(connection, request, path_id, now)
        rules.check_terms(request)
        rules.check_amount_given(request)
        amount = terms.amount_for(request, terms.price(request, self._converted(request), now))
        if isinstance(amount, str):
            raise _RefusedError(amount)
        period = _period(connection, request, now)
        is_over = request.invreq_recurrence_cancel is not None
        label = _label(request, request.invreq_recurrence_counter or 0)
        earlier = invoices.by_label(connection, label)
        if earlier is not None:
            if not _has_lapsed(earlier, now):
                return None if is_over else _parsed(earlier)
            if not earlier.answers_request:
                raise _InternalError(f"somebody has created an invoice with the label {earlier.label}")
            invoices.remove(connection, earlier)
            self._node.changes.tell()
        if prepared is not None:
            amount = prepared.incoming.amount_msat  # the rate of its currency may have changed since
        _check_size(request, amount)
        if not is_over:  # which only a paid period allows
            self._make_room(connection, now)
        invoice, preimage = self._new_invoice(request, _Terms(amount, period, now), prepared)
        invoices.add(connection, _row(invoice, label, preimage, is_sent=not is_over))
        return None if is_over else invoice

    def _check_offer(self, connection: Connection, request: InvoiceRequest, path_id: bytes | None, now: int) -> None:
        """Check that the request is for an offer of this node that can be paid, and has come along its path."""
        assert request.offer_id is not None  # by `rules.check_request`
        found = offers.state_of(connection, request.offer_id)
        if found is None:
            raise _RefusedError("Unknown offer")
        if (fault := self._path_fault(request, path_id)) is not None:
            raise _RefusedError(fault if self._node.options.developer else "Unknown offer")
        status, force_paths = found
        if Status.ACTIVE not in status:
            raise _RefusedError("Offer no longer available")
        request.check_unexpired(now)
        fronts = {path.first_node_id for path in request.offer_paths or ()} - {self._node.keys.node_id}
        if force_paths and not any(isinstance(front, bytes) for front in fronts):
            raise _RefusedError("Fronting failed, could not find any fronts")

    def _path_fault(self, request: InvoiceRequest, path_id: bytes | None) -> str | None:
        """Return why the request has not come along the path that the offer demands; None if it has.

        Otherwise somebody could find out which node is behind a blinded path, by asking all of them.
        """
        path_id = own_path_id(path_id)
        if request.offer_paths is None:
            return None if path_id is None else "Unexpected blinded path"
        if path_id is None:
            return "Expected blinded path"
        expected = expected_path_id(self._node.keys, request, InvoiceRequest.offer_paths.number, OFFER_SPAN)
        return None if compare_digest(path_id, expected) else "Wrong blinded path"

    def _converted(self, request: InvoiceRequest) -> int | None:
        """Return the price in millisatoshi of an offer in a currency; None for other offers."""
        if request.offer_amount is None or request.offer_currency is None:
            return None
        rates, price = self._node.rates, terms.in_currency(request)
        rate = None if rates is None else rates.price(request.offer_currency)
        if rate is None or price is None:
            raise _InternalError(f"there is no rate for {request.offer_currency}")
        return terms.converted(price, rate)

    def _make_room(self, connection: Connection, now: int) -> None:
        """Remove an unpaid answer if as many are stored as may be.

        Otherwise the requests for one offer could keep those for all others out until the paywindows of years end.
        """
        if invoices.are_unpaid_answers(connection, self._max_unpaid):
            invoices.remove_oldest_unpaid_answer(connection, now)
            self._node.changes.tell()

    def _new_invoice(self, request: InvoiceRequest, agreed: _Terms, prepared: Prepared | None) -> tuple[Invoice, bytes]:
        """Return the invoice for a request, or the one that records the end of a recurrence, and its preimage.

        Raises:
            _UnpreparedError: if the payment must be prepared first. That rolls back what the transaction has done.
        """
        is_over, period = request.invreq_recurrence_cancel is not None, agreed.period
        expiry = 0 if is_over else terms.relative_expiry(request, period and period.window, agreed.now)
        if prepared is None:
            preimage = self._node.entropy.draw(PREIMAGE_BYTES)
            payment_hash = sha256(preimage).digest()
            if self._collects and not is_over:
                description = request.offer_description or ""
                raise _UnpreparedError(Incoming(payment_hash, preimage, agreed.amount, expiry, description))
            path, payinfo = path_to_self(self._node, payment_hash)
            destination = Destination([path], [payinfo])
        else:
            preimage, payment_hash = prepared.incoming.preimage, prepared.incoming.payment_hash
            destination = prepared.destination
        invoice = Invoice.for_request(
            request,
            invoice_created_at=agreed.now,
            invoice_payment_hash=payment_hash,
            invoice_paths=destination.paths,
            invoice_blindedpay=destination.payinfos,
            invoice_amount=agreed.amount,
            invoice_relative_expiry=expiry,
            invoice_features=_FEATURES,
            invoice_recurrence_basetime=period and period.basetime,
        )
        return invoice.sign(self._node.keys.node_signer), preimage


def _check_size(request: InvoiceRequest, amount: int) -> None:
    """Check that an invoice for a request may be stored, or the end of a recurrence."""
    own = len(request.to_bytes()) - len(select(request.records, OFFER_SPAN))
    if own > MAX_OWN_BYTES:
        raise _RefusedError(f"{own} bytes beside the offer, and at most {MAX_OWN_BYTES} are accepted")
    if amount > MAX_NUMBER:
        raise _RefusedError("Excessive invoice_amount")


def _row(invoice: Invoice, label: str, preimage: bytes, *, is_sent: bool) -> NewInvoice:
    """Return an invoice as it is stored. One that is not sent stays in the store when it has expired."""
    assert invoice.invoice_amount is not None
    assert invoice.invoice_payment_hash is not None
    return NewInvoice(
        label=label,
        bolt12=invoice.encode(),
        description=invoice.offer_description,
        payer_note=invoice.invreq_payer_note,
        payment_hash=invoice.invoice_payment_hash,
        payment_preimage=preimage,
        amount_msat=invoice.invoice_amount,
        expires_at=invoice.expires_at,
        local_offer_id=invoice.offer_id,
        answers_request=is_sent,
    )


def _refused(request: InvoiceRequest, why: str) -> InvoiceError:
    """Return the error for a request, which it quotes."""
    return InvoiceError.build(error=f"Failed invreq{quoted(request)}: {why}")


def _label(request: InvoiceRequest, counter: int) -> str:
    offer_id, payer_id = request.offer_id, request.invreq_payer_id
    assert offer_id is not None
    assert payer_id is not None
    return f"{offer_id.hex()}-{payer_id.hex()}-{counter}"


def _period(connection: Connection, request: InvoiceRequest, now: int) -> _Period | None:
    """Return the period that is requested, if it can be paid now; None if the offer does not recur."""
    counter, recurrence = request.invreq_recurrence_counter, request.offer_recurrence
    base = request.offer_recurrence_base
    if counter is None or recurrence is None:
        return None
    basetime = _basetime(connection, request, counter - 1, now) if counter else now
    basetime = basetime if base is None else base.basetime
    rules.check_period(request)
    index = request.period_index
    window = paywindow(recurrence, request.offer_recurrence_paywindow, base, basetime, index)
    if now < window.start:
        raise _RefusedError(f"period_index {index} too early (start {window.start})")
    if now > window.end:
        raise _RefusedError(f"period_index {index} too late (ended {window.end})")
    return _Period(basetime, window)


def _basetime(connection: Connection, request: InvoiceRequest, counter: int, now: int) -> int:
    """Return the start of period 0 from the invoice with this counter, which must be paid."""
    previous = invoices.by_label(connection, _label(request, counter))
    if previous is None:
        raise _RefusedError(f"No previous invoice #{counter}")
    if previous.status is not InvoiceStatus.PAID:
        status = InvoiceStatus.EXPIRED if previous.expires_at <= now else previous.status
        raise _RefusedError(f'Previous invoice #{counter} status "{status}"')
    basetime = _parsed(previous).invoice_recurrence_basetime
    if basetime is None:
        raise _InternalError(f"the invoice {previous.label} has no basetime")
    return basetime


def _has_lapsed(stored: StoredInvoice, now: int) -> bool:
    """Return whether an invoice has expired unpaid, so that another can take its place."""
    if stored.status is InvoiceStatus.PAID:
        raise _PaidError
    if _parsed(stored).relative_expiry == 0:
        raise _RefusedError("invoice cancelled")
    return stored.status is InvoiceStatus.EXPIRED or stored.expires_at <= now


def _parsed(stored: StoredInvoice) -> Invoice:
    try:
        invoice = Invoice.parse(stored.bolt12)
    except Bolt12Error as error:
        raise _InternalError(f"the invoice {stored.label} cannot be parsed: {error}") from error
    if invoice.invoice_payment_hash != stored.payment_hash:
        raise _InternalError(f"the invoice {stored.label} has another payment hash than its row")
    return invoice
