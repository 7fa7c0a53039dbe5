"""xpay: pay an invoice, or fetch one for an offer and pay that, through the payment backend."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from lnoffers import bolt11
from lnoffers.bolt12 import Bolt12Error, Invoice, Offer, without_scheme
from lnoffers.fetching.question import Question
from lnoffers.service import request_terms
from lnoffers.service.commands.asking import AskingCommands
from lnoffers.service.commands.codes import (
    OFFER_EXPIRED,
    PAY_ALREADY_PAID,
    PAY_IN_PROGRESS,
    PAY_INVOICE_EXPIRED,
    PAY_INVOICE_REQUEST_INVALID,
    PAY_STOPPED_RETRYING,
    PAY_UNSPECIFIED_ERROR,
)
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments.checking import BadInvoiceError, Checker
from lnoffers.service.payments.limits import LimitError
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.payments import ClaimError, StoredPayment
from lnoffers.service.tasks import done_within

if TYPE_CHECKING:
    from lnoffers.service.payments.payer import Ending, Payer
    from lnoffers.service.peers import Peers

T = TypeVar("T")

PAY_SECONDS: Final = 60
"""The default of `retry_for`."""
DEFAULT_DELAY: Final = 2016
"""The default of `maxdelay`, which backends keep on their own."""
_NOT_HERE: Final = {
    "maxfee": "the limit for fees is the server's: set --max-fee when you start it",
    "layers": "the payment backend chooses its routes itself",
    "partial_msat": "an invoice is paid as a whole here",
    "label": "payments have no labels here; listpays finds them by their invoice",
    "dev_use_shadow": "the payment backend chooses its routes itself",
}
"""Parameters that no backend can honour, and why."""


class XpayCommands(AskingCommands):
    """xpay."""

    def xpay(self, request: types.XpayRequest) -> Awaitable[types.XpayResponse]:
        """Pay an invoice or an offer, and return the preimage."""
        wanted = self._payable(request)
        payer, seconds = self._payer, PAY_SECONDS if request.retry_for is None else request.retry_for
        if not payer.backend.pays:
            raise RpcError(
                PAY_UNSPECIFIED_ERROR, "This server does not pay: start it with a payment backend (--backend)"
            )
        if isinstance(wanted, Invoice):
            return self._pay(payer, wanted, seconds)
        terms = request_terms.to_pay(request, wanted)
        signed = self._signed(wanted, terms, self._new_metadata())
        return self._fetch_and_pay(self._peers, payer, wanted, Question(signed), seconds)

    def rpc_check_xpay(self, request: types.XpayRequest) -> None:
        """Check that the parameters go together, and that the string can be paid."""
        self._payable(request)

    def _payable(self, request: types.XpayRequest) -> Invoice | Offer:
        for name, why in _NOT_HERE.items():
            if getattr(request, name) is not None:
                raise RpcError(INVALID_PARAMS, f"{name}: not available here: {why}")
        if request.maxdelay != DEFAULT_DELAY:
            raise RpcError(INVALID_PARAMS, f"maxdelay: not available here: {_NOT_HERE['layers']}")
        string = without_scheme(request.invstring)
        lowered = string.lower()
        if lowered.startswith("lno1"):
            return self._payable_offer(request, string)
        if lowered.startswith("lni1"):
            return self._payable_invoice(request, string)
        if "@" in string:
            why = "names are not looked up here; find the offer of this name, and pass that"
        elif bolt11.has_prefix(string):
            why = "only BOLT 12 is paid here, and this is a BOLT 11 invoice"
        else:
            why = "expected a BOLT 12 invoice (lni1...) or offer (lno1...)"
        raise RpcError(INVALID_PARAMS, f"invstring: {why}")

    def _payable_offer(self, request: types.XpayRequest, string: str) -> Offer:
        """Return an offer that can be paid at once; the checks and their texts are those of lightningd."""
        try:
            offer = Offer.parse(string, chain=self._chain)
        except Bolt12Error as error:
            raise RpcError(INVALID_PARAMS, f"Invalid bolt12 offer: {error.message}") from error
        price, given = offer.offer_amount, request.amount_msat
        if offer.offer_currency is not None:
            why = f"Cannot pay offer in different currency {offer.offer_currency}"
        elif price is not None and given is not None and price != given:
            why = f"Offer amount is {price}msat, you tried to pay {given}msat"
        elif price is None and given is None:
            why = "Must specify amount for this offer"
        elif offer.offer_recurrence is not None:
            why = "Cannot xpay recurring offers"
        elif request.localinvreqid is not None:
            why = "Cannot use localinvreqid with offer payment"
        else:
            if offer.offer_absolute_expiry is not None and self._node.clock.now() > offer.offer_absolute_expiry:
                raise RpcError(OFFER_EXPIRED, "Offer expired")
            self._check_request(request, offer)
            return offer
        raise RpcError(INVALID_PARAMS, why)

    def _check_request(self, request: types.XpayRequest, offer: Offer) -> None:
        """Check that a request for the offer can be made."""
        terms = request_terms.to_pay(request, offer)
        request_terms.build(offer, terms, bytes(1), self._node.keys.node_id, self._chain)

    def _payable_invoice(self, request: types.XpayRequest, string: str) -> Invoice:
        """Return an invoice that is valid; whether it may be paid now follows when it is claimed."""
        try:
            invoice = Invoice.parse(string, chain=self._chain)
            if request.amount_msat is not None:
                raise RpcError(INVALID_PARAMS, "Cannot override amount for bolt12 invoices")
            if invoice.invoice_amount == 0:
                raise RpcError(INVALID_PARAMS, "Invalid bolt12 invoice with zero amount")
            invoice.verify()
        except Bolt12Error as error:
            raise RpcError(INVALID_PARAMS, f"Invalid bolt12 invoice: {error.message}") from error
        if request.payer_note is not None:
            raise RpcError(INVALID_PARAMS, "payer_note: only the request for an offer has one, and this is an invoice")
        if request.localinvreqid not in (None, invoice.invreq_id.hex()):
            raise RpcError(INVALID_PARAMS, "localinvreqid: the invoice is for another invoice_request")
        ago = self._node.clock.now() - invoice.expires_at
        if ago > 0:
            raise RpcError(PAY_INVOICE_EXPIRED, f"Invoice expired {ago} seconds ago")
        return invoice

    async def _fetch_and_pay(
        self, peers: Peers, payer: Payer, offer: Offer, question: Question, seconds: int
    ) -> types.XpayResponse:
        # Without max_amount, an invoice for another amount than the request's or the offer's is refused.
        invoice = await self._fetched(peers, offer, question, max_amount=None, seconds=seconds)
        return await self._pay(payer, invoice, seconds)

    async def _pay(self, payer: Payer, invoice: Invoice, seconds: int) -> types.XpayResponse:
        """Pay an invoice, and wait for the result; the payment goes on if nobody waits any more."""
        paying = payer.begin(partial(self._claimed, payer, invoice), invoice)
        return _response(await result_within(paying, seconds))

    def _claimed(self, payer: Payer, invoice: Invoice) -> StoredPayment:
        """Claim an invoice, in the thread that uses the store."""
        checker = Checker(self._node, payer)
        with self._transaction() as connection:
            is_ours = invoicerequests.status_of(connection, invoice.invreq_id) is not None
            same = payments.by_payment_hash(connection, invoice.invoice_payment_hash or b"")
            if same is not None and same.bolt12 == invoice.encode():
                _check_new(same)
            try:
                checker.check_known(connection, invoice)
                return payer.claim(connection, invoice)
            except (BadInvoiceError, Bolt12Error, ClaimError) as error:
                raise RpcError(PAY_INVOICE_REQUEST_INVALID if is_ours else PAY_UNSPECIFIED_ERROR, str(error)) from error
            except LimitError as error:
                raise RpcError(PAY_UNSPECIFIED_ERROR, str(error)) from error


async def result_within(paying: asyncio.Task[T], seconds: int) -> T:
    """Return the result of a payment. It goes on if there is none in time.

    Raises:
        RpcError: in that case.
    """
    if not await done_within(paying, seconds):
        raise RpcError(
            PAY_STOPPED_RETRYING,
            f"No result after {seconds} seconds. The payment goes on and may succeed: listpays shows its result",
        )
    return paying.result()


def _check_new(payment: StoredPayment) -> None:
    """Refuse to pay an invoice again, unless it is certain that its payment has failed."""
    if payment.state is PaymentState.PAID:
        raise RpcError(PAY_ALREADY_PAID, "Already paid this invoice successfully")
    if payment.state is not PaymentState.FAILED:
        raise RpcError(PAY_IN_PROGRESS, "The payment of this invoice is still in progress: listpays shows its result")


def _response(ending: Ending) -> types.XpayResponse:
    payment = ending.payment
    if payment.state is PaymentState.FAILED:
        raise RpcError(ending.code, f"Failed: {payment.reason}")
    if payment.preimage is None:  # another server has taken it over, or it could not be counted
        raise RpcError(PAY_STOPPED_RETRYING, "The result is not known here yet: listpays shows it")
    return types.XpayResponse(
        payment_preimage=payment.preimage.hex(),
        amount_msat=payment.amount_msat,
        amount_sent_msat=payment.amount_msat if payment.sent_msat is None else payment.sent_msat,
        failed_parts=0,
        successful_parts=1,
    )
