"""What a request cannot hold is refused with its place and a reason, both in words of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.errors import DecodeError
from rpcschema.runtime.values.decode import build_request
from rpcschema.runtime.values.mismatch import mismatch
from rpcschema.runtime.values.rename import renamer
from tests.runtime.demo.types.travel import TravelRouteStop as Stop


@dataclass(kw_only=True, slots=True)
class Part:
    __wire_names__ = (("by_name", "by-name"),)

    size: int
    weight: float | None = None
    kind: Literal["a", "b"] | None = None
    stops: list[Stop | str] | None = None
    by_name: dict[str, Stop] | None = None
    ready: bool | None = None
    void: None = None


@dataclass(kw_only=True, slots=True)
class Whole:
    parts: list[Part]


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({}, "parts[0]: missing required member: size"),
        ({"weight": "x"}, "parts[0].weight: should be a number"),
        ({"size": 1.5}, "parts[0].size: should be an integer"),
        ({"size": True}, "parts[0].size: should be an integer"),
        ({"size": 1, "kind": "c"}, "parts[0].kind: should be one of a, b"),
        ({"size": 1, "stops": {}}, "parts[0].stops: should be an array"),
        ({"size": 1, "stops": ["x", 5]}, "parts[0].stops[1]: should be an object or text"),
        ({"size": 1, "stops": [{}]}, "parts[0].stops[0]: missing required member: wait"),
        ({"size": 1, "by-name": {"a b": {"wait": None}}}, "parts[0].by-name['a b'].wait: should be an integer"),
        ({"size": 1, "ready": 1}, "parts[0].ready: should be true or false"),
        ({"size": 1, "void": 1}, "parts[0].void: should be null"),
        ("x", "parts[0]: should be an object"),
    ],
)
def test_the_first_fault_is_told_by_place_and_wire_name(part: Any, why: str) -> None:
    with pytest.raises(DecodeError) as error:
        build_request(Whole, {"parts": [part]})
    assert str(error.value) == why


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 9) | st.sampled_from(["a", "c"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["size", "weight", "kind", "stops", "by-name", "by_name", "wait"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
KINDS: list[Any] = [Part, Stop, int, float, str, bool, list[Part], dict[str, Part], list[Stop | str | int] | None]


@given(st.sampled_from(KINDS), VALUES)
def test_a_fault_is_found_in_whatever_msgspec_refuses(kind: Any, value: Any) -> None:
    rename = renamer(kind)
    try:
        msgspec.convert(rename(value) if rename else value, kind)
    except msgspec.ValidationError:
        assert "does not fit its type" not in mismatch(kind, value, "p")
