"""The page of rules, their enumeration and the examples that break them agree."""

from __future__ import annotations

from importlib import import_module

import pytest

from lnoffers.bolt12 import RuleName
from tests.project.rules import PAGE, page
from tests.shared import ROOT

# Other tests hold each example to the rule that it names.
EXAMPLES = [
    fault
    for path in (ROOT / "tests" / "bolt12").glob("faulty_*.py")
    for fault in import_module(f"tests.bolt12.{path.stem}").FAULTS
]


def test_the_page_says_what_the_enumeration_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.project.rules"


def test_every_rule_is_broken_by_an_example_and_every_example_breaks_a_rule() -> None:
    assert {fault.rule for fault in EXAMPLES} == set(RuleName)


@pytest.mark.parametrize("rule", RuleName)
def test_every_rule_has_a_section_and_a_sentence(rule: RuleName) -> None:
    assert rule.section.startswith(("BOLT ", "BIP ", "Core Lightning, "))
    assert rule.broken_by.endswith(".")
    assert rule.broken_by[0] == "`" or rule.broken_by[0].isupper()
    assert rule == rule.value == rule.name.lower().replace("_", "-")
