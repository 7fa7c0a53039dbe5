"""What changed between two releases, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from rpcschema.facts.compare import changes
from rpcschema.model.build import build


def lines(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the changes between two small commands that differ in these members."""
    raw = {"rpc": "fill", "title": "Fill", "description": [], "request": {}, "response": {}}
    return list(changes(build(raw | old, "a.json"), build(raw | new, "b.json")))


def field(**node: Any) -> dict[str, Any]:
    return {"response": {"properties": {"a": node}}}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (field(type="u8"), field(type="u16"), "~ response.a: type u8 -> u16"),
        (field(type="u8"), field(type="u8", added="v2"), "~ response.a: releases +(added in v2)"),
        (
            field(type="u8", added="v1"),
            field(type="u8", added="v1", deprecated=["v2", "v3"]),
            "~ response.a: releases +(deprecated in v2, removed after v3)",
        ),
        (
            field(type="string", enum=["x", "y"]),
            field(type="string", enum=["y", "z"]),
            '~ response.a: values +("z") -("x")',
        ),
        (field(type="hex"), field(type="hex", maxLength=64), "~ response.a: limits none -> At most 64 characters"),
        (field(type="u8"), field(type="u8", hidden=True), "~ response.a: hidden none -> hidden"),
        (
            field(type="array", items={"type": "u8"}),
            field(type="array", items={"type": "short_channel_id"}),
            "~ response.a: type array of u8s -> array of short_channel_ids",
        ),
        (
            {"response": {}},
            {"response": {"additionalProperties": True}},
            "~ response: extras none -> other fields allowed",
        ),
        ({}, {"deprecated": ["v2", "v3"]}, "~ document: releases +(deprecated in v2, removed after v3)"),
        ({}, {"categories": ["readonly"]}, "~ document: categories +(readonly)"),
        (
            {"request": {"properties": {"a": {"type": "u8"}, "b": {"type": "u8"}}}},
            {"request": {"properties": {"a": {"type": "u8"}, "b": {"type": "u8"}}, "pairedWith": [["a", "b"]]}},
            "~ request: rules +(`a` and `b` must be given together or not at all)",
        ),
    ],
)
def test_a_change_is_named_with_both_sides(old: dict[str, Any], new: dict[str, Any], line: str) -> None:
    assert line in lines(old, new)


def test_what_became_required_is_named() -> None:
    properties = {"properties": {"a": {"type": "u8"}}}
    assert lines({"request": properties}, {"request": {"required": ["a"], **properties}}) == [
        "~ request.a: presence optional -> required"
    ]


def test_fields_that_come_and_go_are_named_with_what_they_are() -> None:
    inner = {"type": "object", "required": ["b"], "properties": {"b": {"type": "u8"}}}
    new = {"response": {"properties": {"a": {"type": "array", "items": inner, "added": "v2"}}}}
    assert lines({}, new) == ["+ response.a: array of objects, added in v2, optional", "+ response.a[].b: u8, required"]
    assert lines(new, {}) == ["- response.a", "- response.a[].b"]


def test_positions_of_parameters_are_named() -> None:
    old, new = ({"request": {"properties": {name: {"type": "u8"} for name in order}}} for order in ("ab", "ba"))
    assert lines(old, new) == ["~ parameters by position: b a"]
    assert lines({"response": old["request"]}, {"response": new["request"]}) == []


def when(value: str, **fields: Any) -> dict[str, Any]:
    return {"if": {"properties": {"state": {"enum": [value]}}}, "then": {"properties": fields}}


def test_conditions_that_come_and_go_are_named() -> None:
    old = {"response": {"allOf": [when("x", a={"type": "u8"})]}}
    new = {"response": {"allOf": [when("y", a={"type": "u8"})]}}
    assert lines(old, new) == ['~ response.a: conditions +(if `state` is "y") -(if `state` is "x")']


def test_conditionals_in_another_order_are_no_change() -> None:
    first, second = when("x", a={"type": "u8"}), when("y", b={"type": "u8"}, a={})
    assert lines({"response": {"allOf": [first, second]}}, {"response": {"allOf": [second, first]}}) == []


def test_forms_of_a_value_count_like_its_type() -> None:
    old, new = (field(oneOf=[{"type": "u8"}, {"type": "string", "enum": enum}]) for enum in (["all"], ["all", "any"]))
    assert lines(old, new) == ['~ response.a: values +("any")']
