"""The JSON of `decode`: names, order, warnings, and what makes a request invalid."""

from __future__ import annotations

from typing import Any

import pytest

from lnoffers.bolt12 import (
    Bip353Name,
    BlindedHop,
    BlindedPath,
    InvoiceRequest,
    Json,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
    describe,
)

from .samples import METADATA, OTHER_SIGNER, REGTEST, SIGNER, signed_stream, stream

PATH = BlindedPath(OTHER_SIGNER.public_key, SIGNER.public_key, (BlindedHop(SIGNER.public_key, b"\xab\xcd"),))
PATH_JSON = {
    "first_node_id": OTHER_SIGNER.public_key.hex(),
    "first_path_key": SIGNER.public_key.hex(),
    "path": [{"blinded_node_id": SIGNER.public_key.hex(), "encrypted_recipient_data": "abcd"}],
}


def described(*extra: tuple[int, bytes], **values: Any) -> dict[str, Json]:
    """Return the description of a request with a valid signature."""
    return describe(InvoiceRequest.from_bytes(signed_stream(*extra, **values)))


def warnings(shown: dict[str, Json]) -> list[str]:
    return [name for name in shown if name.startswith("warning_")]


def test_shows_every_field_in_order() -> None:
    data = signed_stream(
        (93, b"\x01\x02"),
        offer_chains=(REGTEST,),
        offer_metadata=b"\x01",
        offer_amount=1000,
        offer_description="tea",
        offer_issuer="me",
        offer_features=b"",
        offer_absolute_expiry=4,
        offer_paths=(PATH,),
        offer_quantity_max=0,
        offer_recurrence_optional=Recurrence(2, 1),
        offer_issuer_id=OTHER_SIGNER.public_key,
        invreq_chain=REGTEST,
        invreq_amount=2000,
        invreq_features=b"\x02",
        invreq_quantity=2,
        invreq_payer_note="hi",
        invreq_paths=(PATH,),
        invreq_bip_353_name=Bip353Name(b"bob", b"example.com"),
        invreq_recurrence_counter=1,
        invreq_recurrence_start=0,
        invreq_recurrence_cancel=True,
    )
    request = InvoiceRequest.from_bytes(data)
    assert request.offer_id is not None
    assert request.signature is not None
    assert list(describe(request).items()) == [
        ("type", "bolt12 invoice_request"),
        ("offer_id", request.offer_id.hex()),
        ("offer_chains", [REGTEST.hex()]),
        ("offer_metadata", "01"),
        ("offer_amount_msat", 1000),
        ("offer_description", "tea"),
        ("offer_issuer", "me"),
        ("offer_features", ""),
        ("offer_absolute_expiry", 4),
        ("offer_paths", [PATH_JSON]),
        ("offer_quantity_max", 0),
        (
            "offer_recurrence",
            {"compulsory_field": False, "time_unit": 2, "time_unit_name": "months", "period": 1},
        ),
        ("offer_issuer_id", OTHER_SIGNER.public_key.hex()),
        ("invreq_metadata", METADATA.hex()),
        ("invreq_payer_id", SIGNER.public_key.hex()),
        ("invreq_chain", REGTEST.hex()),
        ("invreq_amount_msat", 2000),
        ("invreq_features", "02"),
        ("invreq_quantity", 2),
        ("invreq_payer_note", "hi"),
        ("invreq_paths", [PATH_JSON]),
        ("invreq_bip_353_name", {"name": "bob", "domain": "example.com"}),
        ("invreq_recurrence_counter", 1),
        ("invreq_recurrence_start", 0),
        ("invreq_recurrence_cancel", True),
        ("signature", request.signature.hex()),
        ("unknown_invoice_request_tlvs", [{"type": 93, "length": 2, "value": "0102"}]),
        ("valid", True),
    ]


def test_shows_only_what_is_there() -> None:
    assert list(described()) == ["type", "invreq_metadata", "invreq_payer_id", "signature", "valid"]


def test_shows_a_recurrence_as_one_object() -> None:
    shown = described(
        offer_recurrence_compulsory=Recurrence(7, 3),
        offer_recurrence_base=RecurrenceBase(1, 1_700_000_000),
        offer_recurrence_paywindow=RecurrencePaywindow(60, 120),
        offer_recurrence_limit=9,
    )
    assert shown["offer_recurrence"] == {
        "compulsory_field": True,
        "time_unit": 7,  # which has no name
        "period": 3,
        "basetime": 1_700_000_000,
        "proportional_amount": True,
        "limit": 9,
        "paywindow": {"seconds_before": 60, "seconds_after": 120},
    }
    plain = described(offer_recurrence_compulsory=Recurrence(0, 3), offer_recurrence_base=RecurrenceBase(0, 5))
    assert plain["offer_recurrence"] == {
        "compulsory_field": True,
        "time_unit": 0,
        "time_unit_name": "seconds",
        "period": 3,
        "basetime": 5,
    }


