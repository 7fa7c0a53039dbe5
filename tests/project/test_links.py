"""The links between the project's own pages lead somewhere, and every decision is in its index, with a status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shared import ROOT

DECISIONS = ROOT / "docs" / "decisions"
STATUS = re.compile(r"^Status: (accepted|superseded by \[\d{4}\])", re.MULTILINE)


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("generated/docs/**/*.md")]


def broken(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)", page.read_text(encoding="utf-8"))
    return [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_index_lists_every_decision() -> None:
    listed = re.findall(r"^\| \[\d{4}\]\((\S+)\)", (DECISIONS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == sorted(path.name for path in DECISIONS.glob("0*.md"))


def test_every_decision_has_a_status() -> None:
    assert [path.name for path in DECISIONS.glob("0*.md") if not STATUS.search(path.read_text("utf-8"))] == []
