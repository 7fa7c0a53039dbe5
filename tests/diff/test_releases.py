"""Between all releases that are shipped, the changes agree with an independent count."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from rpcschema.diff.changes import Change, changes
from rpcschema.diff.sources import release_at
from rpcschema.facts.pack import packed
from rpcschema.model.nodes import Document
from rpcschema.read.load import load
from rpcschema.read.packed import shipped
from tests.diff import counting
from tests.diff.test_command import FILL, write
from tests.shared import shared_path

PAIRS = [*combinations(shipped(), 2)]

read = cache(lambda name: release_at(name).documents)
raw = cache(lambda name: counting.packed_documents(shipped()[name]))


def test_the_releases_of_two_years_are_shipped() -> None:
    """Core Lightning has no other releases in between."""
    assert list(shipped()) == ["v24.08", "v24.11", "v25.02", "v25.05", "v25.09", "v25.12", "v26.04", "v26.06"]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_agrees_with_an_independent_count(old: str, new: str) -> None:
    agree(read(old), read(new), raw(old), raw(new))


def test_agrees_between_documents_in_full() -> None:
    folders = [shared_path(f"corpus/{release}/schemas") for release in ("v24.11", "master-2026-08")]
    agree(*(load([folder]).documents for folder in folders), *map(counting.documents, folders))


def agree(
    old: tuple[Document, ...], new: tuple[Document, ...], before: counting.Documents, after: counting.Documents
) -> None:
    found = changes(old, new)
    for ending, theirs, others in (("added", after, before), ("removed", before, after)):
        whole = {
            (each.kind, each.document) for each in found if not each.path and each.rule.name.endswith(f"-{ending}")
        }
        assert {key for key in whole if key not in before or key not in after} == theirs.keys() - others.keys()
        kinds = {f"{prefix}{noun}-{ending}" for prefix in ("", "required-") for noun in ("parameter", "field")}
        for key in theirs.keys() & others.keys():
            ours = {each.path for each in of(found, key) if each.rule.name in kinds}
            assert ours == counting.outermost(counting.declared(theirs[key]), counting.declared(others[key])), key
    for key in before.keys() & after.keys():
        for part, count in (("-type-", counting.types), ("-deprecat", counting.deprecations)):
            ours = {each.path for each in of(found, key) if each.path and part in each.rule.name}
            assert ours == differing(count, before[key], after[key]), key


def of(found: tuple[Change, ...], key: tuple[str, str]) -> list[Change]:
    return [each for each in found if (each.kind, each.document) == key]


def differing(count: Callable[[Any], Mapping[str, Any]], before: Any, after: Any) -> set[str]:
    """Return the fields of both documents for which `count` differs."""
    old, new = count(before), count(after)
    return {path for path in old.keys() & new.keys() if old[path] != new[path]}


@pytest.mark.parametrize("release", ["v26.04", "v26.06"])
def test_what_is_shipped_is_what_the_documents_say(release: str) -> None:
    ours = packed(load([shared_path(f"corpus/{release}/schemas")]).documents)
    assert gzip.decompress(ours) == gzip.decompress(shipped()[release].read_bytes())


def test_a_default_in_prose_is_no_change_of_facts(tmp_path: Path) -> None:
    """Facts have no prose, so a default that is missing there can be one that was only described."""
    for folder in ("old", "new"):
        tank = {"type": "string", "default": f"the *{folder}* one"}
        write(tmp_path / folder, FILL | {"request": {"properties": {"tank": tank}}})
    old, new = (load([tmp_path / folder]).documents for folder in ("old", "new"))
    (tmp_path / "old.json.gz").write_bytes(packed(old))
    assert [each.rule.name for each in changes(old, new)] == ["parameter-default-changed"]
    assert not changes(release_at(str(tmp_path / "old.json.gz")).documents, new)
