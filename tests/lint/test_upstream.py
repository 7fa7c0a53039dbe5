"""What lint finds in Core Lightning's own documents: what its maintainers fixed later, and no false alarms."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from rpcschema.findings import Finding, Severity
from rpcschema.lint.around import earlier
from rpcschema.lint.levels import Levels
from rpcschema.lint.run import Linting, lint
from rpcschema.read.load import load
from tests.shared import shared_path
from tests.upstream import HOW, copy_of

_DECODE: Final = "/response/allOf/{}/then/properties/{}"


def committed(commit: str) -> Path:
    """Return the documents of a commit of Core Lightning; skip if CLN_REPO does not have it."""
    repository = os.environ.get("CLN_REPO")
    folder = copy_of(repository, commit, "doc") if repository else None
    if folder is None:
        pytest.skip(f"no commit {commit} of Core Lightning; {HOW}")
    return folder / "schemas"


def found_in(folder: Path, since: Path | None = None) -> set[tuple[str, str, str]]:
    """Return what lint finds: rule, document and pointer."""
    before = None if since is None else earlier(load([since]).documents)
    findings = lint(Linting(roots=[folder], levels=Levels(), earlier=before))
    return {(each.rule, Path(each.file).stem, each.pointer) for each in findings}


def fixed_by(commit: str, since: Path | None = None) -> set[tuple[str, str, str]]:
    return found_in(committed(f"{commit}^"), since) - found_in(committed(commit), since)


def test_finds_the_deprecations_and_releases_that_938bdea8c_fixed() -> None:
    fixed = fixed_by("938bdea8c", committed("v26.04"))
    counts = Counter(rule for rule, _, _ in fixed)
    assert {rule: counts[rule] for rule in ("added-missing", "deprecated-expired", "deprecated-in-prose")} == {
        "added-missing": 14,
        "deprecated-expired": 21,
        "deprecated-in-prose": 5,
    }
    commands = ("getroute", "keysend", "pay", "renepay", "renepaystatus")
    assert {("deprecated-in-prose", name, "/description/0") for name in commands} <= fixed
    assert {("added-missing", "xpay", f"/request/properties/{name}") for name in ("label", "localinvreqid")} <= fixed
    state = "/response/properties/old_state/description/1"
    assert ("promise-overdue", "channel_state_changed", state) in fixed
    bolt12 = "/response/properties/payments/items/properties/bolt12/description/0"
    assert ("mentions-expired", "listsendpays", bolt12) in fixed


def test_finds_the_markers_that_b2fc984c9_removed() -> None:
    offer = ["absolute_expiry", "amount", "chains", "minor_unit", "node_id", "paths", "quantity_max", "recurrence"]
    offer += ["send_invoice", "vendor"]
    fallbacks = [f"fallbacks/items/properties/{name}" for name in ("address", "hex", "version")]
    pointers = [(1, name) for name in offer] + [(3, "offer_node_id"), (5, "invreq_node_id")]
    pointers += [(5, name) for name in fallbacks]
    expected = {("dangling-marker", "decode", _DECODE.format(*each)) for each in pointers}
    assert fixed_by("b2fc984c9") == expected


def test_finds_the_contradiction_that_fce9d6e0b_resolved_in_the_node() -> None:
    """Find it before and after, because the node was changed: now it takes both what the text and the schema say."""
    expected = {
        ("command-line-parameter", "plugin", "/request/properties/subcommand/description/3"),
        ("missing-description", "plugin", "/request/properties/options"),
    }
    assert expected <= found_in(committed("fce9d6e0b^"))


def findings(release: str) -> list[Finding]:
    return lint(Linting(roots=[shared_path(f"corpus/{release}/schemas")], levels=Levels()))


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("v24.11", [("invalid-document", "lightning-enableoffer.json")]),  # it describes disableoffer
        ("v26.04", []),
        ("v26.06", []),
        ("master-2026-08", []),
    ],
)
def test_errors_in_released_documents_are_what_nothing_can_be_generated_from(
    release: str, expected: list[tuple[str, str]]
) -> None:
    errors = [each for each in findings(release) if each.severity is Severity.ERROR]
    assert [(each.rule, Path(each.file).name) for each in errors] == expected
