"""The rules of all kinds of messages: each is broken by a sample that breaks no other and is good when it is mended.

A test disables each rule in turn, and finds its sample no longer refused for it: no rule stands for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import (
    CHAINS,
    Bip353Name,
    Bolt12Error,
    FallbackAddress,
    Invoice,
    InvoiceError,
    InvoiceRequest,
    Offer,
    PayerProof,
    Recurrence,
    RecurrenceBase,
    describe,
)
from lnoffers.bolt12.rules import invoice as invoice_rules
from lnoffers.bolt12.rules import invoice_error as invoice_error_rules
from lnoffers.bolt12.rules import invoice_request as invoice_request_rules
from lnoffers.bolt12.rules import offer as offer_rules
from lnoffers.bolt12.rules import payer_proof as payer_proof_rules
from lnoffers.bolt12.rules.rule import Rule

from . import faulty_errors, faulty_invoices, faulty_offers, faulty_proofs, faulty_requests, faulty_requests_for_offers
from .faults import Fault
from .samples import EMPTY_PATH, PATH, REGTEST, SIGNER, as_text, signed_stream


class Kind(NamedTuple):
    """A kind of message: its rules, those of its tables that others are made of left out, and faults against them."""

    rules: ModuleType
    tables: tuple[str, ...]
    faults: list[Fault]
    read: Callable[[bytes], object]


def verified(kind: type[InvoiceRequest | Invoice | PayerProof]) -> Callable[[bytes], object]:
    return lambda data: kind.from_bytes(data).verify()


KINDS = {
    "offer": Kind(offer_rules, ("READING", "WRITING"), faulty_offers.FAULTS, Offer.from_bytes),
    "invoice_request": Kind(
        invoice_request_rules,
        (
            "READING",
            "SIGNED",
            "UNSIGNED",
            "ANY",
            "WITHOUT_OFFER",
            "OFFER",
            "WITH_OFFER",
            "WRITING",
            "WRITING_WITHOUT_OFFER",
        ),
        faulty_requests.FAULTS + faulty_requests_for_offers.FAULTS,
        verified(InvoiceRequest),
    ),
    "invoice": Kind(
        invoice_rules,
        ("SIGNED", "COMPLETE", "PAYABLE", "REPEATING", "ANSWERABLE", "WRITING"),
        faulty_invoices.FAULTS,
        verified(Invoice),
    ),
    "payer_proof": Kind(
        payer_proof_rules,
        ("COMPLETE", "PAID", "MARKED", "HASHED", "SIGNED"),
        faulty_proofs.FAULTS,
        verified(PayerProof),
    ),
    "invoice_error": Kind(invoice_error_rules, ("WRITING",), faulty_errors.FAULTS, InvoiceError.from_bytes),
}
PARTS = {"MADE_BY_PAYER", "QUANTITIES", "COUNTED", "PRICED", "PERIODS", "RECURRING", "_WITHOUT_OFFER", "_WRITING"}
"""Tables that others are made of."""
CASES = [pytest.param(kind, fault, id=f"{name} {fault}") for name, kind in KINDS.items() for fault in kind.faults]


def named_field(rule: Rule[Any]) -> str | None:
    return None if rule.field is None else rule.field.name


def is_of(rule: Rule[Any], fault: Fault) -> bool:
    """Return whether the fault breaks this rule; a rule without a field of its own is named by its name alone."""
    return rule.name == fault.rule and named_field(rule) in (None, fault.field)


def error_for(kind: Kind, fault: Fault) -> ValueError | None:
    """Return the error of the reader or builder for the broken message, if it refuses it."""
    try:
        accept(kind, fault.make_broken())
    except ValueError as error:
        return error
    return None


def accept(kind: Kind, made: object) -> None:
    if isinstance(made, bytes):  # what is a message, its builder has accepted
        kind.read(made)


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_what_breaks_a_rule_is_refused_by_its_name(kind: Kind, fault: Fault) -> None:
    error = error_for(kind, fault)
    assert isinstance(error, Bolt12Error)
    assert (str(error), error.rule, error.field) == (fault.message, fault.rule, fault.field)


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_with_only_that_mended_it_is_good(kind: Kind, fault: Fault) -> None:
    accept(kind, fault.make_mended())


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_no_other_rule_refuses_it_for_that(kind: Kind, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    table = getattr(kind.rules, fault.table)
    kept = tuple(rule for rule in table if not is_of(rule, fault))
    assert len(kept) == len(table) - 1
    monkeypatch.setattr(kind.rules, fault.table, kept)
    error = error_for(kind, fault)
    if fault.sole:
        assert error is None
    else:
        assert (str(error), getattr(error, "rule", None)) != (fault.message, fault.rule)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_rule_is_broken_by_a_sample(kind: Kind) -> None:
    for table in kind.tables:
        for rule in getattr(kind.rules, table):
            assert any(fault.table == table and is_of(rule, fault) for fault in kind.faults), (table, rule.name)
    tables = {name for name, value in vars(kind.rules).items() if is_table(value)}
    assert tables - PARTS == set(kind.tables)


def is_table(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(each, Rule) for each in value)


@pytest.mark.parametrize("case", faulty_requests.GOOD)
def test_good_requests_are_accepted(case: str) -> None:
    request = lnoffers.decode(as_text(faulty_requests.GOOD[case]))
    assert describe(request, accept_unsigned=True)["valid"] is True


def test_a_fault_is_placed_at_its_record_if_that_is_there() -> None:
    for field, offset in (("invreq_amount", None), ("offer_chains", 18)):
        fault = next(each for each in faulty_requests.FAULTS if each.field == field)
        with pytest.raises(Bolt12Error) as caught:
            lnoffers.decode(as_text(fault.make_broken()))
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
    "offer_issuer_id": st.just(SIGNER.public_key),
    "invreq_chain": st.just(REGTEST),
    "invreq_amount": st.integers(0, 3),
    "invreq_quantity": st.integers(0, 3),
    "invreq_bip_353_name": st.builds(Bip353Name, st.sampled_from([b"a", b"@"]), st.sampled_from([b"", b"\xff"])),
    "invreq_recurrence_counter": st.integers(0, 1),
    "invreq_recurrence_start": st.integers(0, 1),
}


LACKING = {"offer_description": st.none(), "invreq_metadata": st.none(), "invreq_payer_id": st.none()}


def assert_valid_if_accepted(text: str) -> None:
    try:
        message = lnoffers.decode(text)
    except Bolt12Error:
        return
    assert describe(message, accept_unsigned=True)["valid"] is True


@given(st.fixed_dictionaries({}, optional=FIELDS | {"invreq_recurrence_cancel": st.just(value=True)}))
def test_a_request_that_decode_accepts_is_described_as_valid(values: dict[str, Any]) -> None:
    assert_valid_if_accepted(as_text(signed_stream(**values)))
    assert_valid_if_accepted(as_text(faulty_requests.raw(**values)))


@given(st.fixed_dictionaries({}, optional=FIELDS | LACKING))
def test_an_invoice_that_decode_accepts_is_described_as_valid(values: dict[str, Any]) -> None:
    assert_valid_if_accepted(as_text(faulty_invoices.signed(**values), "lni"))


def test_a_fallback_address_that_payers_pass_over_is_no_fault_to_decode() -> None:
    odd = FallbackAddress(17, bytes(32))
    message = lnoffers.decode(as_text(faulty_invoices.signed(invoice_fallbacks=(odd,)), "lni"))
    assert describe(message)["valid"] is False
