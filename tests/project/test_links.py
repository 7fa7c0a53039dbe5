"""The links between the project's own pages lead somewhere, and every decision is in its index, with a status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shared import ROOT

DECISIONS = ROOT / "docs" / "decisions"
LINK = r"\[\d{1,4}\]\(\d{4}-[a-z0-9-]+\.md\)"
STATUS = re.compile(
    rf"Status: (?:accepted(?:, amended by {LINK})*|superseded by {LINK})\."
    rf"(?: (?:Includes \d{{4}}|Supersedes {LINK}|Amends {LINK})\.)*"
)
OPPOSITES = {"amended by": "Amends", "superseded by": "Supersedes"}


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


def statuses() -> dict[str, str]:
    """Return the status of each decision, on one line, by the name of its file."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(DECISIONS.glob("0*.md"))}
    found = {name: re.search(r"^Status: .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL) for name, text in texts.items()}
    return {name: " ".join(match[0].split()) if match else "" for name, match in found.items()}


def relations(words: str) -> set[tuple[str, str]]:
    """Return the pairs of decisions of which the first names the second in its status, after `words`."""
    return {
        (name, other)
        for name, status in statuses().items()
        for other in re.findall(rf"{words} \[\d+\]\((\S+)\)", status)
    }


def test_every_decision_has_a_status_of_the_usual_form() -> None:
    assert [name for name, status in statuses().items() if not STATUS.fullmatch(status)] == []


def test_links_to_decisions_in_a_status_show_their_numbers() -> None:
    links = [link for status in statuses().values() for link in re.findall(r"\[(\d+)\]\((\S+)\)", status)]
    assert [file for number, file in links if int(file[:4]) != int(number)] == []


@pytest.mark.parametrize(("passive", "active"), OPPOSITES.items())
def test_both_decisions_say_that_one_changes_the_other(passive: str, active: str) -> None:
    assert relations(passive) == {(old, new) for new, old in relations(active)}