@pytest.mark.parametrize(("code", "minor_unit"), [("EUR", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4), ("XAU", 0)])
def test_shows_a_currency_with_its_minor_unit(code: str, minor_unit: int) -> None:
    shown = described(offer_currency=code, offer_amount=5, offer_description="tea")
    assert list(shown.items())[1:4] == [
        ("offer_currency", code),
        ("offer_amount", 5),
        ("currency_minor_unit", minor_unit),
    ]
    assert "offer_amount_msat" not in shown


@pytest.mark.parametrize("code", ["SLE", "VED", "XAD", "XCG", "ZWG"])
def test_knows_the_currencies_that_are_newer_than_core_lightnings_table(code: str) -> None:
    assert "currency_minor_unit" in described(offer_currency=code)


@pytest.mark.parametrize("code", ["ZZZ", "eur", "", "EURO", "ANG", "CUC", "HRK", "SLL", "ZWL"])
def test_an_unknown_currency_is_no_fault_of_the_request(code: str) -> None:
    shown = described(offer_currency=code)
    assert "offer_amount" not in shown
    assert warnings(shown) == ["warning_unknown_offer_currency"]
    assert shown["valid"] is True


EMPTY_PATH = BlindedPath(OTHER_SIGNER.public_key, SIGNER.public_key, ())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"offer_amount": 1}, ["warning_missing_offer_description"]),
        ({"offer_paths": (PATH, EMPTY_PATH)}, ["warning_empty_blinded_path"]),
        (
            {"invreq_bip_353_name": Bip353Name(b"bob@", b"x")},
            ["warning_invreq_bip_353_name_name_invalid"],
        ),
        (
            {"invreq_bip_353_name": Bip353Name(b"\xff", b"\0")},
            ["warning_invreq_bip_353_name_name_invalid", "warning_invreq_bip_353_name_domain_invalid"],
        ),
        ({"invreq_recurrence_cancel": True}, ["warning_invreq_recurrence_cancel_without_counter"]),
        (
            {"invreq_recurrence_cancel": True, "invreq_recurrence_counter": 0},
            ["warning_invreq_recurrence_cancel_with_zero_counter"],
        ),
    ],
)
def test_a_broken_rule_is_a_warning_and_makes_the_request_invalid(values: dict[str, Any], expected: list[str]) -> None:
    shown = described(**values)
    assert warnings(shown) == expected
    assert shown["valid"] is False


def test_a_name_is_shown_whole_and_as_text_whatever_it_holds() -> None:
    shown = described(invreq_bip_353_name=Bip353Name(b"bob\0x", b"\xff\xfe.\xc3\xa9"))
    assert shown["invreq_bip_353_name"] == {"name": "bob\0x", "domain": "\ufffd\ufffd.\u00e9"}


def test_warnings_speak_as_core_lightning_does() -> None:
    assert described(offer_amount=1)["warning_missing_offer_description"] == (
        "description is required if offer_amount is set"
    )
    without = described(invreq_recurrence_cancel=True)
    assert without["warning_invreq_recurrence_cancel_without_counter"] == (
        "invreq_recurrence_cancel is invalid without invreq_recurrence_counter"
    )
    at_zero = described(invreq_recurrence_cancel=True, invreq_recurrence_counter=0)
    assert at_zero["warning_invreq_recurrence_cancel_with_zero_counter"] == (
        "invreq_recurrence_cancel is invalid with invreq_recurrence_counter zero"
    )


def test_a_start_without_a_counter_is_not_shown() -> None:
    assert "invreq_recurrence_start" not in described(invreq_recurrence_start=1)


def test_a_wrong_signature_is_replaced_by_a_warning() -> None:
    request = InvoiceRequest.from_bytes(
        stream(invreq_metadata=METADATA, invreq_payer_id=SIGNER.public_key, signature=bytes(64))
    )
    shown = describe(request)
    assert "signature" not in shown
    assert shown["warning_invalid_invoice_request_signature"] == "Bad signature"
    assert shown["valid"] is False


def test_what_is_missing_is_a_warning_in_its_place() -> None:
    assert describe(InvoiceRequest.from_bytes(b"")) == {
        "type": "bolt12 invoice_request",
        "warning_missing_invreq_metadata": "invreq_metadata required",
        "warning_missing_invreq_payer_id": "invreq_payer_id required",
        "warning_missing_invoice_request_signature": "Missing signature",
        "valid": False,
    }


def test_a_payer_without_a_signature_is_shown_with_a_warning() -> None:
    shown = describe(InvoiceRequest.from_bytes(stream(invreq_metadata=METADATA, invreq_payer_id=SIGNER.public_key)))
    assert shown["invreq_payer_id"] == SIGNER.public_key.hex()
    assert warnings(shown) == ["warning_missing_invoice_request_signature"]
    assert shown["valid"] is False


def test_a_signature_without_a_payer_is_shown_unchecked() -> None:
    shown = describe(InvoiceRequest.from_bytes(stream(signature=b"\x01" * 64)))
    assert shown["signature"] == "01" * 64
    assert shown["valid"] is False


def test_counter_zero_is_the_first_period_and_no_fault() -> None:
    shown = described(invreq_recurrence_counter=0)
    assert shown["invreq_recurrence_counter"] == 0
    assert warnings(shown) == []
    assert shown["valid"] is True
