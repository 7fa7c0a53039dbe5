"""The model holds everything that a document says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from rpcschema.model.dump import dump
from rpcschema.problems import Level
from rpcschema.read.load import load
from tests.generator import rebuild
from tests.shared import ROOT, shared_path

OWN = ROOT / "tests/cases/every-construct/schemas"
SCHEMAS = ROOT / "schemas"


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def dumps(*roots: Path) -> dict[str, Any]:
    """Return the dump of each document in `roots`, by file."""
    return {source.path: json.loads(dump(source.document)) for source in load(roots).sources}


def assert_same_facts(*roots: Path) -> int:
    made = dumps(*roots)
    for file, value in made.items():
        assert dict(rebuild.facts(rebuild.document(value))) == dict(rebuild.facts(read(Path(file)))), file
    return len(made)


@pytest.mark.parametrize(
    "files",
    [sorted(OWN.rglob("*.json")), sorted(SCHEMAS.glob("*.json")), sorted((SCHEMAS / "cln").rglob("*.json"))],
    ids=["every construct", "our documents", "facts of Core Lightning"],
)
def test_dump_holds_every_fact(files: list[Path]) -> None:
    assert assert_same_facts(*files) == len(files)


@pytest.mark.parametrize(
    ("release", "documents"), [("master-2026-08", 201), ("v26.06", 201), ("v26.04", 181), ("v24.11", 151)]
)
def test_dump_holds_every_fact_of_core_lightning(release: str, documents: int) -> None:
    assert assert_same_facts(shared_path(f"corpus/{release}/schemas")) == documents


@pytest.mark.parametrize("release", ["master-2026-08", "v26.06", "v26.04", "v24.11"])
def test_documents_that_break_their_own_meta_schema_are_warned_about_and_no_others(release: str) -> None:
    folder = shared_path(f"corpus/{release}")
    validator = Draft7Validator(read(folder / "rpc-schema-draft.json"))
    files = (folder / "schemas").rglob("*.json")
    broken = {file.as_posix() for file in files if not validator.is_valid(read(file))}
    problems = load([folder / "schemas"]).problems
    refused = ("the meta-schema that $schema names", "unknown keyword")
    assert {problem.file for problem in problems if problem.message.startswith(refused)} == broken


def test_two_documents_of_one_name_in_a_release_are_found() -> None:
    problems = load([shared_path("corpus/v24.11/schemas")]).problems
    errors = [problem.message.split(",")[0] for problem in problems if problem.level is Level.ERROR]
    assert errors == ["rpc 'disableoffer' is described twice"]


def losses(value: Any) -> Iterator[Any]:
    """Yield `value` without one of its facts, in every way there is."""
    if isinstance(value, dict):
        for key in value:
            yield {other: entry for other, entry in value.items() if other != key}
            for less in losses(value[key]):
                yield value | {key: less}
    elif isinstance(value, list):
        for at, entry in enumerate(value):
            yield value[:at] + value[at + 1 :]
            for less in losses(entry):
                yield [*value[:at], less, *value[at + 1 :]]
    elif isinstance(value, bool | int | float | str):
        yield None


@pytest.mark.parametrize("file", sorted(OWN.rglob("*.json")), ids=lambda file: str(file.relative_to(OWN)))
def test_any_lost_fact_is_noticed(file: Path) -> None:
    raw = dict(rebuild.facts(read(file)))
    whole = dumps(file)[file.as_posix()]
    for broken in losses(whole):
        try:
            rebuilt = rebuild.document(broken)
        except (AssertionError, KeyError, TypeError, AttributeError):
            continue
        assert dict(rebuild.facts(rebuilt)) != raw


def test_order_of_properties_is_a_fact() -> None:
    file = OWN / "tank-fill.json"
    value = dumps(file)[file.as_posix()]
    value["request"]["fields"].reverse()
    assert dict(rebuild.facts(rebuild.document(value))) != dict(rebuild.facts(read(file)))
