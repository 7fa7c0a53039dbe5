"""The JSON of `decode` for offers, invoices and payer proofs; tests/bolt12/test_describe.py has requests."""

from __future__ import annotations

from typing import Any

import pytest

from lnoffers.bolt12 import (
    CHAINS,
    Bip353Name,
    BlindedPayinfo,
    FallbackAddress,
    Invoice,
    Json,
    Offer,
    PayerProof,
    Recurrence,
    RecurrenceBase,
    describe,
    fallback_address,
)
from lnoffers.bolt12.tlv import Record, write_records

from .samples import (
    EMPTY_PATH,
    METADATA,
    NOW,
    OTHER_SIGNER,
    PATH,
    PAYINFO,
    PREIMAGE,
    REGTEST,
    SIGNER,
    invoice,
    offer,
    proof,
    raw_stream,
    request_for,
    resigned,
)

HOP_JSON = {"blinded_node_id": SIGNER.public_key.hex(), "encrypted_recipient_data": b"to me".hex()}
START_JSON = {"first_node_id": OTHER_SIGNER.public_key.hex(), "first_path_key": SIGNER.public_key.hex()}
PATH_JSON = {**START_JSON, "path": [HOP_JSON]}
PAYINFO_JSON = {
    "fee_base_msat": 1,
    "fee_proportional_millionths": 2,
    "cltv_expiry_delta": 3,
    "htlc_minimum_msat": 4,
    "htlc_maximum_msat": 5,
    "features": "",
}
PAID_PATH_JSON = {**START_JSON, "payinfo": PAYINFO_JSON, "path": [HOP_JSON]}
ISSUER_JSON = OTHER_SIGNER.public_key.hex()


def of_invoice(**values: Any) -> dict[str, Json]:
    """Return the description of `invoice()` with other fields, signed again."""
    whole = {field.name: getattr(invoice(), field.name) for field in Invoice.fields.values()}
    records = Invoice._build(**(whole | values)).records
    return describe(Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER))))


def of_proof(**values: Any) -> dict[str, Json]:
    """Return the description of a proof with these fields, whether they prove anything or not."""
    whole = {field.name: getattr(proof(), field.name) for field in PayerProof.fields.values()}
    return describe(PayerProof._build(**(whole | values)))


def warnings(shown: dict[str, Json]) -> list[str]:
    return [name for name in shown if name.startswith("warning_")]


# ---- offers


def test_shows_an_offer_in_order() -> None:
    made = Offer.from_bytes(
        offer(
            offer_metadata=b"\1",
            offer_features=b"",
            offer_absolute_expiry=4,
            offer_paths=(PATH,),
            offer_issuer="me",
            offer_quantity_max=0,
            offer_recurrence_compulsory=Recurrence(1, 7),
            offer_recurrence_base=RecurrenceBase(0, 5),
        ).to_bytes()
        + raw_stream((1_000_000_031, b"\1\2"))
    )
    assert list(describe(made).items()) == [
        ("type", "bolt12 offer"),
        ("offer_id", made.offer_id.hex()),
        ("offer_chains", [REGTEST.hex()]),
        ("offer_metadata", "01"),
        ("offer_amount_msat", 1_000),
        ("offer_description", "one coffee"),
        ("offer_issuer", "me"),
        ("offer_features", ""),
        ("offer_absolute_expiry", 4),
        ("offer_paths", [PATH_JSON]),
        ("offer_quantity_max", 0),
        (
            "offer_recurrence",
            {"compulsory_field": True, "time_unit": 1, "time_unit_name": "days", "period": 7, "basetime": 5},
        ),
        ("offer_issuer_id", ISSUER_JSON),
        ("unknown_offer_tlvs", [{"type": 1_000_000_031, "length": 2, "value": "0102"}]),
        ("valid", True),
    ]


def test_an_offer_in_an_unknown_currency_is_valid() -> None:
    shown = describe(offer(offer_currency="XQQ"))
    assert warnings(shown) == ["warning_unknown_offer_currency"]
    assert shown["valid"] is True


# ---- invoices


