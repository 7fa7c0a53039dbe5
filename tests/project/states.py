"""The lives of a record and of a payment, drawn from their tables: `python -m tests.project.states` writes the page."""

from __future__ import annotations

from collections.abc import Iterator

from lnoffers.service.payment_states import MEANINGS, STEPS, PaymentEvent, PaymentState
from lnoffers.service.status import TRANSITIONS, Status, StatusChange
from tests.project.drawings import redrawn
from tests.shared import ROOT

PAGE = ROOT / "docs" / "explanation" / "states.md"


def drawn() -> str:
    """Return the two diagrams and the table, in Markdown."""
    return "\n".join(
        [
            "A record that may be used any number of times:\n",
            *_diagram(single_use=False),
            "\nAnd one for a single use:\n",
            *_diagram(single_use=True),
            "\nAll of it, by the numbers that the store holds; where a field is empty, the event is refused:\n",
            *_table(),
            "",
        ]
    )


def drawn_payment() -> str:
    """Return the diagram and the two tables of a payment, in Markdown."""
    return "\n".join([*_payment_diagram(), "", *_list("state", PaymentState), "", *_list("event", PaymentEvent), ""])


def _payment_diagram() -> Iterator[str]:
    yield "```mermaid\nstateDiagram-v2"
    yield f"    [*] --> {PaymentState.CLAIMED}: claimed for this invoice"
    for event, moves in STEPS.items():
        for before, after in moves.items():
            yield f"    {before} --> {after}: {event.name.lower()}"
    yield "```"


def _list(title: str, rows: type[PaymentState] | type[PaymentEvent]) -> Iterator[str]:
    yield f"| {title} | |"
    yield "|---|---|"
    for row in rows:
        yield f"| {row.name.lower()} | {MEANINGS[row] if isinstance(row, PaymentState) else row.value} |"


def _states() -> list[Status]:
    return sorted({state for moves in TRANSITIONS.values() for pair in moves.items() for state in pair})


def _words(state: Status) -> str:
    """Return its bits, except the one that never changes."""
    words = ["active" if Status.ACTIVE in state else "inactive"]
    words += [str(bit.name).lower() for bit in (Status.CLAIMED, Status.USED) if bit in state]
    return ", ".join(words)


def _diagram(*, single_use: bool) -> Iterator[str]:
    yield "```mermaid\nstateDiagram-v2"
    for state in _states():
        if (Status.SINGLE_USE in state) == single_use:
            yield f"    s{state.value}: {state.value} {_words(state)}"
    yield f"    [*] --> s{Status.created(single_use=single_use).value}: made"
    for event, moves in TRANSITIONS.items():
        for before, after in moves.items():
            if (Status.SINGLE_USE in before) == single_use:
                yield f"    s{before.value} --> s{after.value}: {event.name.lower()}"
    yield "```"


def _table() -> Iterator[str]:
    yield f"| | state | {' | '.join(event.name.lower() for event in StatusChange)} |"
    yield f"|---|---|{'---|' * len(StatusChange)}"
    for state in _states():
        kind = "single use, " if Status.SINGLE_USE in state else ""
        moves = (TRANSITIONS[event].get(state) for event in StatusChange)
        cells = " | ".join("" if after is None else str(after.value) for after in moves)
        yield f"| {state.value} | {kind}{_words(state)} | {cells} |"


def page() -> str:
    """Return the page with its drawings as they must be."""
    records = redrawn(PAGE.read_text(encoding="utf-8"), "lnoffers.service.status", drawn())
    return redrawn(records, "lnoffers.service.payment_states", drawn_payment())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
