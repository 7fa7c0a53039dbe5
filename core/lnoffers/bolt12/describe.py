"""The JSON that Core Lightning's `decode` returns for a message: same names, same order, same warnings.

Fields are shown in the order of their message's table. A field that is present is shown as its codec says, unless it is
in a table of exceptions at the end of this file. Another table holds the fields whose absence is shown, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from lnoffers.bolt12.amounts import minor_unit
from lnoffers.bolt12.bip353 import Bip353Name, has_allowed_characters
from lnoffers.bolt12.blinded_paths import BlindedPath, BlindedPayinfo, first_empty_path, path_to_json
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.decoding import Bolt12
from lnoffers.bolt12.fallbacks import PROGRAM_LENGTHS, VERSIONS, FallbackAddress, fallback_address, has_addresses
from lnoffers.bolt12.fields import (
    InvoiceFields,
    InvoiceRecurrence,
    InvoiceRequestFields,
    InvoiceTerms,
    OfferFields,
    OfferRecurrence,
    OfferTerms,
    PayerProofFields,
    RequestMetadata,
    RequestRecurrence,
    RequestTerms,
)
from lnoffers.bolt12.message import Field, Message
from lnoffers.bolt12.recurrence import Recurrence, base_to_json, paywindow_to_json, recurrence_to_json
from lnoffers.bolt12.typecheck import typechecked

T = TypeVar("T")


class Description:
    """The result of `decode` while it is built."""

    __slots__ = ("accept_unsigned", "members", "valid")

    def __init__(self, *, accept_unsigned: bool) -> None:
        self.members: dict[str, Json] = {}
        self.valid = True
        self.accept_unsigned = accept_unsigned

    def add(self, **members: Json) -> None:
        """Add members."""
        self.members |= members

    def add_field(self, field: Field[T], value: T) -> None:
        """Add a field under its own name."""
        self.members[field.json_name] = field.codec.to_json(value)

    def fault(self, name: str, text: str) -> None:
        """Add a warning about an error that makes the message invalid."""
        self.members[f"warning_{name}"] = text
        self.valid = False


@typechecked
def describe(message: Bolt12, *, accept_unsigned: bool = False) -> dict[str, Json]:
    """Return the result of `decode` for a message: hex for bytes, numbers for amounts and times, `valid` last.

    A request may lack required fields or have a wrong signature: then there are warnings, and `valid` is false. A
    proof must have been verified, and is always valid.

    Args:
        message: the message to describe.
        accept_unsigned: whether a request without an offer may be unsigned, as in the specification. Core Lightning
            calls it not valid.
    """
    description = Description(accept_unsigned=accept_unsigned)
    description.add(type=f"bolt12 {message.kind}")
    if isinstance(message, PayerProofFields):
        _show_fields(description, message, _PROOF_ORDER, _PRESENT_IN_PROOF, _ABSENT_IN_PROOF)
        description.valid = True
    else:
        if message.offer_id is not None:
            description.add(offer_id=message.offer_id.hex())
        _show_fields(description, message, message.fields.values(), _PRESENT, _ABSENT)
    unknown: list[Json] = [
        {"type": record.type, "length": len(record.value), "value": record.value.hex()}
        for record in message.unknown_records
    ]
    if unknown:
        description.members[f"unknown_{message.kind}_tlvs"] = unknown
    description.add(valid=description.valid)
    return description.members


_ShowPresent = Callable[[Description, Any, Any], None]
"""Adds a field of a message, given its value."""
_ShowAbsent = Callable[[Description, Any], None]
"""Adds the members or the warning for a message without the field."""


def _show_fields(
    description: Description,
    message: Message,
    order: Iterable[Field[Any]],
    present: Mapping[Field[Any], _ShowPresent],
    absent: Mapping[Field[Any], _ShowAbsent],
) -> None:
    values = message.values
    for field in order:
        if field.number in values:
            value = values[field.number]
            if field in present:
                present[field](description, message, value)
            else:
                description.add_field(field, value)
        elif field in absent:
            absent[field](description, message)


# ---- the offer's part


def _offer_currency(description: Description, message: OfferTerms, code: str) -> None:
    _currency(description, message, code)
    if "currency_minor_unit" not in description.members:
        description.add(warning_unknown_offer_currency="unknown currency code")  # the message is valid all the same


def _currency(description: Description, message: OfferTerms, code: str) -> None:
    description.add(offer_currency=code)
    if message.offer_amount is not None:
        description.add(offer_amount=message.offer_amount)
    decimals = minor_unit(code)
    if decimals is not None:
        description.add(currency_minor_unit=decimals)


def _offer_amount(description: Description, message: OfferTerms, amount: int) -> None:
    if message.offer_currency is None:
        description.add(offer_amount_msat=amount)


def _no_description(description: Description, message: OfferTerms) -> None:
    if message.offer_amount is not None:
        description.fault("missing_offer_description", "description is required if offer_amount is set")


def _paths(
    name: str,
    description: Description,
    _: Message,
    paths: tuple[BlindedPath, ...],
    payinfos: tuple[BlindedPayinfo, ...] | None = None,
) -> None:
    beside = [*(payinfos or ()), *[None] * len(paths)]
    description.members[name] = [path_to_json(path, payinfo) for path, payinfo in zip(paths, beside, strict=False)]
    if payinfos is not None and len(payinfos) != len(paths):
        text = f"invoice has {len(payinfos)} blinded_payinfo but {len(paths)} paths"
        description.fault("invalid_invoice_blindedpay", text)
        return
    empty = first_empty_path(paths)
    if empty is not None:
        description.fault("empty_blinded_path", f"blinded path {empty} has 0 hops")


def _offer_recurrence(
    description: Description, message: OfferFields, recurrence: Recurrence, *, compulsory: bool
) -> None:
    members: dict[str, Json] = {"compulsory_field": compulsory, **recurrence_to_json(recurrence)}
    if message.offer_recurrence_base is not None:
        members |= base_to_json(message.offer_recurrence_base)
    if message.offer_recurrence_limit is not None:
        members["limit"] = message.offer_recurrence_limit
    if message.offer_recurrence_paywindow is not None:
        members["paywindow"] = paywindow_to_json(message.offer_recurrence_paywindow)
    description.add(offer_recurrence=members)


# ---- the request's part


def _no_metadata(description: Description, _: Message) -> None:
    description.fault("missing_invreq_metadata", "invreq_metadata required")


def _invreq_bip_353_name(description: Description, _: Message, name: Bip353Name) -> None:
    description.add_field(RequestTerms.invreq_bip_353_name, name)
    for part, value in (("name", name.name), ("domain", name.domain)):
        if not has_allowed_characters(value):
            description.fault(f"invreq_bip_353_name_{part}_invalid", f"bip353 {part} field contains invalid characters")


def _recurrence_start(description: Description, message: RequestRecurrence, start: int) -> None:
    if message.invreq_recurrence_counter is not None:
        description.add(invreq_recurrence_start=start)


def _recurrence_cancel(description: Description, message: InvoiceRequestFields, _: Literal[True]) -> None:
    description.add(invreq_recurrence_cancel=True)
    cancel = "invreq_recurrence_cancel"
    if message.invreq_recurrence_counter is None:
        description.fault(f"{cancel}_without_counter", f"{cancel} is invalid without invreq_recurrence_counter")
    elif message.invreq_recurrence_counter == 0:
        description.fault(f"{cancel}_with_zero_counter", f"{cancel} is invalid with invreq_recurrence_counter zero")


def _request_signature(description: Description, message: InvoiceRequestFields, signature: bytes) -> None:
    _check_payer_id(description, message)
    if message.invreq_payer_id is not None and not message.has_valid_signature():
        description.fault("invalid_invoice_request_signature", "Bad signature")
    else:
        description.add(signature=signature.hex())


def _no_request_signature(description: Description, message: InvoiceRequestFields) -> None:
    _check_payer_id(description, message)
    if message.answers_offer or not description.accept_unsigned:
        description.fault("missing_invoice_request_signature", "Missing signature")


def _check_payer_id(description: Description, message: InvoiceRequestFields) -> None:
    if message.invreq_payer_id is None:
        description.fault("missing_invreq_payer_id", "invreq_payer_id required")


# ---- the invoice's part


def _invoice_paths(description: Description, message: InvoiceFields, paths: tuple[BlindedPath, ...]) -> None:
    _check_basetime(description, message)
    _paths_with_payinfo(description, message, paths)


def _check_basetime(description: Description, message: InvoiceFields) -> None:
    if message.offer_recurrence is not None and message.invoice_recurrence_basetime is None:
        text = "recurring invoices without a recurrence_basetime are invalid"
        description.fault("missing_invoice_recurrence_basetime", text)


def _paths_with_payinfo(description: Description, message: InvoiceTerms, paths: tuple[BlindedPath, ...]) -> None:
    _paths("invoice_paths", description, message, paths, message.invoice_blindedpay)


def _default_expiry(description: Description, message: InvoiceFields) -> None:
    description.add(invoice_relative_expiry=message.relative_expiry)


def _invoice_fallbacks(
    description: Description, message: InvoiceFields | PayerProofFields, fallbacks: tuple[FallbackAddress, ...]
) -> None:
    chain = BITCOIN if message.invreq_chain is None else message.invreq_chain
    description.add(invoice_fallbacks=[_fallback(description, each, chain) for each in fallbacks])


def _fallback(description: Description, fallback: FallbackAddress, chain: bytes) -> Json:
    members: dict[str, Json] = {"version": fallback.version, "hex": fallback.address.hex()}
    address = fallback_address(fallback, chain)
    if fallback.version not in VERSIONS:
        members["warning_invalid_invoice_fallbacks_version"] = "invoice fallback version > 16"
    elif len(fallback.address) not in PROGRAM_LENGTHS:
        members["warning_invalid_invoice_fallbacks_address"] = "invoice fallback address bad length"
    elif address is not None:
        members["address"] = address
        return members
    elif has_addresses(chain):
        members["warning_invalid_invoice_fallbacks_address"] = "invalid fallback address for this version"
    else:
        return members
    description.valid = False
    return members


def _recurrence_basetime(description: Description, message: InvoiceFields, basetime: int) -> None:
    if message.offer_recurrence is not None:
        description.add_field(InvoiceRecurrence.invoice_recurrence_basetime, basetime)


def _nothing_omitted(description: Description, _: Message) -> None:
    description.add(proof_omitted_tlvs=[])


def _elsewhere(_shown: Description, _message: Message, _value: object) -> None:
    """Add nothing: the field is shown within the members of another one."""


# ---- the tables


_PRESENT: Mapping[Field[Any], _ShowPresent] = MappingProxyType(
    {
        OfferTerms.offer_currency: _offer_currency,
        OfferTerms.offer_amount: _offer_amount,
        OfferTerms.offer_paths: partial(_paths, "offer_paths"),
        OfferRecurrence.offer_recurrence_compulsory: partial(_offer_recurrence, compulsory=True),
        OfferRecurrence.offer_recurrence_optional: partial(_offer_recurrence, compulsory=False),
        OfferRecurrence.offer_recurrence_base: _elsewhere,
        OfferRecurrence.offer_recurrence_paywindow: _elsewhere,
        OfferRecurrence.offer_recurrence_limit: _elsewhere,
        RequestTerms.invreq_paths: partial(_paths, "invreq_paths"),
        RequestTerms.invreq_bip_353_name: _invreq_bip_353_name,
        RequestRecurrence.invreq_recurrence_start: _recurrence_start,
        InvoiceRequestFields.invreq_recurrence_cancel: _recurrence_cancel,
        InvoiceRequestFields.signature: _request_signature,
        InvoiceTerms.invoice_paths: _invoice_paths,
        InvoiceTerms.invoice_blindedpay: _elsewhere,
        InvoiceTerms.invoice_fallbacks: _invoice_fallbacks,
        InvoiceRecurrence.invoice_recurrence_basetime: _recurrence_basetime,
    }
)
_ABSENT: Mapping[Field[Any], _ShowAbsent] = MappingProxyType(
    {
        OfferTerms.offer_description: _no_description,
        RequestMetadata.invreq_metadata: _no_metadata,
        InvoiceRequestFields.signature: _no_request_signature,
        InvoiceTerms.invoice_paths: _check_basetime,
        InvoiceTerms.invoice_relative_expiry: _default_expiry,
    }
)

# A proof shows what was in an invoice that has been paid, so nothing is a fault, and what is absent may be hidden.
_PRESENT_IN_PROOF: Mapping[Field[Any], _ShowPresent] = MappingProxyType(
    {
        OfferTerms.offer_currency: _currency,
        OfferTerms.offer_amount: _offer_amount,
        OfferTerms.offer_paths: partial(_paths, "offer_paths"),
        RequestTerms.invreq_paths: partial(_paths, "invreq_paths"),
        InvoiceTerms.invoice_paths: _paths_with_payinfo,
        InvoiceTerms.invoice_blindedpay: _elsewhere,
        InvoiceTerms.invoice_fallbacks: _invoice_fallbacks,
    }
)
_ABSENT_IN_PROOF: Mapping[Field[Any], _ShowAbsent] = MappingProxyType(
    {PayerProofFields.proof_omitted_tlvs: _nothing_omitted}
)
_PROOF_ORDER = sorted(
    PayerProofFields.fields.values(), key=lambda field: (field is PayerProofFields.proof_signature, field.number)
)
