"""Answers are compared with all that a document declares, conditionals included, and quoted as little as possible."""

from __future__ import annotations

from typing import Any

import pytest

from lnstandin.conform.answers import Difference, differences
from lnstandin.conform.findings import Kind
from tests.conform.documents import Raw, schema

CHANNEL: Raw = {
    "type": "object",
    "additionalProperties": True,
    "required": ["id", "state"],
    "properties": {
        "id": {"type": "pubkey"},
        "state": {"type": "string", "enum": ["OPEN", "CLOSED"]},
        "name": {"type": "string", "minLength": 2, "maxLength": 4},
    },
    "allOf": [
        {
            "if": {"properties": {"state": {"type": "string", "enum": ["CLOSED"]}}},
            "then": {
                "additionalProperties": False,
                "required": ["closed_at"],
                "properties": {"id": {}, "state": {}, "name": {}, "closed_at": {"type": "u64"}, "ghost": {}},
            },
            "else": {"additionalProperties": False, "properties": {"id": {}, "state": {}, "name": {}, "shared": {}}},
        },
        {
            "if": {"required": ["name"]},
            "then": {"properties": {"shared": {"type": "u8"}}},
        },
    ],
}
ID = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
OPEN = {"id": ID, "state": "OPEN"}
CLOSED = {"id": ID, "state": "CLOSED", "closed_at": 1}


def found(raw: Raw, value: Any) -> list[Difference]:
    return list(differences([schema(raw)], value, "response"))


def kinds(raw: Raw, value: Any) -> list[tuple[Kind, str]]:
    return [(each.kind, each.where.removeprefix("response.")) for each in found(raw, value)]


@pytest.mark.parametrize("value", [OPEN, CLOSED, OPEN | {"name": "abc"}, OPEN | {"name": "abc", "shared": 1}])
def test_finds_nothing_in_an_answer_that_the_document_declares(value: Raw) -> None:
    assert found(CHANNEL, value) == []


@pytest.mark.parametrize(
    ("value", "kind", "where"),
    [
        ({"state": "OPEN"}, Kind.FIELD_MISSING, "id"),
        ({"id": ID, "state": "CLOSED"}, Kind.FIELD_MISSING, "closed_at"),
        (OPEN | {"closed_at": 1}, Kind.FIELD_CONDITION, "closed_at"),
        (CLOSED | {"ghost": 1}, Kind.FIELD_UNDECLARED, "ghost"),
        (CLOSED | {"other": 1}, Kind.FIELD_OPEN, "other"),
        (OPEN | {"id": ID[2:]}, Kind.FIELD_TYPE, "id"),
        (OPEN | {"state": "LOST"}, Kind.FIELD_ENUM, "state"),
        (OPEN | {"name": "abcde"}, Kind.FIELD_LENGTH, "name"),
        (OPEN | {"name": "a"}, Kind.FIELD_LENGTH, "name"),
        (OPEN | {"shared": "x"}, Kind.FIELD_TYPE, "shared"),
        (CLOSED | {"closed_at": True}, Kind.FIELD_TYPE, "closed_at"),
    ],
)
def test_finds_each_kind_of_difference(value: Raw, kind: Kind, where: str) -> None:
    assert kinds(CHANNEL, value) == [(kind, where)]


def test_a_field_that_is_allowed_here_may_be_declared_on_another_side() -> None:
    assert kinds(CHANNEL, OPEN | {"shared": 1}) == []


def test_a_closed_object_has_no_other_fields() -> None:
    closed: Raw = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "u8"}}}
    assert kinds(closed, {"a": 1, "b": 2}) == [(Kind.FIELD_UNKNOWN, "b")]
    assert kinds({"type": "object", "properties": {"a": {"type": "u8"}}}, {"b": 2}) == [(Kind.FIELD_UNKNOWN, "b")]


def test_an_object_without_any_description_may_hold_anything() -> None:
    assert kinds({"type": "object", "properties": {"a": {"type": "object"}}}, {"a": {"b": [1]}}) == []


def test_fields_for_developers_are_left_out_where_any_are_allowed() -> None:
    raw: Raw = {"type": "object", "additionalProperties": True, "properties": {"a": {"type": "u8"}}}
    assert kinds(raw, {"dev-fast-gossip": True, "b": 1}) == [(Kind.FIELD_OPEN, "b")]


def test_a_deprecated_field_may_be_missing() -> None:
    gone: Raw = {"type": "u8", "deprecated": ["v24.08", "v25.05"]}
    assert kinds({"type": "object", "required": ["a"], "properties": {"a": gone}}, {}) == []


def test_elements_are_compared_and_named_without_their_number() -> None:
    raw: Raw = {"type": "object", "properties": {"list": {"type": "array", "items": CHANNEL, "maxItems": 2}}}
    found_kinds = kinds(raw, {"list": [OPEN, {"id": ID}, {"id": ID}]})
    assert found_kinds[0] == (Kind.FIELD_LENGTH, "list")
    assert set(found_kinds[1:]) == {(Kind.FIELD_MISSING, "list[].state")}


def test_a_value_may_have_any_of_its_alternative_forms() -> None:
    raw: Raw = {"type": "object", "properties": {"a": {"oneOf": [{"type": "u8"}, {"type": "array"}]}}}
    assert kinds(raw, {"a": 1}) == kinds(raw, {"a": []}) == []
    [difference] = found(raw, {"a": "x"})
    assert (difference.kind, difference.document) == (Kind.FIELD_TYPE, "u8 or array")


def test_an_object_must_take_one_of_its_forms() -> None:
    raw: Raw = {
        "type": "object",
        "properties": {"a": {"type": "u8"}, "b": {"type": "u8"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    assert kinds(raw, {"a": 1}) == kinds(raw, {"b": 1}) == []
    assert kinds(raw, {}) == [(Kind.FIELD_CONDITION, "response")]


def test_no_value_is_quoted_but_one_that_should_be_in_an_enum() -> None:
    secret = "5ec2e7" * 10
    for value in (OPEN | {"id": secret}, OPEN | {secret[:4]: secret}, OPEN | {"name": secret}):
        assert all(secret not in each.node for each in found(CHANNEL, value))
    [enum] = found(CHANNEL, OPEN | {"state": "x" * 100})
    assert enum.node == "x" * 37 + "..."
