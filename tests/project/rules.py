"""The page of all rules, made of their enumeration: `python -m tests.project.rules` writes it."""

from __future__ import annotations

from collections.abc import Iterator

from lnoffers.bolt12 import RuleName
from tests.shared import ROOT

PAGE = ROOT / "docs" / "reference" / "rules.md"


def page() -> str:
    """Return the page as it must be."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The rules of BOLT 12"
    yield ""
    yield "Every `Bolt12Error` says which rule is broken: `error.rule` is a member of"
    yield '`lnoffers.bolt12.RuleName`, which equals its text (`error.rule == "record-order"`).'
    yield "`error.rule.section` and `error.rule.broken_by` hold what this page says of it. The names"
    yield "are an interface: they stay as they are from one release to the next."
    yield ""
    yield "This page is made of `core/lnoffers/bolt12/rule_names.py` by `python -m tests.project.rules`."
    for section in dict.fromkeys(rule.section for rule in RuleName):
        yield ""
        yield f"## {section}"
        yield ""
        yield "| rule | what breaks it |"
        yield "|---|---|"
        yield from (f"| `{rule}` | {rule.broken_by} |" for rule in RuleName if rule.section == section)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
