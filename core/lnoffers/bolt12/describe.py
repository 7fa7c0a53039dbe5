"""The JSON that Core Lightning's `decode` answers for a message: same names, same order, same warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lnoffers.bolt12.amounts import minor_unit
from lnoffers.bolt12.bip353 import has_allowed_characters
from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.invoice_request import InvoiceRequest
from lnoffers.bolt12.message import Field
from lnoffers.bolt12.paths import first_empty_path
from lnoffers.bolt12.recurrence import Recurrence, base_to_json, paywindow_to_json, recurrence_to_json

Shown = dict[str, Json]

_HARMLESS_WARNING = "warning_unknown_offer_currency"  # every other warning makes the message invalid


def describe(request: InvoiceRequest) -> Shown:
    """What `decode` answers for a request, in order: hex for bytes, integers for amounts and times, `valid` last.

    The request may lack what a reader insists on, or have a wrong signature: warnings say so, and `valid` is false.
    """
    shown: Shown = {"type": "bolt12 invoice_request"}
    if request.offer_id is not None:
        shown["offer_id"] = request.offer_id.hex()
    for field in request.fields.values():
        special = _SPECIAL.get(field.name)
        shown |= special(request) if special else _plain(request, field)
    unknown: list[Json] = [
        {"type": record.type, "length": len(record.value), "value": record.value.hex()}
        for record in request.unknown_records
    ]
    if unknown:
        shown["unknown_invoice_request_tlvs"] = unknown
    shown["valid"] = not any(name.startswith("warning_") and name != _HARMLESS_WARNING for name in shown)
    return shown


def _plain(request: InvoiceRequest, field: Field[Any]) -> Shown:
    value = getattr(request, field.name)
    return {} if value is None else {field.json_name: field.codec.to_json(value)}


def _offer_currency(request: InvoiceRequest) -> Shown:
    code = request.offer_currency
    if code is None:
        return {}
    decimals = minor_unit(code)
    return {
        "offer_currency": code,
        **({} if request.offer_amount is None else {"offer_amount": request.offer_amount}),
        **({_HARMLESS_WARNING: "unknown currency code"} if decimals is None else {"currency_minor_unit": decimals}),
    }


def _offer_amount(request: InvoiceRequest) -> Shown:
    if request.offer_amount is None or request.offer_currency is not None:
        return {}
    return {"offer_amount_msat": request.offer_amount}


def _offer_description(request: InvoiceRequest) -> Shown:
    if request.offer_description is None and request.offer_amount is not None:
        return {"warning_missing_offer_description": "description is required if offer_amount is set"}
    return _plain(request, InvoiceRequest.offer_description)


def _offer_paths(request: InvoiceRequest) -> Shown:
    shown = _plain(request, InvoiceRequest.offer_paths)
    empty = first_empty_path(request.offer_paths)
    if empty is not None:
        shown["warning_empty_blinded_path"] = f"blinded path {empty} has 0 hops"
    return shown


def _offer_recurrence(request: InvoiceRequest, recurrence: Recurrence | None, *, compulsory: bool) -> Shown:
    if recurrence is None:
        return {}
    shown: Shown = {"compulsory_field": compulsory, **recurrence_to_json(recurrence)}
    if request.offer_recurrence_base is not None:
        shown |= base_to_json(request.offer_recurrence_base)
    if request.offer_recurrence_limit is not None:
        shown["limit"] = request.offer_recurrence_limit
    if request.offer_recurrence_paywindow is not None:
        shown["paywindow"] = paywindow_to_json(request.offer_recurrence_paywindow)
    return {"offer_recurrence": shown}


def _invreq_metadata(request: InvoiceRequest) -> Shown:
    if request.invreq_metadata is None:
        return {"warning_missing_invreq_metadata": "invreq_metadata required"}
    return _plain(request, InvoiceRequest.invreq_metadata)


def _invreq_bip_353_name(request: InvoiceRequest) -> Shown:
    shown = _plain(request, InvoiceRequest.invreq_bip_353_name)
    if request.invreq_bip_353_name is not None:
        for part in ("name", "domain"):
            if not has_allowed_characters(getattr(request.invreq_bip_353_name, part)):
                shown[f"warning_invreq_bip_353_name_{part}_invalid"] = (
                    f"bip353 {part} field contains invalid characters"
                )
    return shown


def _invreq_recurrence_start(request: InvoiceRequest) -> Shown:
    if request.invreq_recurrence_counter is None:
        return {}
    return _plain(request, InvoiceRequest.invreq_recurrence_start)


def _invreq_recurrence_cancel(request: InvoiceRequest) -> Shown:
    shown = _plain(request, InvoiceRequest.invreq_recurrence_cancel)
    if shown and request.invreq_recurrence_counter is None:
        shown["warning_invreq_recurrence_cancel_without_counter"] = (
            "invreq_recurrence_cancel is invalid without invreq_recurrence_counter"
        )
    elif shown and request.invreq_recurrence_counter == 0:
        shown["warning_invreq_recurrence_cancel_with_zero_counter"] = (
            "invreq_recurrence_cancel is invalid with invreq_recurrence_counter zero"
        )
    return shown


def _signature(request: InvoiceRequest) -> Shown:
    shown: Shown = {}
    if request.invreq_payer_id is None:
        shown["warning_missing_invreq_payer_id"] = "invreq_payer_id required"
    if request.signature is None:
        shown["warning_missing_invoice_request_signature"] = "Missing signature"
    elif request.invreq_payer_id is not None and not request.has_valid_signature():
        shown["warning_invalid_invoice_request_signature"] = "Bad signature"
    else:
        shown["signature"] = request.signature.hex()
    return shown


def _nothing(_: InvoiceRequest) -> Shown:
    return {}


# The fields that are shown as more than their value, or within another field.
_SPECIAL: Mapping[str, Callable[[InvoiceRequest], Shown]] = {
    "offer_currency": _offer_currency,
    "offer_amount": _offer_amount,
    "offer_description": _offer_description,
    "offer_paths": _offer_paths,
    "offer_recurrence_compulsory": lambda r: _offer_recurrence(r, r.offer_recurrence_compulsory, compulsory=True),
    "offer_recurrence_optional": lambda r: _offer_recurrence(r, r.offer_recurrence_optional, compulsory=False),
    "offer_recurrence_base": _nothing,
    "offer_recurrence_paywindow": _nothing,
    "offer_recurrence_limit": _nothing,
    "invreq_metadata": _invreq_metadata,
    "invreq_bip_353_name": _invreq_bip_353_name,
    "invreq_recurrence_start": _invreq_recurrence_start,
    "invreq_recurrence_cancel": _invreq_recurrence_cancel,
    "signature": _signature,
}