def test_shows_an_invoice_in_order() -> None:
    asked = request_for(
        offer(offer_recurrence_optional=Recurrence(2, 1)),
        invreq_payer_note="hi",
        invreq_recurrence_counter=0,
    )
    made = invoice(
        asked,
        invoice_relative_expiry=60,
        invoice_fallbacks=(FallbackAddress(1, bytes(32)),),
        invoice_features=b"\2\0\0",
        invoice_recurrence_basetime=NOW,
    )
    data = write_records(resigned(Invoice, [*made.records, Record.build(239, b"x")], OTHER_SIGNER))
    read = Invoice.from_bytes(data)
    assert read.signature is not None
    assert read.offer_id is not None
    assert list(describe(read).items()) == [
        ("type", "bolt12 invoice"),
        ("offer_id", read.offer_id.hex()),
        ("offer_chains", [REGTEST.hex()]),
        ("offer_amount_msat", 1_000),
        ("offer_description", "one coffee"),
        ("offer_recurrence", {"compulsory_field": False, "time_unit": 2, "time_unit_name": "months", "period": 1}),
        ("offer_issuer_id", ISSUER_JSON),
        ("invreq_metadata", METADATA.hex()),
        ("invreq_payer_id", SIGNER.public_key.hex()),
        ("invreq_chain", REGTEST.hex()),
        ("invreq_payer_note", "hi"),
        ("invreq_recurrence_counter", 0),
        ("invoice_paths", [PAID_PATH_JSON]),
        ("invoice_created_at", NOW),
        ("invoice_relative_expiry", 60),
        ("invoice_payment_hash", read.invoice_payment_hash.hex() if read.invoice_payment_hash else ""),
        ("invoice_amount_msat", 1_000),
        (
            "invoice_fallbacks",
            [
                {
                    "version": 1,
                    "hex": bytes(32).hex(),
                    "address": "bcrt1pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqm3usuw",
                }
            ],
        ),
        ("invoice_features", "020000"),
        ("invoice_node_id", ISSUER_JSON),
        ("invoice_recurrence_basetime", NOW),
        ("signature", read.signature.hex()),
        ("unknown_invoice_tlvs", [{"type": 239, "length": 1, "value": "78"}]),
        ("valid", True),
    ]


def test_the_expiry_of_an_invoice_is_always_shown() -> None:
    assert of_invoice()["invoice_relative_expiry"] == 7_200
    assert "invoice_recurrence_basetime" not in of_invoice(invoice_recurrence_basetime=5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"offer_description": None}, ["warning_missing_offer_description"]),
        ({"invreq_metadata": None}, ["warning_missing_invreq_metadata"]),
        ({"invreq_paths": (EMPTY_PATH,)}, ["warning_empty_blinded_path"]),
        ({"invreq_bip_353_name": Bip353Name(b"bob", b"a b")}, ["warning_invreq_bip_353_name_domain_invalid"]),
        ({"offer_recurrence_optional": Recurrence(2, 1)}, ["warning_missing_invoice_recurrence_basetime"]),
    ],
)
def test_a_fault_of_an_invoice_is_a_warning_and_makes_it_invalid(values: dict[str, Any], expected: list[str]) -> None:
    shown = of_invoice(**values)
    assert warnings(shown) == expected
    assert shown["valid"] is False


@pytest.mark.parametrize(
    ("fallback", "warning", "text"),
    [
        (FallbackAddress(17, bytes(32)), "version", "invoice fallback version > 16"),
        (FallbackAddress(1, b"\0"), "address", "invoice fallback address bad length"),
        (FallbackAddress(0, bytes(21)), "address", "invalid fallback address for this version"),
    ],
)
def test_a_fallback_that_is_none_is_a_warning_of_its_own(fallback: FallbackAddress, warning: str, text: str) -> None:
    good = FallbackAddress(0, bytes(20))
    shown = of_invoice(invoice_fallbacks=(fallback, good))
    assert shown["invoice_fallbacks"] == [
        {
            "version": fallback.version,
            "hex": fallback.address.hex(),
            f"warning_invalid_invoice_fallbacks_{warning}": text,
        },
        {"version": 0, "hex": "00" * 20, "address": "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202"},
    ]
    assert shown["valid"] is False
    assert warnings(shown) == []


