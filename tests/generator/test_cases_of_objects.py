"""Which responses can be one of several things, and which fields each of these has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rpcschema.model.cases import Cases, cases
from rpcschema.model.resolve import resolve
from rpcschema.text.words import conjunction_words
from tests.generator.packages import command, documents

KINDS = {"type": "string", "enum": ["tree", "river", "cave"]}


def when(then: dict[str, Any], otherwise: dict[str, Any] | None = None, /, **tested: Any) -> dict[str, Any]:
    branch = {"if": {"properties": {name: {"enum": [value]} for name, value in tested.items()}}, "then": then}
    return branch if otherwise is None else branch | {"else": otherwise}


def holds(*required: str, **types: str) -> dict[str, Any]:
    return {"required": list(required), "properties": {name: {"type": kind} for name, kind in types.items()}}


def response(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    properties = {"kind": KINDS, "near": {"type": "boolean"}, "height": {}}
    return {"required": ["kind"], "properties": properties} | ({"allOf": list(branches)} if branches else {}) | more


TREE = when(holds("height", height="u32", age="u32"), kind="tree")
RIVER = when(holds("width", width="u32", depth="u32"), kind="river")


@pytest.fixture
def found(tmp_path: Path) -> Any:
    def find(raw: dict[str, Any]) -> Cases | None:
        (document,) = documents(tmp_path, command(response=raw))
        return cases(document.response)

    return find


def held(found: Cases | None) -> dict[str, dict[str, tuple[bool, tuple[str, ...]]]]:
    assert found is not None
    return {
        value: {
            field.name: (field.required, tuple(map(conjunction_words, field.conditions)))
            for field in resolve(node).fields
        }
        for value, node in found.nodes
    }


def test_each_thing_holds_the_fields_of_its_own_branches(found: Any) -> None:
    always, maybe = (True, ()), (False, ())
    assert held(found(response(TREE, RIVER))) == {
        "tree": {"kind": always, "near": maybe, "height": always, "age": maybe},
        "river": {"kind": always, "near": maybe, "width": always, "depth": maybe},
        "cave": {"kind": always, "near": maybe},
    }


def test_a_condition_says_only_what_is_still_open(found: Any) -> None:
    near = when(holds("age", age="u32", leaves="u32"), kind="tree", near=True)
    far = when(holds("age", age="u32", looks="string"), kind="tree", near=False)
    assert held(found(response(near, far, RIVER)))["tree"] == {
        "kind": (True, ()),
        "near": (False, ()),
        "age": (True, ()),
        "leaves": (False, ("if `near` is true",)),
        "looks": (False, ("if `near` is false",)),
    }


def test_what_all_listed_answers_of_a_thing_require_is_required(found: Any) -> None:
    near = when(holds("age", "leaves", age="u32", leaves="u32"), kind="tree", near=True)
    tree = held(found(response(near, RIVER)))["tree"]
    assert {name for name, (required, _) in tree.items() if required} == {"kind", "age", "leaves"}


def test_an_else_belongs_to_the_other_things(found: Any) -> None:
    either = when(holds("height", height="u32"), holds("width", width="u32", fish="u32"), kind="tree")
    chained = response(either, when(holds("bats", bats="u32"), RIVER, kind="cave"))
    assert {value: set(fields) for value, fields in held(found(chained)).items()} == {
        "tree": {"kind", "near", "height"},
        "river": {"kind", "near", "width", "fish", "depth"},
        "cave": {"kind", "near", "width", "fish", "bats"},
    }


@pytest.mark.parametrize(
    "raw",
    [
        response(),
        response(TREE, RIVER, required=[]),
        response(TREE, RIVER, when(holds(x="u8"), near=True)),
        response(TREE, RIVER, anyOf=[{"required": ["near"]}]),
        response(TREE, RIVER, properties={"kind": {"type": "string", "enum": ["tree"]}}),
        response(TREE, RIVER, properties={"kind": {"type": "string"}}),
        response(TREE, RIVER, properties={"kind": {"type": "u8", "enum": [1, 2]}}),
    ],
    ids=[
        *("no conditionals", "a discriminator that may be missing", "a conditional that does not ask for it"),
        *("alternatives beside it", "one value", "no enum", "an enum of numbers"),
    ],
)
def test_what_does_not_say_which_of_several_things_it_is_is_one(raw: dict[str, Any], found: Any) -> None:
    assert found(raw) is None


def test_states_of_one_thing_are_no_things(found: Any) -> None:
    same = when(holds(height="u32", age="u32"), kind="cave")
    assert found(response(TREE, RIVER, same)) is None, "a tree and a cave hold the same"
    common = {name: {"type": "u8"} for name in ("a", "b", "c", "d")}
    assert found(response(TREE, RIVER, properties={"kind": KINDS, **common})) is None, "more is common than is not"
