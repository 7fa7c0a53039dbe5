"""Between real releases, what was added and removed agrees with an independent count."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rpcschema.diff.changes import changes
from rpcschema.read.load import load
from tests.diff.counting import declared, documents, outermost
from tests.shared import shared_path

RELEASES = ("v24.11", "v26.04", "v26.06", "master-2026-08")


@pytest.mark.parametrize(("old", "new"), [*pairwise(RELEASES), ("v24.11", "master-2026-08")])
def test_agrees_with_an_independent_count(old: str, new: str) -> None:
    folders = [shared_path(f"corpus/{release}/schemas") for release in (old, new)]
    found = changes(*(load([folder]).documents for folder in folders))
    before, after = map(documents, folders)
    for ending, theirs, others in (("added", after, before), ("removed", before, after)):
        whole = {
            (each.kind, each.document) for each in found if not each.path and each.rule.name.endswith(f"-{ending}")
        }
        assert {key for key in whole if key not in before or key not in after} == theirs.keys() - others.keys()
        kinds = {f"{prefix}{noun}-{ending}" for prefix in ("", "required-") for noun in ("parameter", "field")}
        for key in theirs.keys() & others.keys():
            ours = {each.path for each in found if (each.kind, each.document) == key and each.rule.name in kinds}
            assert ours == outermost(declared(theirs[key]), declared(others[key])), key
