"""The order of things on a connection, drawn from its table: `python -m tests.project.connections` writes the page."""

from __future__ import annotations

from collections.abc import Iterator

from lnoffers.net.states import TRANSITIONS, State, Step, has_ended
from tests.project.drawings import redrawn
from tests.shared import ROOT

PAGE = ROOT / "docs" / "explanation" / "wire.md"


def drawn() -> str:
    """Return the diagram and the two tables, in Markdown."""
    return "\n".join([*_diagram(), "", *_table("state", State), "", *_table("step", Step), ""])


def _diagram() -> Iterator[str]:
    """Yield the steps to other states; those that end a connection are possible in every state."""
    yield "```mermaid\nstateDiagram-v2"
    yield f"    [*] --> {State.AWAITING_ACT_TWO.name}: initiator"
    yield f"    [*] --> {State.AWAITING_ACT_ONE.name}: responder"
    for step, moves in TRANSITIONS.items():
        for before, after in moves.items():
            if not has_ended(after):
                yield f"    {before.name} --> {after.name}: {step.name.lower().replace('_', ' ')}"
    ends = {step: set(moves.values()) for step, moves in TRANSITIONS.items()}
    for step, [after] in ((step, states) for step, states in ends.items() if any(map(has_ended, states))):
        yield f"    {State.OPEN.name} --> {after.name}: {step.name.lower()}, as in every state"
        yield f"    {after.name} --> [*]"
    yield "```"


def _table(title: str, rows: type[State] | type[Step]) -> Iterator[str]:
    yield f"| {title} | |"
    yield "|---|---|"
    for row in rows:
        yield f"| {row.name.lower().replace('_', ' ')} | {row.value} |"


def page() -> str:
    """Return the page with its drawing as it must be."""
    return redrawn(PAGE.read_text(encoding="utf-8"), "lnoffers.net.states", drawn())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
