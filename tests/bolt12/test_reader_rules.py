"""The rules that are made of what a reader knows (chain, time, features, request): each refuses something alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lnoffers.bolt12 import Bolt12Error
from lnoffers.bolt12.rules import invoice as invoice_rules
from lnoffers.bolt12.rules import invoice_request as invoice_request_rules
from lnoffers.bolt12.rules import offer as offer_rules
from lnoffers.bolt12.rules.rule import Rule

from .faulty_readings import FAULTS, Refusal


def forget_rules() -> None:
    """Clear the cached tables of rules, which here are made with and without a rule."""
    for rules in (offer_rules, invoice_request_rules, invoice_rules):
        rules._of_reader.cache_clear()
    invoice_request_rules._of_offer.cache_clear()


@pytest.fixture(autouse=True)
def _no_rule_remembered() -> Iterator[None]:
    yield
    forget_rules()


def lenient(*_: Any) -> Rule[Any]:
    """Return a rule that finds no fault, in place of any other."""
    return Rule(None, "none", None, lambda _: None)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_refuses_by_this_rule_and_no_other(fault: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Bolt12Error) as caught:
        fault.call()
    assert caught.value.rule == fault.rule
    monkeypatch.setattr(fault.rules, fault.makes, lenient)
    forget_rules()
    fault.call()


def test_there_is_a_case_for_every_rule_that_is_made() -> None:
    made = {
        (rules, name)
        for rules in (offer_rules, invoice_request_rules, invoice_rules)
        for name, value in vars(rules).items()
        if callable(value) and getattr(value, "__annotations__", {}).get("return", "").startswith("Rule[")
        if name[0] != "_" and name not in {"always", "check_always", "check_when", "forbidden", "required", "when"}
    }
    assert made == {(fault.rules, fault.makes) for fault in FAULTS}
