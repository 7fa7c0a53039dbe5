"""The JSON that Core Lightning's `decode` returns for a message: same names, same order, same warnings.

Most fields are shown as their codecs say, in the order of their message's table. What is shown otherwise has a
function below, in a table by field; the functions are called whether the field is there or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from lnoffers.bolt12.amounts import minor_unit
from lnoffers.bolt12.bip353 import has_allowed_characters
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

    def add_field(self, message: Message, field: Field[Any]) -> None:
        """Add a field under its own name, if the message has it."""
        value = getattr(message, field.name)
        if value is not None:
            self.members[field.json_name] = field.codec.to_json(value)

    def fault(self, name: str, text: str) -> None:
        """Add a warning about an error that makes the message invalid."""
        self.members[f"warning_{name}"] = text
        self.valid = False


@typechecked
def describe(message: Bolt12, *, accept_unsigned: bool = False) -> dict[str, Json]:
    """Return the result of `decode` for a message: hex for bytes, numbers for amounts and times, `valid` last.

    A request may lack what a reader insists on, or have a wrong signature: warnings say so, and `valid` is false. A
    proof must have been verified: it is valid.

    Args:
        message: what is described.
        accept_unsigned: whether a request without an offer may be unsigned, as in the specification. Core Lightning
            calls it not valid.
    """
    description = Description(accept_unsigned=accept_unsigned)
    description.add(type=f"bolt12 {message.kind}")
    if isinstance(message, PayerProofFields):
        _show_fields(description, message, _PROOF_ORDER, _SPECIAL_IN_PROOFS)
        description.valid = True
    else:
        if message.offer_id is not None:
            description.add(offer_id=message.offer_id.hex())
        _show_fields(description, message, message.fields.values(), _SPECIAL)
    unknown: list[Json] = [
        {"type": record.type, "length": len(record.value), "value": record.value.hex()}
        for record in message.unknown_records
    ]
    if unknown:
        description.members[f"unknown_{message.kind}_tlvs"] = unknown
    description.add(valid=description.valid)
    return description.members


_Describer = Callable[[Description, Any], None]


def _show_fields(
    description: Description, message: Message, order: Iterable[Field[Any]], special: Mapping[Field[Any], _Describer]
) -> None:
    for field in order:
        if field in special:
            special[field](description, message)
        else:
            description.add_field(message, field)


# ---- the offer's part


def _offer_currency(description: Description, message: OfferTerms) -> None:
    if message.offer_currency is not None:
        _currency(description, message)
        if "currency_minor_unit" not in description.members:
            description.add(warning_unknown_offer_currency="unknown currency code")  # which is no fault of the message


def _currency(description: Description, message: OfferTerms) -> None:
    code = message.offer_currency
    if code is None:
        return
    description.add(offer_currency=code)
    if message.offer_amount is not None:
        description.add(offer_amount=message.offer_amount)
    decimals = minor_unit(code)
    if decimals is not None:
        description.add(currency_minor_unit=decimals)


def _offer_amount(description: Description, message: OfferTerms) -> None:
    if message.offer_amount is not None and message.offer_currency is None:
        description.add(offer_amount_msat=message.offer_amount)


def _offer_description(description: Description, message: OfferTerms) -> None:
    if message.offer_description is not None:
        description.add(offer_description=message.offer_description)
    elif message.offer_amount is not None:
        description.fault("missing_offer_description", "description is required if offer_amount is set")


def _paths(
    description: Description,
    name: str,
    paths: tuple[BlindedPath, ...],
    payinfos: tuple[BlindedPayinfo, ...] | None = None,
) -> None:
    beside = [*(payinfos or ()), *(None for _ in paths)]
    description.members[name] = [path_to_json(path, payinfo) for path, payinfo in zip(paths, beside, strict=False)]
    if payinfos is not None and len(payinfos) != len(paths):
        text = f"invoice has {len(payinfos)} blinded_payinfo but {len(paths)} paths"
        description.fault("invalid_invoice_blindedpay", text)
        return
    empty = first_empty_path(paths)
    if empty is not None:
        description.fault("empty_blinded_path", f"blinded path {empty} has 0 hops")


def _offer_paths(description: Description, message: OfferTerms) -> None:
    if message.offer_paths is not None:
        _paths(description, "offer_paths", message.offer_paths)


def _offer_recurrence(
    description: Description, message: OfferFields, recurrence: Recurrence | None, *, compulsory: bool
) -> None:
    if recurrence is None:
        return
    members: dict[str, Json] = {"compulsory_field": compulsory, **recurrence_to_json(recurrence)}
    if message.offer_recurrence_base is not None:
        members |= base_to_json(message.offer_recurrence_base)
    if message.offer_recurrence_limit is not None:
        members["limit"] = message.offer_recurrence_limit
    if message.offer_recurrence_paywindow is not None:
        members["paywindow"] = paywindow_to_json(message.offer_recurrence_paywindow)
    description.add(offer_recurrence=members)


def _recurrence_compulsory(description: Description, message: OfferFields) -> None:
    _offer_recurrence(description, message, message.offer_recurrence_compulsory, compulsory=True)


def _recurrence_optional(description: Description, message: OfferFields) -> None:
    _offer_recurrence(description, message, message.offer_recurrence_optional, compulsory=False)


# ---- the request's part


def _invreq_metadata(description: Description, message: RequestMetadata) -> None:
    if message.invreq_metadata is None:
        description.fault("missing_invreq_metadata", "invreq_metadata required")
    else:
        description.add(invreq_metadata=message.invreq_metadata.hex())


def _invreq_paths(description: Description, message: RequestTerms) -> None:
    if message.invreq_paths is not None:
        _paths(description, "invreq_paths", message.invreq_paths)


def _invreq_bip_353_name(description: Description, message: RequestTerms) -> None:
    name = message.invreq_bip_353_name
    if name is None:
        return
    description.add(invreq_bip_353_name=RequestTerms.invreq_bip_353_name.codec.to_json(name))
    for part, value in (("name", name.name), ("domain", name.domain)):
        if not has_allowed_characters(value):
            description.fault(f"invreq_bip_353_name_{part}_invalid", f"bip353 {part} field contains invalid characters")


def _recurrence_start(description: Description, message: RequestRecurrence) -> None:
    if message.invreq_recurrence_counter is not None and message.invreq_recurrence_start is not None:
        description.add(invreq_recurrence_start=message.invreq_recurrence_start)


def _recurrence_cancel(description: Description, message: InvoiceRequestFields) -> None:
    if message.invreq_recurrence_cancel is None:
        return
    description.add(invreq_recurrence_cancel=True)
    cancel = "invreq_recurrence_cancel"
    if message.invreq_recurrence_counter is None:
        description.fault(f"{cancel}_without_counter", f"{cancel} is invalid without invreq_recurrence_counter")
    elif message.invreq_recurrence_counter == 0:
        description.fault(f"{cancel}_with_zero_counter", f"{cancel} is invalid with invreq_recurrence_counter zero")


def _request_signature(description: Description, message: InvoiceRequestFields) -> None:
    if message.invreq_payer_id is None:
        description.fault("missing_invreq_payer_id", "invreq_payer_id required")
    if message.signature is None and description.accept_unsigned and not message.answers_offer:
        return
    if message.signature is None:
        description.fault("missing_invoice_request_signature", "Missing signature")
    elif message.invreq_payer_id is not None and not message.has_valid_signature():
        description.fault("invalid_invoice_request_signature", "Bad signature")
    else:
        description.add(signature=message.signature.hex())


# ---- the invoice's part


def _invoice_paths(description: Description, message: InvoiceFields) -> None:
    if message.offer_recurrence is not None and message.invoice_recurrence_basetime is None:
        text = "recurring invoices without a recurrence_basetime are invalid"
        description.fault("missing_invoice_recurrence_basetime", text)
    _paths_with_payinfo(description, message)


def _paths_with_payinfo(description: Description, message: InvoiceTerms) -> None:
    if message.invoice_paths is not None:
        _paths(description, "invoice_paths", message.invoice_paths, message.invoice_blindedpay)


def _relative_expiry(description: Description, message: InvoiceFields) -> None:
    description.add(invoice_relative_expiry=message.relative_expiry)


def _invoice_fallbacks(description: Description, message: InvoiceFields | PayerProofFields) -> None:
    chain = BITCOIN if message.invreq_chain is None else message.invreq_chain
    if message.invoice_fallbacks is not None:
        description.add(invoice_fallbacks=[_fallback(description, each, chain) for each in message.invoice_fallbacks])


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


def _recurrence_basetime(description: Description, message: InvoiceFields) -> None:
    if message.offer_recurrence is not None:
        description.add_field(message, InvoiceRecurrence.invoice_recurrence_basetime)


def _omitted_tlvs(description: Description, message: PayerProofFields) -> None:
    description.add(proof_omitted_tlvs=list(message.proof_omitted_tlvs or ()))


def _elsewhere(description: Description, message: Message) -> None:
    """Add nothing: the field is part of another one."""


# ---- the tables


_SPECIAL: Mapping[Field[Any], _Describer] = MappingProxyType(
    {
        OfferTerms.offer_currency: _offer_currency,
        OfferTerms.offer_amount: _offer_amount,
        OfferTerms.offer_description: _offer_description,
        OfferTerms.offer_paths: _offer_paths,
        OfferRecurrence.offer_recurrence_compulsory: _recurrence_compulsory,
        OfferRecurrence.offer_recurrence_optional: _recurrence_optional,
        OfferRecurrence.offer_recurrence_base: _elsewhere,
        OfferRecurrence.offer_recurrence_paywindow: _elsewhere,
        OfferRecurrence.offer_recurrence_limit: _elsewhere,
        RequestMetadata.invreq_metadata: _invreq_metadata,
        RequestTerms.invreq_paths: _invreq_paths,
        RequestTerms.invreq_bip_353_name: _invreq_bip_353_name,
        RequestRecurrence.invreq_recurrence_start: _recurrence_start,
        InvoiceRequestFields.invreq_recurrence_cancel: _recurrence_cancel,
        InvoiceRequestFields.signature: _request_signature,
        InvoiceTerms.invoice_paths: _invoice_paths,
        InvoiceTerms.invoice_blindedpay: _elsewhere,
        InvoiceTerms.invoice_relative_expiry: _relative_expiry,
        InvoiceTerms.invoice_fallbacks: _invoice_fallbacks,
        InvoiceRecurrence.invoice_recurrence_basetime: _recurrence_basetime,
    }
)

# A proof shows what was in an invoice that has been paid, so nothing is a fault, and what is not there may be hidden.
_SPECIAL_IN_PROOFS: Mapping[Field[Any], _Describer] = MappingProxyType(
    {
        OfferTerms.offer_currency: _currency,
        OfferTerms.offer_amount: _offer_amount,
        OfferTerms.offer_paths: _offer_paths,
        RequestTerms.invreq_paths: _invreq_paths,
        InvoiceTerms.invoice_paths: _paths_with_payinfo,
        InvoiceTerms.invoice_blindedpay: _elsewhere,
        InvoiceTerms.invoice_fallbacks: _invoice_fallbacks,
        PayerProofFields.proof_omitted_tlvs: _omitted_tlvs,
    }
)
_PROOF_ORDER = sorted(
    PayerProofFields.fields.values(), key=lambda field: (field is PayerProofFields.proof_signature, field.number)
)