def test_a_fallback_on_a_chain_that_is_unknown_has_no_address() -> None:
    shown = of_invoice(invreq_chain=bytes(32), invoice_fallbacks=(FallbackAddress(0, bytes(21)),))
    assert shown["invoice_fallbacks"] == [{"version": 0, "hex": "00" * 21}]
    assert shown["valid"] is True


def test_a_fallback_of_an_invoice_without_chain_is_bitcoins() -> None:
    fallback = FallbackAddress(0, bytes(20))
    made = of_invoice(invreq_chain=None, invoice_fallbacks=(fallback,))
    address = fallback_address(fallback, CHAINS["bitcoin"])
    assert made["invoice_fallbacks"] == [{"version": 0, "hex": "00" * 20, "address": address}]


# ---- payer proofs


def test_shows_a_proof_in_order() -> None:
    paid = invoice(request_for(offer(offer_issuer="me"), invreq_payer_note="hi"))
    made = proof(paid, {8, 10, 18, 89, 160, 162, 164}, proof_note="see")
    assert made.signature is not None
    assert made.proof_signature is not None
    shown = describe(made)
    hashes = {name: shown.pop(name) for name in ("proof_missing_hashes", "proof_leaf_hashes")}
    assert list(shown.items()) == [
        ("type", "bolt12 payer_proof"),
        ("offer_amount_msat", 1_000),
        ("offer_description", "one coffee"),
        ("offer_issuer", "me"),
        ("invreq_payer_id", SIGNER.public_key.hex()),
        ("invreq_payer_note", "hi"),
        ("invoice_paths", [PAID_PATH_JSON]),
        ("invoice_created_at", NOW),
        ("invoice_payment_hash", made.invoice_payment_hash.hex() if made.invoice_payment_hash else ""),
        ("invoice_node_id", ISSUER_JSON),
        ("signature", made.signature.hex()),
        ("proof_preimage", PREIMAGE.hex()),
        ("proof_omitted_tlvs", list(made.proof_omitted_tlvs or ())),
        ("proof_note", "see"),
        ("proof_signature", made.proof_signature.hex()),
        ("valid", True),
    ]
    assert hashes == {
        "proof_missing_hashes": [each.hex() for each in made.proof_missing_hashes or ()],
        "proof_leaf_hashes": [each.hex() for each in made.proof_leaf_hashes or ()],
    }


def test_a_proof_that_hides_nothing_has_an_empty_list_of_markers() -> None:
    whole = [record.type for record in invoice().records if record.type not in (0, 240)]
    assert describe(proof(include=whole))["proof_omitted_tlvs"] == []


def test_what_a_proof_shows_is_never_its_fault() -> None:
    shown = of_proof(
        offer_amount=5,
        offer_currency="XQQ",
        offer_paths=(EMPTY_PATH,),
        invreq_bip_353_name=Bip353Name(b"a b", b"c"),
        invoice_paths=(PATH, PATH),
        invoice_blindedpay=(PAYINFO,),
        invoice_fallbacks=(FallbackAddress(17, bytes(32)),),
    )
    assert warnings(shown) == ["warning_empty_blinded_path", "warning_invalid_invoice_blindedpay"]
    assert shown["warning_invalid_invoice_blindedpay"] == "invoice has 1 blinded_payinfo but 2 paths"
    assert shown["invoice_paths"] == [PAID_PATH_JSON, PATH_JSON]
    assert (shown["offer_currency"], shown["offer_amount"]) == ("XQQ", 5)
    assert shown["invoice_fallbacks"] == [
        {
            "version": 17,
            "hex": "00" * 32,
            "warning_invalid_invoice_fallbacks_version": "invoice fallback version > 16",
        }
    ]
    assert shown["valid"] is True


def test_a_proof_shows_a_known_currency_and_costs_only_beside_their_path() -> None:
    shown = of_proof(offer_currency="EUR", invoice_blindedpay=(BlindedPayinfo(0, 0, 0, 0, 0, b""),))
    assert list(shown)[1:3] == ["offer_currency", "currency_minor_unit"]
    assert "invoice_blindedpay" not in shown
    assert CHAINS["regtest"].hex() not in str(shown)
