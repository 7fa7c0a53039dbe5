"""The names of all rules, for `Bolt12Error.rule`, each with its source and a sentence on what breaks it.

docs/reference/rules.md is made of this file.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_TLV: Final = "BOLT 1, Type-Length-Value Format"
_TYPES: Final = "BOLT 1, Fundamental Types"
_PATHS: Final = "BOLT 4, Route Blinding"
_ENCODING: Final = "BOLT 12, Encoding"
_SIGNING: Final = "BOLT 12, Signature Calculation"
_OFFERS: Final = "BOLT 12, Requirements For Offers"
_REQUESTS: Final = "BOLT 12, Requirements for Invoice Requests"
_INVOICES: Final = "BOLT 12, Invoices, Requirements"
_ERRORS: Final = "BOLT 12, Invoice Errors, Requirements"
_PROOFS: Final = "BOLT 12, Payer Proofs"
_RECURRENCE: Final = "BOLT 12, recurrence (a draft, lightning/bolts#1240)"
_LINKS: Final = "BIP 321, URI Scheme"
_NAMES: Final = "BIP 353, DNS Payment Instructions"
_PRICES: Final = "Core Lightning, the parameter amount of offer"


class RuleName(StrEnum):
    """The name of a rule that `Bolt12Error.rule` reports. Names are stable, so that programs can use them.

    A name equals its text: `error.rule == "record-order"`.

    Attributes:
        section: the section of the specification that the rule is from.
        broken_by: what breaks the rule, in a sentence.
    """

    section: str
    broken_by: str

    def __new__(cls, name: str, section: str, broken_by: str) -> RuleName:
        rule = str.__new__(cls, name)
        rule._value_ = name
        rule.section, rule.broken_by = section, broken_by
        return rule

    # ---- strings
    TEXT_SEPARATOR = "text-separator", _ENCODING, "There is no `1` between a prefix and data."
    TEXT_CASE = "text-case", _ENCODING, "A string has both upper and lower case letters."
    TEXT_CHARACTER = "text-character", _ENCODING, "A character of the data is not in bech32's alphabet."
    TEXT_PADDING = "text-padding", _ENCODING, "More than four bits follow the last byte, or they are not zero."
    TEXT_UNFINISHED = "text-unfinished", _ENCODING, "Nothing follows the `+` that continues a string."
    TEXT_PREFIX = "text-prefix", _ENCODING, "The prefix is that of another kind of string."
    TEXT_EMPTY = "text-empty", _ENCODING, "The text is empty or only white space."
    LINK_WITHOUT_STRING = "link-without-string", _LINKS, "A `bitcoin:` link has no parameter `lno`."
    NAME_NEEDS_LOOKUP = "name-needs-lookup", _NAMES, "A text is a name such as `₿alice@example.com`, not a string."
    NAME_FORM = "name-form", _NAMES, "A name is not of the form `₿alice@example.com`."
    UNKNOWN_KIND = "unknown-kind", _ENCODING, "The prefix is none of `lno`, `lnr`, `lni` and `lnp`."

    # ---- records and their values
    BIGSIZE_TRUNCATED = "bigsize-truncated", _TYPES, "The data ends within a BigSize, or where one should begin."
    BIGSIZE_NOT_MINIMAL = "bigsize-not-minimal", _TYPES, "A BigSize has a longer form than its value needs."
    RECORD_ORDER = "record-order", _TLV, "A record's type is not greater than that of the record before it."
    RECORD_UNKNOWN_EVEN = "record-unknown-even", _TLV, "A record's type is even and not known for this message."
    RECORD_TRUNCATED = "record-truncated", _TLV, "A record announces more bytes than are left."
    VALUE_TRUNCATED = "value-truncated", _TLV, "A value ends within one of its parts."
    VALUE_TOO_LONG = "value-too-long", _TLV, "A value has more bytes than its parts need."
    WRONG_LENGTH = "wrong-length", _TYPES, "A value of a fixed length, or a list of such values, has another length."
    NUMBER_TOO_LONG = "number-too-long", _TYPES, "A number has more bytes than its type allows."
    NUMBER_NOT_MINIMAL = "number-not-minimal", _TYPES, "A number begins with a zero byte."
    NUMBER_RANGE = "number-range", _TYPES, "A number to be written does not fit its type."
    TEXT_NOT_UTF8 = "text-not-utf8", _TYPES, "A text is not UTF-8, or holds half a surrogate pair."
    TEXT_NUL = "text-nul", "Core Lightning, utf8_check", "A text holds the character U+0000."
    NOT_A_POINT = "not-a-point", _TYPES, "A public key is not a compressed point on the curve."
    FLAG_VALUE = "flag-value", _RECURRENCE, "A flag to write is not True."
    CHANNEL_END = (
        "channel-end",
        _TYPES,
        "An end of a channel has a direction other than 0 and 1, or a scid over 64 bits.",
    )
    HOP_TOO_LONG = "hop-too-long", _PATHS, "The data of a hop has more than 65,535 bytes."
    PATH_TOO_LONG = "path-too-long", _PATHS, "A blinded path has more than 255 hops."
    NAME_TOO_LONG = "name-too-long", _REQUESTS, "A part of a BIP 353 name has more than 255 bytes."

    # ---- signatures
    SIGNING_KEY_MISSING = "signing-key-missing", _SIGNING, "A message to be signed lacks the key that should sign it."
    ALREADY_SIGNED = "already-signed", _SIGNING, "A message to be signed has a signature."
    SIGNER_KEY = "signer-key", _SIGNING, "The signer has another key than the one that the message names."
    SIGNER_SIGNATURE = "signer-signature", _SIGNING, "The signer returns something other than a valid signature."
    SIGNATURE_MISSING = (
        "signature-missing",
        _SIGNING,
        "A message is not signed, and is not a request without an offer.",
    )
    SIGNATURE_INVALID = "signature-invalid", _SIGNING, "The signature is not that of the message by its key."

    # ---- any message
    FIELD_OUT_OF_RANGE = "field-out-of-range", _OFFERS, "A record's type is outside the ranges of its kind of message."
    WRONG_CHAIN = "wrong-chain", _OFFERS, "A message is not for the chain that the reader gives."
    UNKNOWN_FEATURE = "unknown-feature", _REQUESTS, "An even feature bit of a request or an invoice is not known."
    AMOUNT_MISSING = (
        "amount-missing",
        _REQUESTS,
        "An invoice has no amount, or neither a request nor its offer has one.",
    )
    PATH_WITHOUT_HOPS = "path-without-hops", _REQUESTS, "A path of `invreq_paths` or `invoice_paths` has no hops."
    PATHS_EMPTY = "paths-empty", _OFFERS, "A field of paths to be written holds no path."
    OFFER_EXPIRED = "offer-expired", _OFFERS, "`offer_absolute_expiry` has passed, for a request or an offer."

    # ---- offers
    CHAINS_EMPTY = "chains-empty", _OFFERS, "`offer_chains` is present and lists no chain."
    UNKNOWN_OFFER_FEATURE = "unknown-offer-feature", _OFFERS, "An even bit of `offer_features` is not known."
    DESCRIPTION_MISSING = (
        "description-missing",
        _OFFERS,
        "There is an `offer_amount` and no `offer_description`.",
    )
    OFFER_AMOUNT_ZERO = "offer-amount-zero", _OFFERS, "`offer_amount` is zero."
    CURRENCY_WITHOUT_AMOUNT = "currency-without-amount", _OFFERS, "There is an `offer_currency` and no `offer_amount`."
    CURRENCY_CODE = "currency-code", _OFFERS, "`offer_currency` is not three capital letters."
    ISSUER_MISSING = "issuer-missing", _OFFERS, "An offer has neither `offer_issuer_id` nor `offer_paths`."
    OFFER_PATH_WITHOUT_HOPS = "offer-path-without-hops", _OFFERS, "A path of `offer_paths` has no hops."
    RECURRENCE_UNIT = "recurrence-unit", _RECURRENCE, "The unit of a period is not 0, 1 or 2."
    RECURRENCE_PERIOD = "recurrence-period", _RECURRENCE, "A period is zero."
    RECURRENCE_LIMIT = "recurrence-limit", _RECURRENCE, "`offer_recurrence_limit` is zero."
    RECURRENCE_MISSING = (
        "recurrence-missing",
        _RECURRENCE,
        "An offer has a base, paywindow or limit and does not recur.",
    )
    RECURRENCE_TWICE = (
        "recurrence-twice",
        _RECURRENCE,
        "An offer to be written recurs both compulsorily and optionally.",
    )
    PERIOD_TOO_LATE = "period-too-late", _RECURRENCE, "A period begins after the year 9999."
    CURRENCY_UNKNOWN = "currency-unknown", _PRICES, "A price does not end in an ISO 4217 currency code."
    CURRENCY_DECIMALS = "currency-decimals", _PRICES, "A price has a different number of decimals than its currency."
    CURRENCY_NUMBER = "currency-number", _PRICES, "A price does not begin with a number of at most 64 bits."

    # ---- invoice requests
    PAYER_ID_MISSING = "payer-id-missing", _REQUESTS, "There is no `invreq_payer_id`."
    METADATA_MISSING = "metadata-missing", _REQUESTS, "There is no `invreq_metadata`."
    METADATA_EMPTY = "metadata-empty", _REQUESTS, "`invreq_metadata` to be written has no bytes."
    NAME_CHARACTERS = "name-characters", _REQUESTS, "A BIP 353 name has bytes other than `0-9A-Za-z-_.`."
    CHAINS_UNEXPECTED = "chains-unexpected", _REQUESTS, "A request without an offer has `offer_chains`."
    FEATURES_UNEXPECTED = "features-unexpected", _REQUESTS, "A request without an offer has `offer_features`."
    QUANTITY_MAX_UNEXPECTED = (
        "quantity-max-unexpected",
        _REQUESTS,
        "A request without an offer has `offer_quantity_max`.",
    )
    AMOUNT_ZERO = "amount-zero", _REQUESTS, "The `invreq_amount` of a request without an offer is zero."
    AMOUNT_TOO_SMALL = "amount-too-small", _REQUESTS, "`invreq_amount` is less than the offer's price for all items."
    CHAIN_NOT_OFFERED = "chain-not-offered", _REQUESTS, "`invreq_chain` is none of the offer's chains."
    QUANTITY_MISSING = "quantity-missing", _REQUESTS, "The offer has `offer_quantity_max`, and there is no quantity."
    QUANTITY_ZERO = "quantity-zero", _REQUESTS, "`invreq_quantity` is zero."
    QUANTITY_TOO_GREAT = "quantity-too-great", _REQUESTS, "`invreq_quantity` is greater than `offer_quantity_max`."
    QUANTITY_UNEXPECTED = (
        "quantity-unexpected",
        _REQUESTS,
        "There is a quantity, and the offer has no `offer_quantity_max`.",
    )
    QUANTITY_OVERFLOW = "quantity-overflow", _REQUESTS, "The offer's amount times the quantity is over 64 bits."
    COUNTER_MISSING = "counter-missing", _RECURRENCE, "The offer recurs, and there is no `invreq_recurrence_counter`."
    RECURRENCE_UNEXPECTED = (
        "recurrence-unexpected",
        _RECURRENCE,
        "There is a counter or start, and the offer does not recur.",
    )
    START_MISSING = "start-missing", _RECURRENCE, "The offer has a base, and there is no `invreq_recurrence_start`."
    START_UNEXPECTED = "start-unexpected", _RECURRENCE, "The offer has no base, and there is `invreq_recurrence_start`."
    PERIOD_AFTER_LIMIT = "period-after-limit", _RECURRENCE, "The requested period is after `offer_recurrence_limit`."
    CANCEL_WITHOUT_COUNTER = "cancel-without-counter", _RECURRENCE, "A request to cancel has no counter."
    CANCEL_AT_ZERO = "cancel-at-zero", _RECURRENCE, "A request to cancel has the counter zero."

    # ---- invoices
    NODE_ID_MISSING = "node-id-missing", _INVOICES, "There is no `invoice_node_id`."
    NODE_ID_UNEXPECTED = (
        "node-id-unexpected",
        _INVOICES,
        "`invoice_node_id` is not the offer's issuer or the end of its path.",
    )
    CREATED_AT_MISSING = "created-at-missing", _INVOICES, "There is no `invoice_created_at`."
    PAYMENT_HASH_MISSING = "payment-hash-missing", _INVOICES, "There is no `invoice_payment_hash`."
    PATHS_MISSING = "paths-missing", _INVOICES, "There is no path in `invoice_paths`."
    PAYINFO_COUNT = "payinfo-count", _INVOICES, "`invoice_blindedpay` does not have one entry per path."
    PATHS_UNUSABLE = "paths-unusable", _INVOICES, "Every path needs a feature that is not known."
    AMOUNT_UNEXPECTED = (
        "amount-unexpected",
        _INVOICES,
        "`invoice_amount` is not the requested amount, or is more than allowed.",
    )
    REQUEST_NOT_MIRRORED = (
        "request-not-mirrored",
        _INVOICES,
        "An invoice does not repeat the request's records exactly.",
    )
    INVOICE_EXPIRED = "invoice-expired", _INVOICES, "The invoice has expired."
    CANCELLED = "cancelled", _RECURRENCE, "An invoice answers a request to cancel."
    BASETIME_MISSING = "basetime-missing", _RECURRENCE, "An invoice for a recurring offer has no basetime."

    # ---- invoice errors
    SUGGESTION_WITHOUT_FIELD = (
        "suggestion-without-field",
        _ERRORS,
        "There is a `suggested_value` and no `erroneous_field`.",
    )
    SUGGESTION_UNFIT = "suggestion-unfit", _ERRORS, "`suggested_value` is not a value of `erroneous_field`."

    # ---- payer proofs
    FIELD_UNKNOWN = "field-unknown", _PROOFS, "A name of a field to be shown is not that of a field of invoices."
    FIELD_NOT_PROVABLE = "field-not-provable", _PROOFS, "A field to be shown is one that no proof can carry."
    PREIMAGE_MISSING = "preimage-missing", _PROOFS, "There is no `proof_preimage`."
    MISSING_HASHES_MISSING = "missing-hashes-missing", _PROOFS, "There is no `proof_missing_hashes`."
    LEAF_HASHES_MISSING = "leaf-hashes-missing", _PROOFS, "There is no `proof_leaf_hashes`."
    PROOF_SIGNATURE_MISSING = "proof-signature-missing", _PROOFS, "There is no `proof_signature`."
    PREIMAGE_WRONG = "preimage-wrong", _PROOFS, "SHA256 of `proof_preimage` is not `invoice_payment_hash`."
    MARKERS_WRONG = "markers-wrong", _PROOFS, "A marker of `proof_omitted_tlvs` is not the next number, or not allowed."
    MARKERS_ORDER = "markers-order", _PROOFS, "The markers in `proof_omitted_tlvs` do not ascend."
    LEAF_HASHES_COUNT = "leaf-hashes-count", _PROOFS, "`proof_leaf_hashes` has not one hash for each record shown."
    MISSING_HASHES_COUNT = (
        "missing-hashes-count",
        _PROOFS,
        "`proof_missing_hashes` has not one hash for each hidden part.",
    )
    INVOICE_SIGNATURE_INVALID = (
        "invoice-signature-invalid",
        _PROOFS,
        "The invoice's signature does not fit what is shown.",
    )
    PROOF_SIGNATURE_INVALID = "proof-signature-invalid", _PROOFS, "`proof_signature` is not the payer's for this proof."
