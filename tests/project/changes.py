"""The page of the rules of `rpcschema diff`, made of their table: `python -m tests.project.changes` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rpcschema.diff import rules
from tests.shared import ROOT

PAGE = ROOT / "docs" / "reference" / "changes.md"
_HEAD = """
`rpcschema diff OLD NEW` names each change of the documents after one of these rules. The names are an interface:
they do not change from one release to the next.

A **parameter** is what a program sends: to a command, or back from a hook. A **field** is what it receives: in a
command's response, in a notification, or when a hook is called.

The two verdicts answer two questions. **Callers**: can a program that was written for the old documents fail with a
node that follows the new ones? **Implementers**: can a node, or whatever else answers as the old documents say, fail a
program that was written for the new ones?

*breaking*: programs that do what the documents allowed can fail. *risky*: what some programs do can fail, or will fail
in a later release. *safe*: nothing that worked can fail. What is hidden, as parameters for developers are, is promised
to nobody: every change of it is safe.

`python -m tests.project.changes` generates this page from `generator/rpcschema/diff/rules.py`.
"""


def page() -> str:
    """Return the page as it must be."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What a change of the documents means"
    for paragraph in _HEAD.strip().split("\n\n"):
        yield ""
        yield from wrap(paragraph.replace("\n", " "), 100, break_on_hyphens=False)
    yield ""
    yield "| rule | what has changed | callers | implementers |"
    yield "|---|---|---|---|"
    for rule in rules.RULES.values():
        yield f"| `{rule.name}` | {rule.about} | {rule.callers.word} | {rule.implementers.word} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
