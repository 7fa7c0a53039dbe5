"""The rules of a request's readers: each is broken by a sample that breaks no other, and none by good requests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import (
    CHAINS,
    Bip353Name,
    BlindedHop,
    BlindedPath,
    Bolt12Error,
    InvoiceRequest,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
    describe,
    rules,
)

from .samples import METADATA, OTHER_SIGNER, REGTEST, SIGNER, as_text, signed_stream, stream

PATH = BlindedPath(OTHER_SIGNER.public_key, SIGNER.public_key, (BlindedHop(SIGNER.public_key, b""),))
EMPTY_PATH = BlindedPath(OTHER_SIGNER.public_key, SIGNER.public_key, ())
MONTHLY = Recurrence(2, 1)
PAYER_ID = SIGNER.public_key


def alone(**values: Any) -> bytes:
    """A request without an offer."""
    return signed_stream(**{"invreq_amount": 1} | values)


def answer(**values: Any) -> bytes:
    """A request for an offer without an amount."""
    return signed_stream(**{"offer_issuer_id": OTHER_SIGNER.public_key, "invreq_amount": 1} | values)


def priced(**values: Any) -> bytes:
    """A request for an offer of 100 msat."""
    return answer(**{"offer_amount": 100, "offer_description": "", "invreq_amount": None} | values)


def recurring(**values: Any) -> bytes:
    """A request for a recurring offer."""
    return answer(**{"offer_recurrence_optional": MONTHLY, "invreq_recurrence_counter": 0} | values)


# Table, rule and field: a request that breaks this rule and no other, and what is said of it.
BROKEN: dict[tuple[str, str, str], tuple[bytes, str]] = {
    ("READING", "unknown-feature", "invreq_features"): (alone(invreq_features=b"\1"), "unknown feature bit 0"),
    ("READING", "field-out-of-range", "1001"): (
        signed_stream((1001, b""), invreq_amount=1),
        "Invoice request 1001 field outside invoice request range",
    ),
    ("READING", "path-without-hops", "invreq_paths"): (
        alone(invreq_paths=(EMPTY_PATH,)),
        "Invoice request contains an empty invreq_path",
    ),
    ("SIGNED", "payer-id-missing", "invreq_payer_id"): (
        stream(invreq_metadata=METADATA, invreq_amount=1, signature=bytes(64)),
        "Missing invreq_payer_id",
    ),
    ("SIGNED", "metadata-missing", "invreq_metadata"): (alone(invreq_metadata=None), "Missing invreq_metadata"),
    ("SIGNED", "signature-missing", "signature"): (
        stream(invreq_metadata=METADATA, invreq_payer_id=PAYER_ID, invreq_amount=1),
        "Missing signature",
    ),
    ("SIGNED", "signature-invalid", "signature"): (
        stream(invreq_metadata=METADATA, invreq_payer_id=PAYER_ID, invreq_amount=1, signature=bytes(64)),
        "Invalid signature",
    ),
    ("ANY", "name-characters", "invreq_bip_353_name"): (
        alone(invreq_bip_353_name=Bip353Name(b"bob", b"x y")),
        "invalid bip353 name fields",
    ),
    ("ANY", "description-missing", "offer_description"): (
        alone(offer_amount=1),
        "Offer does not contain a description, but contains an amount",
    ),
    ("ANY", "cancel-without-counter", "invreq_recurrence_cancel"): (
        alone(invreq_recurrence_cancel=True),
        "invreq_recurrence_cancel is invalid without invreq_recurrence_counter",
    ),
    ("ANY", "cancel-at-zero", "invreq_recurrence_cancel"): (
        alone(invreq_recurrence_cancel=True, invreq_recurrence_counter=0),
        "invreq_recurrence_cancel is invalid with invreq_recurrence_counter zero",
    ),
    ("WITHOUT_OFFER", "chains-unexpected", "offer_chains"): (
        alone(offer_chains=(REGTEST,)),
        "Unexpected offer_chains",
    ),
    ("WITHOUT_OFFER", "features-unexpected", "offer_features"): (
        alone(offer_features=b""),
        "Unexpected offer_features",
    ),
    ("WITHOUT_OFFER", "quantity-max-unexpected", "offer_quantity_max"): (
        alone(offer_quantity_max=0),
        "Unexpected offer_quantity_max",
    ),
    ("WITHOUT_OFFER", "amount-missing", "invreq_amount"): (alone(invreq_amount=None), "Missing invreq_amount"),
    ("WITHOUT_OFFER", "amount-zero", "invreq_amount"): (alone(invreq_amount=0), "invreq_amount must be positive"),
    ("OFFER", "chains-empty", "offer_chains"): (answer(offer_chains=()), "offer_chains with zero entries"),
    ("OFFER", "unknown-offer-feature", "offer_features"): (answer(offer_features=b"\4"), "unknown feature bit 2"),
    ("OFFER", "offer-amount-zero", "offer_amount"): (priced(offer_amount=0), "Offer contains a zero amount"),
    ("OFFER", "currency-without-amount", "offer_currency"): (
        answer(offer_currency="EUR"),
        "Offer contains a currency with no amount",
    ),
    ("OFFER", "offer-path-without-hops", "offer_paths"): (
        answer(offer_paths=(PATH, EMPTY_PATH)),
        "Offer contains an empty offer_path",
    ),
    ("OFFER", "recurrence-unit", "offer_recurrence_compulsory"): (
        recurring(offer_recurrence_compulsory=Recurrence(3, 1)),
        "Offer contains invalid recurrence time_unit 3",
    ),
    ("OFFER", "recurrence-unit", "offer_recurrence_optional"): (
        recurring(offer_recurrence_optional=Recurrence(255, 1)),
        "Offer contains invalid recurrence time_unit 255",
    ),
    ("OFFER", "recurrence-period", "offer_recurrence_compulsory"): (
        recurring(offer_recurrence_compulsory=Recurrence(0, 0)),
        "Offer contains invalid recurrence period 0",
    ),
    ("OFFER", "recurrence-period", "offer_recurrence_optional"): (
        recurring(offer_recurrence_optional=Recurrence(1, 0)),
        "Offer contains invalid recurrence period 0",
    ),
    ("OFFER", "recurrence-limit", "offer_recurrence_limit"): (
        recurring(offer_recurrence_limit=0),
        "Offer contains invalid recurrence limit 0",
    ),
    ("OFFER", "recurrence-missing", "offer_recurrence_base"): (
        answer(offer_recurrence_base=RecurrenceBase(0, 1)),
        "Offer contains recurrence fields but no recurrence",
    ),
    ("OFFER", "recurrence-missing", "offer_recurrence_paywindow"): (
        answer(offer_recurrence_paywindow=RecurrencePaywindow(0, 1)),
        "Offer contains recurrence fields but no recurrence",
    ),
    ("OFFER", "recurrence-missing", "offer_recurrence_limit"): (
        answer(offer_recurrence_limit=1),
        "Offer contains recurrence fields but no recurrence",
    ),
    ("WITH_OFFER", "chain-not-offered", "invreq_chain"): (answer(invreq_chain=REGTEST), f"Wrong chain {REGTEST.hex()}"),
    ("WITH_OFFER", "quantity-missing", "invreq_quantity"): (
        answer(offer_quantity_max=2),
        "missing invreq_quantity",
    ),
    ("WITH_OFFER", "quantity-zero", "invreq_quantity"): (
        answer(offer_quantity_max=0, invreq_quantity=0),
        "quantity zero invalid",
    ),
    ("WITH_OFFER", "quantity-too-great", "invreq_quantity"): (
        answer(offer_quantity_max=2, invreq_quantity=3),
        "quantity 3 > 2",
    ),
    ("WITH_OFFER", "quantity-unexpected", "invreq_quantity"): (
        answer(invreq_quantity=1),
        "unexpected invreq_quantity",
    ),
    ("WITH_OFFER", "counter-missing", "invreq_recurrence_counter"): (
        recurring(invreq_recurrence_counter=None),
        "missing invreq_recurrence_counter",
    ),
    ("WITH_OFFER", "recurrence-unexpected", "invreq_recurrence_counter"): (
        answer(invreq_recurrence_counter=0),
        "unexpected invreq_recurrence_counter",
    ),
    ("WITH_OFFER", "recurrence-unexpected", "invreq_recurrence_start"): (
        answer(invreq_recurrence_start=0),
        "unexpected invreq_recurrence_start",
    ),
    ("WITH_OFFER", "quantity-overflow", "invreq_quantity"): (
        priced(offer_amount=2**63, offer_quantity_max=0, invreq_quantity=2),
        "quantity 2 causes overflow",
    ),
    ("WITH_OFFER", "amount-missing", "invreq_amount"): (answer(invreq_amount=None), "missing invreq_amount"),
    ("WITH_OFFER", "amount-too-small", "invreq_amount"): (
        priced(offer_quantity_max=3, invreq_quantity=3, invreq_amount=299),
        "Amount must be at least 300msat",
    ),
    ("WITH_OFFER", "start-missing", "invreq_recurrence_start"): (
        recurring(offer_recurrence_base=RecurrenceBase(0, 1)),
        "missing invreq_recurrence_start",
    ),
    ("WITH_OFFER", "start-unexpected", "invreq_recurrence_start"): (
        recurring(invreq_recurrence_start=0),
        "unexpected invreq_recurrence_start",
    ),
    ("WITH_OFFER", "period-after-limit", "invreq_recurrence_counter"): (
        recurring(offer_recurrence_limit=2, invreq_recurrence_counter=3),
        "period_index 3 too great",
    ),
}

GOOD = {
    "alone": alone(),
    "alone, with the price in a currency for show": alone(
        offer_amount=3, offer_currency="EUR", offer_description="tea", invreq_amount=2
    ),
    "alone, at counter zero": alone(invreq_recurrence_counter=0),
    "any amount": answer(),
    "any amount, by paths": answer(offer_issuer_id=None, offer_paths=(PATH,)),
    "odd features": answer(offer_features=b"\xaa"),
    "one of several chains": answer(offer_chains=(CHAINS["bitcoin"], REGTEST), invreq_chain=REGTEST),
    "bitcoin by name": answer(invreq_chain=CHAINS["bitcoin"]),
    "the offer's price": priced(),
    "the exact amount": priced(offer_quantity_max=3, invreq_quantity=3, invreq_amount=300),
    "as many as one likes": priced(offer_quantity_max=0, invreq_quantity=2**32),
    "an amount to be converted": priced(offer_currency="USD", invreq_amount=1),
    "the first period": recurring(),
    "the last period": recurring(
        offer_recurrence_base=RecurrenceBase(0, 1),
        offer_recurrence_paywindow=RecurrencePaywindow(1, 1),
        offer_recurrence_limit=3,
        invreq_recurrence_counter=2,
        invreq_recurrence_start=1,
    ),
    "a share of a period": priced(
        offer_recurrence_compulsory=MONTHLY,
        offer_recurrence_base=RecurrenceBase(1, 1),
        invreq_recurrence_counter=0,
        invreq_recurrence_start=0,
        invreq_amount=1,
    ),
    "a cancel, which pays nothing": recurring(
        offer_quantity_max=5, invreq_recurrence_counter=1, invreq_recurrence_cancel=True, invreq_amount=None
    ),
    "a name": answer(invreq_bip_353_name=Bip353Name(b"bob", b"example.com")),
}


def named_field(rule: rules.Rule) -> str:
    return "1001" if rule.field is None else rule.field.name


def checked(data: bytes) -> InvoiceRequest:
    request = InvoiceRequest.from_bytes(data)
    request.verify()
    return request


@pytest.mark.parametrize("case", BROKEN, ids=" ".join)
def test_a_request_that_breaks_a_rule_is_refused(case: tuple[str, str, str]) -> None:
    table, rule, field = case
    data, message = BROKEN[case]
    with pytest.raises(Bolt12Error) as caught:
        lnoffers.decode(as_text(data))
    error = caught.value
    assert (str(error), error.rule, error.field) == (message, rule, field)
    if table != "READING":
        assert InvoiceRequest.parse(as_text(data)).to_bytes() == data


@pytest.mark.parametrize("case", [case for case in BROKEN if case[0] != "SIGNED"], ids=" ".join)
def test_no_other_rule_refuses_it(case: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    table, name, field = case
    kept = tuple(rule for rule in getattr(rules, table) if (rule.name, named_field(rule)) != (name, field))
    assert len(kept) == len(getattr(rules, table)) - 1
    monkeypatch.setattr(rules, table, kept)
    checked(BROKEN[case][0])


def test_every_rule_is_broken_by_a_sample() -> None:
    tables = ("READING", "SIGNED", "ANY", "WITHOUT_OFFER", "OFFER", "WITH_OFFER")
    names = [(table, rule.name, named_field(rule)) for table in tables for rule in getattr(rules, table)]
    assert sorted(names) == sorted(BROKEN)


@pytest.mark.parametrize("case", GOOD)
def test_good_requests_are_accepted(case: str) -> None:
    assert describe(checked(GOOD[case]))["valid"] is True


def test_a_fault_is_placed_at_its_record_if_that_is_there() -> None:
    for field, offset in (("invreq_amount", None), ("offer_chains", 18)):
        data = next(data for (_, _, name), (data, _) in BROKEN.items() if name == field)
        with pytest.raises(Bolt12Error) as caught:
            checked(data)
        assert caught.value.offset == offset


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "offer_chains": st.lists(st.sampled_from([REGTEST, CHAINS["bitcoin"]]), max_size=2).map(tuple),
    "offer_currency": st.sampled_from(["USD", "XQQ", ""]),
    "offer_amount": st.integers(0, 3),
    "offer_description": st.just(""),
    "offer_features": st.sampled_from([b"", b"\1", b"\2"]),
    "offer_paths": st.sampled_from([(), (PATH,), (PATH, EMPTY_PATH)]),
    "offer_quantity_max": st.integers(0, 2),
    "offer_recurrence_optional": st.builds(Recurrence, st.integers(0, 3), st.integers(0, 1)),
    "offer_recurrence_base": st.builds(RecurrenceBase, st.integers(0, 1), st.just(1)),
    "offer_issuer_id": st.just(PAYER_ID),
    "invreq_chain": st.just(REGTEST),
    "invreq_amount": st.integers(0, 3),
    "invreq_quantity": st.integers(0, 3),
    "invreq_bip_353_name": st.builds(Bip353Name, st.sampled_from([b"a", b"@"]), st.sampled_from([b"", b"\xff"])),
    "invreq_recurrence_counter": st.integers(0, 1),
    "invreq_recurrence_start": st.integers(0, 1),
    "invreq_recurrence_cancel": st.just(value=True),
}


@given(st.fixed_dictionaries({}, optional=FIELDS))
def test_what_decode_accepts_is_described_as_valid(values: dict[str, Any]) -> None:
    text = as_text(signed_stream(**values))
    try:
        request = lnoffers.decode(text)
    except Bolt12Error:
        return
    assert describe(request)["valid"] is True
