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
    yield "Every `Bolt12Error` names the rule that was broken: `error.rule` is a member of"
    yield '`lnoffers.bolt12.RuleName` and equals its text (`error.rule == "record-order"`).'
    yield "`error.rule.section` and `error.rule.broken_by` contain the text of this page. The names"
    yield "are an interface: they do not change from one release to the next."
    yield ""
    yield "`python -m tests.project.rules` generates this page from `core/lnoffers/bolt12/rule_names.py`."
    for section in dict.fromkeys(rule.section for rule in RuleName):
        yield ""
        yield f"## {section}"
        yield ""
        yield "| rule | what breaks it |"
        yield "|---|---|"
        yield from (f"| `{rule}` | {rule.broken_by} |" for rule in RuleName if rule.section == section)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
