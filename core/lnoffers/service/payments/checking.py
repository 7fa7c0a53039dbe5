"""Check an invoice that has arrived for a request of this node, and claim the request for it.

The checks and most of their texts are Core Lightning's (plugins/offers_inv_hook.c). It pays every invoice with a valid
signature. Beyond that, an invoice is refused here if its amount differs from the request's, if the request names
another payee or has expired, or if its payment would come back to this node.

The request is not read: an invoice repeats it, and its id, by which it is found, covers all that is repeated.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Final, NamedTuple

from lnoffers.bolt12 import CHAINS, Bolt12Error, Invoice
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN
from lnoffers.service.errors import ServiceError
from lnoffers.service.message_paths import expected_path_id, own_path_id
from lnoffers.service.payments.limits import LimitError
from lnoffers.service.peers.replies import quoted
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, invoices
from lnoffers.service.store.invoices import MAX_NUMBER
from lnoffers.service.store.payments import ClaimError, StoredPayment

if TYPE_CHECKING:
    from lnoffers.service.node import Node
    from lnoffers.service.payments.payer import Payer
    from lnoffers.service.store import Connection

_UNKNOWN: Final = "Unknown invoice_request ID"


class RefusedError(ServiceError):
    """The invoice is not paid; the message is for the payee.

    Attributes:
        reason: why, without the invoice, which the message may quote.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Claimed(NamedTuple):
    """An invoice whose request is claimed for it."""

    payment: StoredPayment
    invoice: Invoice


class Checker:
    """Checks the invoices for a node's requests. One thread uses it at a time: the one that uses the store."""

    def __init__(self, node: Node, payer: Payer) -> None:
        self._node = node
        self._chain = CHAINS[node.options.network]
        self._payer = payer

    def claim(self, data: bytes, path_id: bytes | None) -> Claimed | RefusedError:
        """Check an invoice, and claim its request for it in the transaction of the caller's turn.

        Args:
            data: the invoice as it arrived, a TLV stream.
            path_id: the path_id of the path on which it arrived, if this node made that path.

        Raises:
            StoreError: if the store fails.
            LockedError: if another process is writing; nothing has changed.
        """
        try:
            invoice = Invoice.from_bytes(data, chain=self._chain)
        except Bolt12Error as error:
            why = f"Invalid invoice: {error.message}"
            return RefusedError(why, why)
        try:
            with self._node.store.transaction() as connection:
                self._check(connection, invoice, path_id)
                return Claimed(self._payer.claim(connection, invoice), invoice)
        except Bolt12Error as error:
            return refusal(invoice, error.message)
        except LimitError as error:
            return refusal(invoice, f"it exceeds the payer's limit {error.which}", reason=str(error))
        except (ClaimError, BadInvoiceError) as error:
            return refusal(invoice, str(error))

    def _check(self, connection: Connection, invoice: Invoice, path_id: bytes | None) -> None:
        terms = invoicerequests.terms_of(connection, invoice.invreq_id)
        if terms is None:
            raise BadInvoiceError(_UNKNOWN)
        self._check_path(invoice, path_id)
        self._check_terms(connection, invoice, *terms)

    def check_known(self, connection: Connection, invoice: Invoice) -> None:
        """Check an invoice that somebody wants to pay; if this node has made its request, that must allow it.

        Raises:
            BadInvoiceError: if it must not be paid.
            Bolt12Error: if it is not valid.
        """
        terms = invoicerequests.terms_of(connection, invoice.invreq_id)
        if terms is not None:
            self._check_terms(connection, invoice, *terms)
            return
        invoice.verify()
        invoice.check_unexpired(self._node.clock.now())
        self._check_payable(connection, invoice)

    def _check_terms(self, connection: Connection, invoice: Invoice, status: Status, payee: bytes | None) -> None:
        """Check an invoice for a request of this node, which has this state, and may name a payee."""
        if Status.ACTIVE not in status and Status.USED not in status:
            raise BadInvoiceError("invoice_request no longer available")
        now = self._node.clock.now()
        if invoice.offer_absolute_expiry is not None and now > invoice.offer_absolute_expiry:
            raise BadInvoiceError("invoice_request has expired")
        invoice.verify_asked()
        invoice.check_unexpired(now)
        if payee not in (None, invoice.invoice_node_id):
            raise BadInvoiceError("the invoice_request is for another payee")
        self._check_payable(connection, invoice)

    def _check_path(self, invoice: Invoice, path_id: bytes | None) -> None:
        """Check that the invoice has come along the path that its request demands, as requests for offers must."""
        path_id = own_path_id(path_id)
        if invoice.invreq_paths is None:
            if path_id is not None:
                raise BadInvoiceError(_UNKNOWN)
            return
        number = Invoice.invreq_paths.number
        expected = expected_path_id(self._node.keys, invoice, number, INVOICE_REQUEST_SPAN)
        if path_id is None or not compare_digest(path_id, expected):
            raise BadInvoiceError(_UNKNOWN)

    def _check_payable(self, connection: Connection, invoice: Invoice) -> None:
        """Check that the payment can be stored, and leads to another node."""
        if (invoice.invoice_amount or 0) > MAX_NUMBER:
            raise BadInvoiceError("Excessive invoice_amount")
        node_id, payment_hash = self._node.keys.node_id, invoice.invoice_payment_hash
        assert payment_hash is not None  # it is verified
        if invoice.invoice_node_id == node_id or invoices.has(connection, payment_hash):
            raise BadInvoiceError("the invoice is this node's own")
        if any(path.first_node_id == node_id for path in invoice.invoice_paths or ()):
            raise BadInvoiceError("invoice_paths lead through this node, which forwards no payments")


class BadInvoiceError(ServiceError):
    """The invoice breaks a rule; the message says which."""


def refusal(invoice: Invoice, why: str, reason: str | None = None) -> RefusedError:
    """Return the error for the payee, which quotes the invoice unless that is too long. `reason` is for the log."""
    return RefusedError(f"Failed invoice{quoted(invoice)}: {why}", why if reason is None else reason)
