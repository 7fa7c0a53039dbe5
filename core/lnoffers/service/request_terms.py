"""Convert a request of `fetchinvoice` or `cancelrecurringinvoice` to fields of an invoice_request, with lightningd's
checks of its parameters against the offer.

This uses no store, keys or randomness, so the command `check` can use it too. Source: Core Lightning,
plugins/fetchinvoice.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypedDict

from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken
from lnoffers.bolt12 import Bip353Name, Bolt12Error, InvoiceRequest, Offer, UnsignedInvoiceRequest
from lnoffers.service.parameters import requests as parameters

if TYPE_CHECKING:
    from clnrpc.types import CancelrecurringinvoiceRequest, FetchinvoiceRequest, XpayRequest

_PARAMETERS: Final = {
    "invreq_amount": "amount_msat",
    "invreq_bip_353_name": "bip353",
    "invreq_metadata": "payer_metadata",
}
"""Field -> parameter, where the parameter's name is not just the field's without its prefix."""


class Terms(TypedDict, total=False):
    """The fields of a request that its payer decides, as `InvoiceRequest.for_offer` takes them."""

    invreq_amount: int | None
    invreq_quantity: int | None
    invreq_payer_note: str | None
    invreq_bip_353_name: Bip353Name | None
    invreq_recurrence_counter: int | None
    invreq_recurrence_start: int | None
    invreq_recurrence_cancel: Literal[True] | None


def read_offer(text: str, chain: bytes) -> Offer:
    """Parse an offer for this chain.

    Raises:
        BadParameter: if it is not one.
    """
    try:
        return Offer.parse(text, chain=chain)
    except Bolt12Error as error:
        bad = BadToken(f"Unparsable offer: {error.message}", token=b'"%b"' % text.encode())
        raise BadParameter("offer", bad) from error


def read_request(text: str, chain: bytes) -> InvoiceRequest:
    """Parse a request without an offer for this chain.

    Raises:
        BadParameter: if it is not one.
    """
    try:
        request = InvoiceRequest.parse(text, chain=chain)
    except Bolt12Error as error:
        raise bad_request(f"Unparsable invoice_request: {error.message}", text) from error
    if request.answers_offer:
        raise bad_request("This is based on an offer?", text)
    return request


def bad_request(why: str, text: str) -> BadParameter:
    """Return the error for a request that cannot be answered."""
    return BadParameter("invreq", BadToken(why, token=b'"%b"' % text.encode()))


def to_fetch(request: FetchinvoiceRequest, offer: Offer) -> Terms:
    """Return the fields for `fetchinvoice`, checked in lightningd's order.

    Raises:
        RpcError: for the first parameter that is wrong.
    """
    _check_amount_and_quantity(request, offer)
    start = _recurrence_start(request, offer)
    return Terms(
        invreq_amount=request.amount_msat,
        invreq_quantity=request.quantity,
        invreq_payer_note=request.payer_note,
        invreq_bip_353_name=_name(request.bip353),
        invreq_recurrence_counter=request.recurrence_counter,
        invreq_recurrence_start=start,
    )


def to_pay(request: XpayRequest, offer: Offer) -> Terms:
    """Return the fields for `xpay`, which pays one item of an offer that does not recur."""
    if offer.offer_quantity_max is not None:
        raise RpcError(INVALID_PARAMS, "quantity parameter required: fetch an invoice with fetchinvoice, and pay that")
    amount = request.amount_msat if offer.offer_amount is None else None
    return Terms(invreq_amount=amount, invreq_payer_note=request.payer_note)


def to_cancel(request: CancelrecurringinvoiceRequest, offer: Offer) -> Terms:
    """Return the fields for `cancelrecurringinvoice`, checked in lightningd's order.

    Raises:
        RpcError: for the first parameter that is wrong.
    """
    if offer.offer_recurrence is None:
        raise RpcError(INVALID_PARAMS, "Not a recurring offer")
    if request.recurrence_counter == 0:
        raise BadParameter("recurrence_counter", BadToken("Must be non-zero"))
    return Terms(
        invreq_payer_note=request.payer_note,
        invreq_bip_353_name=_name(request.bip353),
        invreq_recurrence_counter=request.recurrence_counter,
        invreq_recurrence_start=_start(request.recurrence_start, offer),
        invreq_recurrence_cancel=True,
    )


def build(offer: Offer, terms: Terms, metadata: bytes, payer_id: bytes, chain: bytes) -> UnsignedInvoiceRequest:
    """Return the request for an offer.

    Core Lightning always writes its features, and so does this, although there are none.

    Raises:
        RpcError: if the offer does not allow it.
    """
    try:
        return InvoiceRequest.for_offer(
            offer,
            invreq_metadata=metadata,
            invreq_payer_id=payer_id,
            invreq_chain=chain,
            invreq_features=b"",
            **terms,
        )
    except Bolt12Error as error:
        field = error.field or "offer"
        place = _PARAMETERS.get(field, field.removeprefix("invreq_"))
        why = error.message.removeprefix(f"{field}: ")
        raise RpcError(INVALID_PARAMS, f"{place}: {why}") from error


def _check_amount_and_quantity(request: FetchinvoiceRequest, offer: Offer) -> None:
    if offer.offer_amount is None and request.amount_msat is None:
        raise RpcError(INVALID_PARAMS, "amount_msat parameter required")
    maximum, quantity = offer.offer_quantity_max, request.quantity
    if maximum is None:
        if quantity is not None:
            raise RpcError(INVALID_PARAMS, "quantity parameter unnecessary")
    elif quantity is None:
        raise RpcError(INVALID_PARAMS, "quantity parameter required")
    elif quantity == 0:
        raise RpcError(INVALID_PARAMS, "quantity parameter must be non-zero")
    elif maximum and quantity > maximum:
        raise RpcError(INVALID_PARAMS, f"quantity must be <= {maximum}")


def _recurrence_start(request: FetchinvoiceRequest, offer: Offer) -> int | None:
    """Return the index of the first period, and check the other parameters of recurring offers."""
    start = None if request.recurrence_start is None else int(request.recurrence_start)
    if offer.offer_recurrence is None:
        if request.recurrence_counter is not None:
            raise RpcError(INVALID_PARAMS, "unnecessary invreq_recurrence_counter")
        if start is not None:
            raise RpcError(INVALID_PARAMS, "unnecessary invreq_recurrence_start")
        return None
    if request.recurrence_counter is None:
        raise RpcError(INVALID_PARAMS, "needs recurrence_counter")
    if request.payer_metadata is not None:
        raise RpcError(INVALID_PARAMS, "Cannot set payer_metadata for recurring offers")
    start = _start(start, offer)
    if request.recurrence_label is None:
        raise RpcError(INVALID_PARAMS, "needs recurrence_label")
    return start


def _start(given: float | None, offer: Offer) -> int | None:
    """Return the index of the first period of a recurring offer; None if each series begins with its first payment."""
    if offer.offer_recurrence_base is not None:
        return int(given or 0)
    if given is not None:
        raise RpcError(INVALID_PARAMS, "unnecessary recurrence_start")
    return None


def _name(text: str | None) -> Bip353Name | None:
    return None if text is None else parameters.name(text)
