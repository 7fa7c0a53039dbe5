"""What an object can hold, and when, is worked out from base and conditionals together."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from rpcschema.model.build import build
from rpcschema.model.conditions import condition
from rpcschema.model.nodes import ABSENT, Document, SchemaNode
from rpcschema.model.resolve import Resolved, resolve
from rpcschema.read.load import load
from rpcschema.text.words import condition_words, conjunction_words
from tests.shared import ROOT, shared_path


def node(raw: dict[str, Any]) -> SchemaNode:
    return build({"rpc": "a", "title": "A", "description": [], "request": {}, "response": raw}, "a.json").response


def shape(resolved: Resolved) -> dict[str, tuple[list[str | None], bool, list[str]]]:
    return {
        field.name: (
            [one.type for one in field.alternatives],
            field.required,
            [conjunction_words(each) for each in field.conditions],
        )
        for field in resolved.fields
    }


def when(name: str, *values: object) -> dict[str, Any]:
    return {"properties": {name: {"enum": list(values)}}}


def test_base_fields_come_in_order_without_conditions() -> None:
    found = resolve(node({"required": ["b"], "properties": {"b": {"type": "u8"}, "a": {"type": "msat"}}}))
    assert shape(found) == {"b": (["u8"], True, []), "a": (["msat"], False, [])}
    assert list(shape(found)) == ["b", "a"]


def test_branch_field_states_its_condition() -> None:
    raw = {
        "properties": {"type": {"type": "string"}, "x": {}},
        "allOf": [{"if": when("type", "rune"), "then": {"properties": {"x": {"type": "u8"}, "y": {"type": "hex"}}}}],
    }
    assert shape(resolve(node(raw))) == {
        "type": (["string"], False, []),
        "x": (["u8"], False, ['if `type` is "rune"']),
        "y": (["hex"], False, ['if `type` is "rune"']),
    }


def test_field_of_the_base_has_no_condition_even_if_a_branch_narrows_it() -> None:
    raw = {
        "properties": {"valid": {"type": "boolean"}},
        "allOf": [{"if": when("t", 1), "then": {"properties": {"valid": {"type": "boolean", "enum": [True]}}}}],
    }
    assert shape(resolve(node(raw))) == {"valid": (["boolean", "boolean"], False, [])}


def test_same_declaration_in_two_branches_is_one_alternative() -> None:
    raw = {
        "allOf": [
            {"if": when("t", name), "then": {"properties": {"x": {"type": "u8", "description": ["An x."]}}}}
            for name in "ab"
        ]
    }
    assert shape(resolve(node(raw))) == {"x": (["u8"], False, ['if `t` is "a"', 'if `t` is "b"'])}


def test_marker_counts_in_a_rival_branch() -> None:
    raw = {
        "allOf": [
            {"if": when("t", "a"), "then": {"properties": {"x": {"type": "u8"}}}},
            {"if": when("t", "b"), "then": {"properties": {"x": {}}}},
            {"if": when("other", "c"), "then": {"properties": {"x": {}}}},
        ]
    }
    assert shape(resolve(node(raw)))["x"][2] == ['if `t` is "a"', 'if `t` is "b"']


def test_marker_does_not_count_where_an_else_decides() -> None:
    raw = {
        "allOf": [
            {"if": when("t", "a"), "then": {"properties": {"x": {"type": "u8"}}}, "else": {"properties": {"t": {}}}},
            {"if": when("t", "b", "c"), "then": {"properties": {"x": {}}}, "else": {"properties": {"x": {}}}},
        ]
    }
    assert shape(resolve(node(raw)))["x"][2] == ['if `t` is "a"']


def test_chain_of_else_joins_conditions() -> None:
    raw = {
        "if": when("r", "fail"),
        "then": {},
        "else": {"if": when("r", "resolve"), "then": {"properties": {"key": {"type": "secret"}}}},
    }
    assert shape(resolve(node(raw)))["key"][2] == ['if `r` is not "fail" and `r` is "resolve"']


def test_required_in_all_sides_is_required() -> None:
    raw = {
        "properties": {name: {"type": "u8"} for name in "abc"},
        "if": when("t", 1),
        "then": {"required": ["a", "b"]},
        "else": {"oneOf": [{"required": ["c", "a"]}, {"required": ["a"]}]},
    }
    assert {name: required for name, (_, required, _) in shape(resolve(node(raw))).items()} == {
        "a": True,
        "b": False,
        "c": False,
    }


def test_a_field_that_conditionals_demand_says_where() -> None:
    raw = {
        "required": ["t", "always"],
        "properties": {name: {"type": "u8"} for name in ("t", "always", "paid", "either", "flag", "form")},
        "allOf": [
            {"if": when("t", "paid"), "then": {"required": ["paid", "always"]}},
            {"if": when("t", "x"), "then": {"required": ["either"]}, "else": {"required": ["either"]}},
            {"if": when("b", True), "then": {"required": ["flag"]}},
            {"if": when("b", False), "then": {"required": ["flag"]}},
            {"if": when("t", "y"), "then": {"anyOf": [{"required": ["form"]}, {"required": ["paid"]}]}},
        ],
    }
    found = {
        field.name: (field.required, list(map(conjunction_words, field.demands))) for field in resolve(node(raw)).fields
    }
    assert found == {
        "t": (True, []),
        "always": (True, []),
        "paid": (False, ['if `t` is "paid"']),
        "either": (True, []),
        "flag": (False, []),  # nothing is said of it where `b` is absent
        "form": (False, []),
    }


def test_refinement_is_no_declaration_of_its_own() -> None:
    raw = {
        "properties": {"return": {"type": "object", "properties": {"error": {"type": "string"}}}},
        "oneOf": [{"properties": {"return": {"required": ["error"]}}}],
    }
    assert shape(resolve(node(raw))) == {"return": (["object"], False, [])}


def test_field_of_both_sides_has_no_condition() -> None:
    sides = {key: {"properties": {"x": {"type": "u8", "description": [key]}}} for key in ("then", "else")}
    assert shape(resolve(node({"if": when("t", 1), **sides})))["x"][2] == []
    nested = {"if": when("t", 1), "then": {"if": when("u", 2), **sides}, "else": {}}
    assert shape(resolve(node(nested)))["x"][2] == ["if `t` is 1"]
    everywhere = {"if": when("t", 1), "then": {"if": when("u", 2), **sides}, "else": sides["else"]}
    assert shape(resolve(node(everywhere)))["x"][2] == []


def test_field_of_all_forms_has_no_condition() -> None:
    forms = [{"properties": {"x": {"type": kind}, "y": {"type": "u8"}}} for kind in ("u8", "hex")]
    assert shape(resolve(node({"oneOf": forms})))["x"] == (["u8", "hex"], False, [])
    assert shape(resolve(node({"oneOf": [*forms, {}]})))["x"][2] == [
        "if form 1 of 3 is used",
        "if form 2 of 3 is used",
    ]


def test_object_whose_conditionals_list_the_rest_is_closed() -> None:
    side = {"additionalProperties": False, "properties": {"x": {"type": "u8"}}}
    raw = {"additionalProperties": True, "if": when("t", 1), "then": side}
    assert not resolve(node(raw)).extras
    assert resolve(node(raw | {"then": {}})).extras
    assert not resolve(node({"additionalProperties": True, "oneOf": [side, side]})).extras


def test_field_of_an_alternative_says_which() -> None:
    raw = {"anyOf": [{"properties": {"a": {"type": "u8"}}}, {"properties": {"b": {"type": "u8"}}}]}
    assert shape(resolve(node(raw))) == {
        "a": (["u8"], False, ["if form 1 of 2 is used"]),
        "b": (["u8"], False, ["if form 2 of 2 is used"]),
    }


def test_what_is_left_out_is_named() -> None:
    raw = {
        "required": ["nowhere"],
        "additionalProperties": True,
        "properties": {"ghost": {}, "dev-x": {"hidden": True}, "a": {"description": ["Anything."]}},
    }
    found = resolve(node(raw))
    assert [field.name for field in found.fields] == ["a"]
    assert [field.name for field in found.hidden] == ["dev-x"]
    assert (found.phantoms, found.undeclared, found.extras) == (("ghost",), ("nowhere",), True)


@pytest.mark.parametrize(
    ("raw", "text", "negated"),
    [
        (when("t", "a"), '`t` is "a"', '`t` is not "a"'),
        (when("t", "a", "b"), '`t` is "a" or "b"', '`t` is neither "a" nor "b"'),
        (when("t", True), "`t` is true", "`t` is not true"),
        (when("t"), "`t` has a value that does not exist", "`t` has any value"),
        ({"required": ["x", "y"]}, "`x` is present and `y` is present", "`x` is absent or `y` is absent"),
        (when("t", "a") | {"required": ["t", "x"]}, '`t` is "a" and `x` is present', '`t` is not "a" or `x` is absent'),
        ({"properties": {"t": {"type": "u8"}}}, "`t` is of type u8", "`t` is not of type u8"),
        ({"properties": {"t": {"required": ["x"]}}}, "`t.x` is present", "`t.x` is absent"),
        ({"items": {}}, "the condition at /response holds", "the condition at /response does not hold"),
    ],
)
def test_condition_in_words(raw: dict[str, Any], text: str, negated: str) -> None:
    assert condition_words(condition(node(raw))) == text
    assert condition_words(condition(node(raw), negated=True)) == negated


def test_conditions_are_equal_if_they_ask_the_same_wherever_they_stand() -> None:
    here, there = node(when("t", "a")), (node({"properties": {"x": when("t", "a")}}).fields or ())[0].node
    assert here.pointer != there.pointer
    assert condition(here) == condition(there)
    assert condition(here) != condition(here, negated=True)
    assert condition(node(when("t", 1))) != condition(node(when("t", True)))


def test_a_document_survives_the_way_to_another_process() -> None:
    for document in load([ROOT / "tests/cases/every-construct/schemas"]).documents:
        copied = pickle.loads(pickle.dumps(document))
        assert copied == document
        assert all(example.request is not None for example in copied.examples or ())
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT


def corpus(kind: str, name: str) -> Document:
    documents = load([shared_path("corpus/master-2026-08/schemas")]).documents
    return next(document for document in documents if (document.kind, document.name) == (kind, name))


def test_decode_of_core_lightning_is_resolved() -> None:
    found = resolve(corpus("rpc", "decode").response)
    fields = {field.name: field for field in found.fields}
    assert found.phantoms == ("offer_node_id",)
    assert [field.name for field in found.fields if field.required] == ["type", "valid"]
    assert tuple(map(conjunction_words, fields["unknown_offer_tlvs"].conditions)) == (
        'if `type` is "bolt12 offer" and `valid` is true',
        'if `type` is "bolt12 offer" and `valid` is false',
    )
    assert {node.type for node in fields["invreq_payer_id"].alternatives} == {"hex", "pubkey"}
