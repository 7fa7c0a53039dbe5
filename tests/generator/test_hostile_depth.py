"""No nesting breaks anything: what is too deep is refused before it is parsed, the rest goes through every target."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpcschema.problems import has_errors
from rpcschema.read.load import load
from rpcschema.settings import Settings
from rpcschema.targets import TARGETS
from tests.generator.rendering import render_all

Raw = dict[str, Any]

FIELD: Raw = {"z": {"type": "u8"}}
SHAPES: dict[str, Callable[[Raw], Raw]] = {
    "arrays": lambda inner: {"type": "array", "items": inner},
    "objects": lambda inner: {"type": "object", "properties": {"a": inner}},
    "objects in arrays": lambda inner: {"type": "array", "items": {"type": "object", "properties": {"a": inner}}},
    "then": lambda inner: {"properties": FIELD, "if": {"required": ["z"]}, "then": inner},
    "else": lambda inner: {"if": {"required": ["z"]}, "then": {"properties": FIELD}, "else": inner},
    "if": lambda inner: {"if": inner, "then": {"properties": FIELD}},
    "conditions on members": lambda inner: {"properties": {"a": {"if": inner, "then": {}}}},
    "allOf": lambda inner: {"allOf": [{"if": {"required": ["z"]}, "then": inner}]},
    "oneOf": lambda inner: {"oneOf": [{"properties": FIELD}, inner]},
    "anyOf": lambda inner: {"anyOf": [inner, {"type": "string"}]},
    "defaults": lambda inner: {"default": [inner]},
    "unknown keywords": lambda inner: {"x-own": inner},
}


def document(shape: Callable[[Raw], Raw], levels: int, *halves: str) -> str:
    """Return a document in whose `halves` the shape is nested, written without recursion."""
    mark = '"mark"'
    before, after = json.dumps(shape({"mark": 0})).split(json.dumps({"mark": 0}))
    nested = before * levels + json.dumps({"type": "u8"}) + after * levels
    raw = {"rpc": "fill", "title": "Fill", "description": [], "request": {}, "response": {}}
    raw |= {half: {"properties": {"x": mark}} for half in halves}
    return json.dumps(raw).replace(json.dumps(mark), nested)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_ten_thousand_levels_are_refused_in_one_line(tmp_path: Path, shape: Callable[[Raw], Raw]) -> None:
    (tmp_path / "a.json").write_text(document(shape, 10_000, "request"))
    (problem,) = load([tmp_path]).problems
    assert problem.message == "nested more than 60 levels deep"
    assert problem.pointer.startswith("line 1 column ")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_deepest_document_that_is_let_through_goes_through_every_target(
    tmp_path: Path, shape: Callable[[Raw], Raw]
) -> None:
    file = tmp_path / "a.json"
    for levels in range(60, 15, -1):
        file.write_text(document(shape, levels, "request", "response"))
        loaded = load([file])
        if loaded.documents:
            break
    assert loaded.documents
    for target in TARGETS:
        files, problems = render_all(target, loaded.documents, Settings(package="tank", targets=TARGETS))
        assert not has_errors(problems)
        assert files
