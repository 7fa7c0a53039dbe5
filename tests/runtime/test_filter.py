"""A filter shows what it names, in the answer's order, with the node's quirks and its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.server.convert import BadToken
from rpcschema.runtime.server.filter import WARNING, apply, parse

PEERS = {"id": "me", "peers": [{"id": "a", "tags": ["x"], "at": {"port": 1, "names": ["n"]}}, {"id": "b"}], "n": None}


def shown(only: str, result: Any) -> Any:
    return apply(parse(only.encode()), result)


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ('{"id":true}', {"id": "me"}),
        ('{"n":true,"id":true}', {"id": "me", "n": None}),
        ('{"nosuch":true}', {}),
        ('{"peers":true}', {"peers": PEERS["peers"]}),
        ('{"peers":[{"id":true}]}', {"peers": [{"id": "a"}, {"id": "b"}]}),
        ('{"peers":[{"tags":true}]}', {"peers": [{"tags": ["x"]}, {}]}),
        ('{"peers":[{"at":{"port":true}}]}', {"peers": [{"at": {"port": 1}}, {}]}),
        ('{"id":true,"id":{"a":true}}', {"id": "me"}),
        ('{"\\u0069d":true}', {}),
    ],
)
def test_only_what_is_named_is_shown(only: str, expected: Any) -> None:
    assert json.dumps(shown(only, PEERS)) == json.dumps(expected)


@pytest.mark.parametrize(
    ("only", "result", "expected"),
    [
        ('{"a":true}', {"a": {"n": 1, "m": [2], "o": {"p": 3}}}, {"a": {"m": [2], "o": {"p": 3}}}),
        ("{}", {"n": 1, "m": [2], "o": {"p": 3}}, {"m": [2], "o": {"p": 3}}),
        ('{"a":{}}', {"a": [1, {"n": 2}]}, {"a": [1, {"n": 2}]}),
        ('{"a":[true]}', {"a": [{"n": 1, "m": [2]}]}, {"a": [{"m": [2]}]}),
        ('{"a":[5]}', {"a": [[1], 2]}, {"a": [[1], 2]}),
        ('{"a":{"b":true}}', {"a": [1, 2]}, {"a": [1, 2]}),
        ('{"a":{"b":true}}', {"a": 1}, {"a": 1}),
        ('{"a":[{"b":true}]}', {"a": {"b": 1}}, {"a": {}}),
    ],
)
def test_the_nodes_quirks_are_kept(only: str, result: Any, expected: Any) -> None:
    assert shown(only, result) == expected


@pytest.mark.parametrize(
    ("only", "result", "expected", "warning"),
    [
        ('{"peers":{"id":true}}', PEERS, {"peers": []}, ".peers is an array"),
        ('{"a":[true]}', {"a": {"b": []}}, {"a": {}}, ".a is an object"),
        ('{"a":[{"b":[true]}]}', {"a": [{"b": {"c": {}}}]}, {"a": [{"b": {}}]}, ".a[].b is an object"),
        ('{"b":[true],"a":[true]}', {"b": {"c": {}}, "a": {"c": {}}}, {"b": {}, "a": {}}, ".a is an object"),
        ('{"a":{"b":true}}', {"a": [1, {}, 2]}, {"a": [1]}, ".a is an array"),
        ('{"a":[{"b":true}]}', {"a": [[1, {}], [2]]}, {"a": [[1], [2]]}, ".a[] is an array"),
    ],
)
def test_another_shape_brings_a_warning_behind_what_fits(only: str, result: Any, expected: Any, warning: str) -> None:
    assert list(shown(only, result).items()) == [*expected.items(), (WARNING, warning)]


def test_a_result_that_is_no_object_passes() -> None:
    assert shown('{"a":true}', "Shutdown complete") == "Shutdown complete"


@pytest.mark.parametrize(
    ("text", "why", "token"),
    [
        ("true", "Expected object", "true"),
        ('[{"a":true}]', "Expected object", '[{"a":true}]'),
        ("null", "Expected object", "null"),
        ('{"a":false}', "value must be true", "false"),
        ('{"a":"true"}', "value must be true", '"true"'),
        ('{"a":[]}', "Arrays can only have one element", "[]"),
        ('{"a":[true,true]}', "Arrays can only have one element", "[true,true]"),
        ('{"a":true,"a":[{"b":1}]}', "value must be true", "1"),
    ],
)
def test_what_is_no_filter_is_refused_with_the_token_at_fault(text: str, why: str, token: str) -> None:
    with pytest.raises(BadToken) as refused:
        parse(text.encode())
    assert (refused.value.why, refused.value.token.decode()) == (why, token)


names = st.sampled_from("abc")
values = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=9,
)
filters = st.recursive(
    st.just(True),
    lambda inner: inner.map(lambda only: [only]) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(names, filters, max_size=3), st.dictionaries(names, values, max_size=3))
def test_nothing_is_shown_that_was_not_there(only: dict[str, Any], result: dict[str, Any]) -> None:
    answer = shown(json.dumps(only), result)
    answer.pop(WARNING, None)
    assert is_part(answer, result)


def is_part(part: Any, whole: Any) -> bool:
    match part, whole:
        case dict(), dict():
            return list(part) == [name for name in whole if name in part] and all(
                is_part(part[name], whole[name]) for name in part
            )
        case list(), list():
            left = iter(whole)
            return all(any(is_part(element, other) for other in left) for element in part)
    return bool(part == whole)
