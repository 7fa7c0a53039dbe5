"""Inconsistencies in valid documents are reported: errors if the author must have made a mistake, else warnings."""

from __future__ import annotations

from typing import Any

import pytest

from rpcschema.model.build import build
from rpcschema.model.nodes import FACTS
from rpcschema.problems import MOST_ALIKE, Fault, Level, Problem, grouped
from rpcschema.read.consistency import inconsistencies
from tests.generator.packages import command, event

UPSTREAM = "https://example.com/doc/rpc-schema-draft.json"
U8 = {"type": "u8"}


def found(raw: dict[str, Any], schema: str | None = None) -> list[Fault]:
    raw.pop("$schema")
    return list(inconsistencies(build(raw if schema is None else raw | {"$schema": schema}, "x.json")))


def when(kind: str, **side: Any) -> dict[str, Any]:
    """Return a conditional for objects of this `kind`."""
    return {"if": {"properties": {"kind": {"enum": [kind]}}}, "then": side}


@pytest.mark.parametrize(
    ("half", "pointer"),
    [
        ({"required": ["ghost"]}, ""),
        ({"required": ["a", "ghost"], "properties": {"a": U8}}, ""),
        ({"properties": {"a": {"type": "object", "required": ["ghost"], "properties": {"b": U8}}}}, "/properties/a"),
        ({"properties": {"a": {"items": {"required": ["ghost"]}}}}, "/properties/a/items"),
        ({"properties": {"a": {"oneOf": [U8, {"type": "object", "required": ["ghost"]}]}}}, "/properties/a/oneOf/1"),
        ({"properties": {"a": U8}, "if": {"required": ["a"]}, "then": {"required": ["ghost"]}}, ""),
        ({"properties": {"kind": U8}, "allOf": [when("x", required=["ghost"])]}, ""),
        ({"properties": {"a": U8}, "oneOf": [{"required": ["a"]}, {"required": ["ghost"]}]}, ""),
    ],
    ids=range(8),
)
@pytest.mark.parametrize("name", ["request", "response"])
def test_a_required_name_that_is_no_property_is_an_error(half: dict[str, Any], pointer: str, name: str) -> None:
    raw = command(**{name: half})
    expected = Fault(f"/{name}{pointer}", "required, but not among the properties", "'ghost'")
    assert found(dict(raw)) == [expected]
    assert found(dict(raw), UPSTREAM) == [expected._replace(level=Level.WARNING)]
    assert found(dict(raw), FACTS) == []


def test_a_name_that_some_conditional_declares_is_a_property() -> None:
    response = {
        "required": ["kind", "a"],
        "properties": {"kind": {"type": "string"}},
        "allOf": [when("l", properties={"a": U8}), when("r", required=["a"], properties={"a": {}})],
    }
    assert found(command(response=response)) == []


def test_a_name_that_is_allowed_and_declared_nowhere_is_a_warning() -> None:
    response = {
        "properties": {"kind": {"type": "string"}, "a": {}},
        "allOf": [when("l", properties={"a": U8, "gone": {}}), when("r", properties={"gone": {}, "went": {}})],
    }
    message = "named with an empty schema here, and declared nowhere, so left out"
    expected = [Fault("/response", message, "'gone', 'went'", Level.WARNING)]
    assert found(command(response=response)) == expected
    assert found(command(response=response), FACTS) == []


def test_a_rule_for_what_is_no_parameter_is_a_warning() -> None:
    request = {
        "properties": {"a": U8, "b": U8 | {"hidden": True}},
        "oneOfMany": [["a", "x"]],
        "pairedWith": [["a", "b"], ["b", "x"]],
        "dependentUpon": {"y": ["a", "z"]},
    }
    expected = [Fault("/request", "in a rule of the request, but not a parameter", "'x', 'y', 'z'", Level.WARNING)]
    assert found(command(request=request)) == expected
    assert found(command(request=request), FACTS) == []


def test_a_required_parameter_after_an_optional_one_is_a_warning() -> None:
    request = {"required": ["a", "c", "d"], "properties": dict.fromkeys("abcd", U8)}
    message = "required parameters stand after the optional 'b'; put them before it"
    assert found(command(request=request)) == [Fault("/request", message, "'c', 'd'", Level.WARNING)]
    assert found(command(request=request), FACTS) == []
    assert found(event("hook", "full", request=request)) == []
    request["properties"]["b"] = U8 | {"extension": True}  # type: ignore[index] # it has no position
    assert found(command(request=request)) == []


@pytest.mark.parametrize("half", ["request", "response"])
def test_an_extension_cannot_be_required(half: str) -> None:
    item = {"type": "object", "required": ["a", "b"], "properties": {"a": U8 | {"extension": True}, "b": U8}}
    message = "an extension cannot be required, because Core Lightning does not have it"
    for declared, place in ((item, ""), ({"properties": {"x": item}}, "/properties/x")):
        assert found(command(**{half: declared})) == [Fault(f"/{half}{place}/required", message, "'a'")]


def alike(count: int, message: str, level: Level = Level.WARNING) -> list[Problem]:
    return [Problem(f"{message}{at}.json", "", message, f"{at}", level) for at in range(count)]


def test_warnings_that_say_the_same_are_one_line_with_a_count() -> None:
    few, many, errors = alike(MOST_ALIKE, "few"), alike(40, "many"), alike(40, "wrong", Level.ERROR)
    shown = list(grouped([*many, *few, *errors]))
    assert shown == [(many[0], 39), *((problem, 0) for problem in (*few, *errors))]
