"""`python -m tests.crosscheck FOLDER [SEED]`: prints where the peers in FOLDER/node_modules and we disagree.

Exits with 1 if a disagreement is in no row of `rows`, with 2 if the peers cannot be asked. SEED, a number, makes other
strings than usual.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from tests.crosscheck.made import messages
from tests.crosscheck.mutants import mutants
from tests.crosscheck.rows import ROWS, Disagreement, disagreement
from tests.crosscheck.verdicts import Case, our_verdict, peers_verdicts
from tests.upstream import HOW, material

STRINGS: Final = 1_000
SEED: Final = 12
VECTORS: Final = ("offers-test", "format-string-test", "signature-test")


def main(folder: Path, seed: int) -> int:
    """Compare all strings, and print the result."""
    cases = [*vectors(), *made(seed)]
    outcomes, known, findings = Counter[tuple[str, str, str]](), Counter[str](), list[Disagreement]()
    for case, verdicts in zip(cases, peers_verdicts(cases, folder), strict=True):
        ours = our_verdict(case)
        for peer, theirs in verdicts.items():
            outcomes[case.kind, peer, "refuse" if theirs is None else "take"] += 1
            found = disagreement(case, ours, peer, theirs)
            row = None if found is None else next((row for row in ROWS if row.covers(found)), None)
            if row is not None:
                known[row.what] += 1
            elif found is not None:
                findings.append(found)
    print("\n".join(report(outcomes, known, findings)))
    return int(bool(findings))


def vectors() -> Iterator[Case]:
    """Yield the strings of the specification's vectors, if they are there."""
    for name in VECTORS:
        path = material(f"vectors/bolts/bolt12/{name}.json")
        if not path.exists():
            print(f"left out: the vectors {name}; {HOW}", file=sys.stderr)
            continue
        for vector in json.loads(path.read_text(encoding="utf-8")):
            string = vector.get("bolt12") or vector.get("string")
            if string is not None:
                yield Case(f"{name}: {vector.get('description') or vector.get('comment')}", string)


def made(seed: int) -> Iterator[Case]:
    """Yield strings that we make, and as many broken ones."""
    good = list(islice(messages(seed), STRINGS))
    yield from (Case("made", each.message.encode()) for each in good)
    yield from (Case(how, string) for how, string in mutants(good, seed))


def report(outcomes: Counter[tuple[str, str, str]], known: Counter[str], findings: list[Disagreement]) -> Iterator[str]:
    """Yield the lines of two tables in Markdown, and of the findings."""
    yield "| kind | peer | takes | refuses |\n|---|---|---|---|"
    for kind, peer in sorted({(kind, peer) for kind, peer, _ in outcomes}):
        yield f"| {kind} | {peer} | {outcomes[kind, peer, 'take']} | {outcomes[kind, peer, 'refuse']} |"
    yield "\n| known disagreement | | because |\n|---|---|---|"
    yield from (f"| {row.what} | {known[row.what]} | {row.reason} |" for row in ROWS)
    yield f"\n{len(findings)} other disagreements"
    for found in findings:
        said = found.ours.error.rule if found.ours.error else ", ".join(found.fields) or "taken by us"
        yield f"- {found.peer}, {found.case.origin}: {said}: {found.case.text}"


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SEED))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"crosscheck: {error}", file=sys.stderr)
        sys.exit(2)
