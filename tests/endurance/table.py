"""The table that each of these prints in the end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A line: what was found, the most that it may be, and whether it is more."""

    name: str
    found: str
    most: str = ""
    missed: bool = False


def report(title: str, *figures: Figure) -> int:
    """Print the table; 1 if a bar is missed, else 0."""
    print(f"{title}\n\n| | found | at most |\n|---|---|---|")
    for figure in figures:
        print(f"| {figure.name} | {figure.found} | {figure.most} |")
    missed = [figure.name for figure in figures if figure.missed]
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    return int(bool(missed))
