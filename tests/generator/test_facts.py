"""Facts of a document: the same types without the prose, and our own words, whose loss is always reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rpcschema.facts.reduce import Words, facts, lost, placeholder, to_bytes, words_of
from rpcschema.model.build import build
from rpcschema.model.nodes import Document
from rpcschema.python.classes import plan
from rpcschema.read.load import load
from tests.shared import ROOT, shared_path

CONSTRUCTS = ROOT / "tests/cases/every-construct/schemas"
VALUE_KEYS = {"$schema", "type", "rpc", "notification", "hook", "added", "deprecated", "required", "enum", "default"}
RULE_KEYS = {"categories", "errors", "oneOfMany", "pairedWith", "dependentUpon"}


def document(request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **more: Any) -> Document:
    raw = {"rpc": "fill", "title": "Fill", "description": [], "request": request or {}, "response": response or {}}
    return build(raw | more, "fill.json")


def facts_of(document: Document) -> dict[str, Any]:
    return facts(document, Words(title=placeholder(document)))


DOCS = {"doc", "argument_doc", "nodes", "problems"}
"""What a plan says to people, and where it was read."""


def types(value: Any) -> Any:
    """Return what a plan says about classes, without the docs and where they were read."""
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name not in DOCS]
        return {name: types(getattr(value, name)) for name in names}
    return [types(entry) for entry in value] if isinstance(value, tuple) else value


def prose(node: Any, key: str = "") -> Iterator[str]:
    """Yield all strings in a document that are neither names nor values."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for part in node:
            yield from prose(part)
    elif isinstance(node, dict):
        for name, part in node.items():
            if key == "properties" or name not in VALUE_KEYS | RULE_KEYS:
                yield from prose(part, name)


def assert_same_types(full: Document) -> None:
    bare = build(facts_of(full), full.file)
    assert types(plan(bare, "x.scalars")) == types(plan(full, "x.scalars")), full.file


@pytest.mark.parametrize("file", sorted(CONSTRUCTS.rglob("*.json")), ids=lambda file: file.stem)
def test_types_that_follow_from_the_facts_are_the_same(file: Path) -> None:
    (full,) = load([file]).documents
    assert_same_types(full)


@pytest.mark.parametrize(("release", "count"), [("master-2026-08", 201), ("v26.06", 201), ("v26.04", 181)])
def test_types_of_core_lightning_that_follow_from_the_facts_are_the_same(release: str, count: int) -> None:
    documents = load([shared_path(f"corpus/{release}/schemas")]).documents
    assert len(documents) == count
    for full in documents:
        assert_same_types(full)


def test_facts_of_core_lightning_hold_no_prose_and_are_their_own_facts() -> None:
    for full in load([shared_path("corpus/master-2026-08/schemas")]).documents:
        made = facts_of(full)
        assert set(prose(made)) == {placeholder(full)}
        assert facts_of(build(made, full.file)) == made


def test_facts_pass_the_meta_schema_of_core_lightning() -> None:
    validator = jsonschema.Draft7Validator(
        json.loads(shared_path("corpus/master-2026-08/rpc-schema-draft.json").read_bytes())
    )
    for full in load([shared_path("corpus/master-2026-08/schemas")]).documents:
        if full.kind != "hook":  # which it does not know
            validator.validate(facts_of(full))


@pytest.mark.parametrize("file", sorted(CONSTRUCTS.rglob("*.json")), ids=lambda file: file.stem)
def test_facts_hold_no_prose_whatever_the_construct(file: Path) -> None:
    (full,) = load([file]).documents
    assert set(prose(facts_of(full))) == {placeholder(full)}


def test_facts_are_marked_and_a_full_document_is_not() -> None:
    full = document()
    assert not full.is_facts
    assert build(facts_of(full), full.file).is_facts


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ({"type": "boolean", "default": "*True*"}, True),
        ({"type": "boolean", "default": False}, False),
        ({"type": "u32", "default": "`60`"}, 60),
        ({"type": "u32", "default": "60 seconds"}, None),
        ({"type": "string", "enum": ["low", "high"], "default": "low"}, "low"),
        ({"type": "string", "default": "the node's own"}, None),
        ({"type": "number", "default": 0.5}, 0.5),
        ({"type": "array", "default": ["anything", "else"]}, None),
        ({"type": "u32", "default": None}, None),
    ],
)
def test_a_default_is_kept_only_where_it_is_a_value(declared: dict[str, Any], kept: object) -> None:
    made = facts_of(document({"properties": {"a": declared}}))
    assert made["request"]["properties"]["a"].get("default") == kept


def test_a_field_that_has_only_prose_stays_a_field_and_a_marker_stays_a_marker() -> None:
    made = facts_of(document(response={"properties": {"told": {"description": ["Anything."]}, "marker": {}}}))
    assert made["response"]["properties"] == {"told": {"description": []}, "marker": {}}


def test_unknown_keywords_are_no_facts() -> None:
    made = facts_of(document({"properties": {"a": {"type": "u8", "pattern": "^x"}}}, trivia=["x"]))
    assert made["request"]["properties"] == {"a": {"type": "u8"}}
    assert "trivia" not in made


def condition(value: str, field: str) -> dict[str, Any]:
    then = {"properties": {field: {"type": "u8"}}}
    return {"if": {"properties": {"state": {"enum": [value]}}}, "then": then}


def test_words_stay_with_their_condition_when_another_comes_before_it() -> None:
    before = document(response={"allOf": [condition("full", "level"), condition("dry", "level")]})
    made = facts_of(before)
    made["response"]["allOf"][1]["then"]["properties"]["level"]["description"] = ["How dry."]
    words = words_of(build(made, before.file))
    after = document(response={"allOf": [condition(state, "level") for state in ("new", "full", "dry")]})
    assert lost(words, after) == ()
    levels = [entry["then"]["properties"]["level"] for entry in facts(after, words)["response"]["allOf"]]
    assert levels == [{"type": "u8"}, {"type": "u8"}, {"type": "u8", "description": ["How dry."]}]


def test_words_of_equal_conditions_are_not_mixed_up() -> None:
    twice = document(response={"allOf": [condition("full", "level"), condition("full", "level")]})
    made = facts_of(twice)
    for at, text in enumerate(("First.", "Second.")):
        made["response"]["allOf"][at]["then"]["properties"]["level"]["description"] = [text]
    assert facts(twice, words_of(build(made, twice.file)))["response"] == made["response"]


@pytest.mark.parametrize("now", [{}, {"a": {}}, {"b": {"type": "u8"}}], ids=["none", "marker", "another"])
def test_words_of_a_field_that_is_gone_are_lost_and_named(now: dict[str, Any]) -> None:
    before = document({"properties": {"a": {"type": "u8", "description": ["Ours."]}}})
    words = words_of(before)
    after = document({"properties": now})
    assert lost(words, after) == (("request", ".a"),)
    assert "Ours." not in to_bytes(facts(after, words)).decode()


def test_words_and_facts_are_read_back_as_they_were_written() -> None:
    full = document({"properties": {"a": {"type": "array", "items": {"type": "u8"}}}}, added="v1")
    place = ("request", ".a", "[]")
    words = Words(title="Title ☕", description=("One.", "Two."), fields={place: ("Each.",)})
    data = to_bytes(facts(full, words))
    again = build(json.loads(data), full.file)
    assert words_of(again) == words
    assert to_bytes(facts(again, words_of(again))) == data
