"""How the audit understands generated classes."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

from clnrpc.runtime.values import scalars
from clnrpc.runtime.values.scalars import U64, Hex, Msat
from tests.audit.classes import fields, variants, wrong_aliases
from tests.audit.facts import Facts, Field, differences
from tests.audit.survey import wrong_in_types


@dataclass(kw_only=True, slots=True)
class Hop:
    fee: Msat
    tags: list[Hex | list[Any]] | None = None


@dataclass(kw_only=True, slots=True)
class Route:
    __wire_names__ = (("max_fee", "max-fee"),)

    type: Literal["route"]
    hops: list[Hop]
    max_fee: Msat | U64 = 5
    reply: dict[str, Any] | None = None


@dataclass(kw_only=True, slots=True)
class Failure:
    type: Literal["failure", "timeout"]
    reason: None
    code: int | Literal["x"] | None = None


@dataclass(kw_only=True, slots=True)
class Aged:
    if TYPE_CHECKING:

        @property
        def old(self) -> str | None: ...

    else:
        old: U64 | None = None


def always(*types: str) -> Field:
    return Field(types=frozenset(types), optional=False)


def sometimes(*types: str) -> Field:
    return Field(types=frozenset(types), optional=True)


def test_fields_have_wire_names_and_the_dialects_types() -> None:
    assert fields(Route) == {
        ("type",): always("one of route"),
        ("hops",): always("array"),
        ("hops", "[]"): always("object"),
        ("hops", "[]", "fee"): always("msat"),
        ("hops", "[]", "tags"): sometimes("array"),
        ("hops", "[]", "tags", "[]"): always("hex", "array"),
        ("hops", "[]", "tags", "[]", "[]"): always("any"),
        ("max-fee",): sometimes("msat", "u64"),
        ("reply",): sometimes("map"),
    }


def test_none_is_null_only_where_it_does_not_stand_for_absence() -> None:
    assert fields(Failure) == {
        ("type",): always("one of failure, timeout"),
        ("reason",): always("null"),
        ("code",): sometimes("integer", "one of x"),
    }


def test_classes_of_a_union_are_told_apart_by_what_is_fixed() -> None:
    assert list(variants(Route | Failure)) == [({"type": "route"}, Route), ({}, Failure)]
    assert list(variants(Route)) == [({}, Route)]


def test_an_alias_that_is_another_type_is_told() -> None:
    assert not list(wrong_aliases(scalars))
    broken = SimpleNamespace(**vars(scalars) | {"Msat": str})
    assert list(wrong_aliases(broken)) == ["Msat, for msat, is <class 'str'>, not <class 'int'>"]


def test_every_kind_of_difference_is_told() -> None:
    declared: Facts = {("a",): always("u8"), ("b",): always("u8"), ("c", "[]", "d"): always("u8")}
    made: Facts = {("a",): always("any"), ("b",): sometimes("u8"), ("e",): always("u8")}
    assert list(differences(declared, made)) == [
        (("a",), "is any, not u8"),
        (("b",), "is optional, not always there"),
        (("c", "[]", "d"), "is not there"),
        (("e",), "is declared nowhere"),
    ]


@dataclass(kw_only=True, slots=True)
class Found:
    type: Literal["found"]
    way: U64 | None = None


@dataclass(kw_only=True, slots=True)
class Lost:
    type: Literal["lost"]


def test_a_deprecated_field_is_what_runs_and_not_what_type_checkers_see() -> None:
    assert fields(Aged) == {("old",): sometimes("u64")}


def test_a_union_has_a_class_for_each_case_and_each_field() -> None:
    half = {
        "properties": {"type": {"type": "string", "enum": ["found", "lost", "open"]}},
        "required": ["type"],
        "allOf": [
            {"if": {"properties": {"type": {"enum": ["found"]}}}, "then": {"properties": {"way": {"type": "u64"}}}},
            {"if": {"properties": {"type": {"enum": ["open"]}}}, "then": {"properties": {"why": {"type": "hex"}}}},
        ],
    }
    assert list(wrong_in_types(half, Found | Lost)) == [
        (("why",), "is in no class of the union"),
        (("type",), "has no class for open"),
    ]
