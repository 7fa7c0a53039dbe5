"""How the audit understands documents and values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit.dialect import declarations, fields, undeclared
from tests.audit.facts import Field
from tests.audit.values import contradictions

U8 = {"type": "u8"}
SPILL = {"properties": {"result": {"enum": ["spill"]}}}


def always(*types: str) -> Field:
    return Field(types=frozenset(types), optional=False)


def sometimes(*types: str) -> Field:
    return Field(types=frozenset(types), optional=True)


def test_a_name_that_is_only_allowed_is_no_field() -> None:
    half = {"properties": {"ghost": {}}, "if": SPILL, "then": {"properties": {"ghost": {}}}}
    assert fields(half) == {}
    assert not declarations(half)


def test_a_field_can_have_the_type_of_any_of_its_declarations() -> None:
    half = {"properties": {"a": U8}, "if": SPILL, "then": {"properties": {"a": {"type": "hex"}}}}
    assert fields(half) == {("a",): sometimes("u8", "hex")}
    assert declarations(half) == {("a",): 2}


def test_a_refinement_does_not_change_the_type() -> None:
    half = {"properties": {"a": {"type": "string"}}, "if": SPILL, "then": {"properties": {"a": {"enum": ["x"]}}}}
    assert fields(half) == {("a",): sometimes("string")}


def test_closed_sets_of_strings_are_joined() -> None:
    half = {"properties": {"a": {"oneOf": [{"type": "string", "enum": ["y"]}, {"enum": ["x", "y"]}, U8]}}}
    assert fields(half) == {("a",): sometimes("one of x, y", "u8")}


def test_elements_and_what_is_inside_of_them_are_fields() -> None:
    half = {"properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": U8}}}}}
    assert fields(half) == {
        ("a",): sometimes("array"),
        ("a", "[]"): always("object"),
        ("a", "[]", "b"): sometimes("u8"),
    }
    assert declarations(half) == {("a",): 1, ("a", "b"): 1}


@pytest.mark.parametrize(
    ("half", "is_always_there"),
    [
        ({"properties": {"a": U8}, "required": ["a"]}, True),
        ({"properties": {"a": U8}, "if": SPILL, "then": {"required": ["a"]}}, False),
        ({"properties": {"a": U8}, "if": SPILL, "then": {"required": ["a"]}, "else": {"required": ["a"]}}, True),
        ({"properties": {"a": U8}, "oneOf": [{"required": ["a"]}, {"required": ["a", "b"]}]}, True),
        ({"properties": {"a": U8}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, False),
    ],
    ids=["at the base", "on one side", "on both sides", "in each form", "in one form"],
)
def test_a_field_is_always_there_if_it_is_required(half: dict[str, Any], *, is_always_there: bool) -> None:
    assert fields(half)["a",].optional is not is_always_there


def test_a_known_value_decides_conditionals() -> None:
    half = {
        "properties": {"result": {"type": "string"}},
        "if": SPILL,
        "then": {"properties": {"over": U8}, "required": ["over"]},
        "else": {"properties": {"stays": U8}},
    }
    assert fields(half, {"result": "spill"}) == {("result",): sometimes("one of spill"), ("over",): always("u8")}
    assert fields(half, {"result": "keep"}) == {("result",): sometimes("one of keep"), ("stays",): sometimes("u8")}


def test_conditionals_on_a_known_value_are_all_its_cases() -> None:
    def case(*, valid: bool, required: list[str]) -> dict[str, Any]:
        test = {"properties": {"result": {"enum": ["spill"]}, "valid": {"enum": [valid]}}}
        return {"if": test, "then": {"properties": {"a": U8, "b": U8}, "required": required}}

    cases = [case(valid=True, required=["a", "b"]), case(valid=False, required=["a"])]
    half = {"properties": {"result": {"type": "string"}}, "required": ["result"], "allOf": cases}
    assert fields(half) == {("result",): always("string"), ("a",): sometimes("u8"), ("b",): sometimes("u8")}
    assert fields(half, {"result": "spill"}) == {
        ("result",): always("one of spill"),
        ("a",): always("u8"),
        ("b",): sometimes("u8"),
    }


def test_what_is_required_and_declared_nowhere_is_told() -> None:
    half = {"properties": {"a": {"type": "object", "properties": {"b": U8}, "required": ["b", "c"]}}}
    assert list(undeclared(half)) == [("a", "c")]


def test_hidden_fields_are_not_for_pages() -> None:
    half = {"properties": {"a": {"type": "object", "hidden": True, "properties": {"b": U8}}}}
    assert all(field.hidden for field in fields(half).values())
    assert not declarations(half)


@pytest.mark.parametrize(
    ("schema", "value", "wrong"),
    [
        (U8, 255, []),
        (U8, 256, ["the whole is 256, not of type u8"]),
        (U8, True, ["the whole is True, not of type u8"]),
        ({"type": "hash"}, "ab" * 31, [f"the whole is '{'ab' * 18}..., not of type hash"]),
        ({"type": "msat"}, "1sat", ["the whole is '1sat', not of type msat"]),
        ({"enum": ["x"]}, "y", ["the whole is 'y', not among the values listed"]),
        (
            {"type": "array", "items": U8, "maxItems": 1},
            [1, -1],
            ["[1] is -1, not of type u8", "the whole is of length 2"],
        ),
        ({"properties": {"a": U8}, "required": ["b"]}, {"a": 1}, ["b is missing"]),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, ["b is not declared"]),
        ({"properties": {"a": {"oneOf": [U8, {"type": "hex"}]}}}, {"a": "x"}, ["a is 'x', none of its 2 forms"]),
        ({"if": SPILL, "then": {"required": ["a"]}}, {"result": "spill"}, ["a is missing"]),
        ({"if": SPILL, "else": {"required": ["a"]}}, {"result": "spill"}, []),
    ],
)
def test_contradictions_name_the_place_and_the_reason(schema: dict[str, Any], value: Any, wrong: list[str]) -> None:
    assert list(contradictions(schema, value, sent=False)) == wrong


def test_callers_may_write_amounts_with_a_unit() -> None:
    assert not list(contradictions({"type": "msat"}, "1sat", sent=True))
