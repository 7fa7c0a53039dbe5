"""The lines of JSON documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.lint.positions import line_of, positions
from rpcschema.problems import join_pointer

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\/~{}[],:\n'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"\\/~{}[],:'), inner, max_size=3),
    max_leaves=12,
)


def pointers(value: Any, pointer: str = "") -> set[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {pointer}.union(*(pointers(each, join_pointer(pointer, key)) for key, each in members))


@given(VALUES)
def test_every_member_and_element_has_a_line(value: Any) -> None:
    for indent in (None, 2):
        assert positions(json.dumps(value, indent=indent)).keys() == pointers(value)


def test_lines_are_those_of_keys_and_elements() -> None:
    text = '{\n "a/b": [1,\n  {"c":\n   2}, "\\"}"],\n "d": {}}'
    assert positions(text) == {"": 1, "/a~1b": 2, "/a~1b/0": 2, "/a~1b/1": 3, "/a~1b/1/c": 3, "/a~1b/2": 4, "/d": 5}


@pytest.mark.parametrize(("pointer", "line"), [("/a", 4), ("/a/b/c", 4), ("/x/y", 1), ("", 1), ("line 7 column 2", 7)])
def test_what_is_missing_is_at_what_would_hold_it(pointer: str, line: int) -> None:
    assert line_of(pointer, {"": 1, "/a": 4}) == line
