"""Words of a command line become parameters by lightning-cli's rules."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.service.cli.call import ArgumentError, to_params


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1000", 1000),
        ("0", 0),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ('{"a": [1]}', {"a": [1]}),
        ("[]", []),
        ('"already \\u0041"', "already A"),
        # text, not JSON
        ("", ""),
        ("-5", "-5"),
        ("007", "007"),
        ("0001020304", "0001020304"),
        ("1e3", "1e3"),
        ("10sat", "10sat"),
        ("True", "True"),
        ("a b", "a b"),
        ('say "hi"', 'say "hi"'),
        ("tab\tand\nline", "tab\tand\nline"),
        ("{open", "{open"),
    ],
)
def test_what_looks_like_json_is_json_and_the_rest_is_text(word: str, value: object) -> None:
    assert json.loads(to_params([word])) == [value]


def test_json_stays_as_it_is_written() -> None:
    assert to_params(["1.50", '"\\u0041"', "[1,  2]"]) == b'[1.50,"\\u0041",[1,  2]]'


@pytest.mark.parametrize(
    "word", ["1.2.3", ".", "1.", '"', '"a","b"', "[1],[2]", '{"a":1},{"b":2}', '"a":"b"', "00.5", "{}}"]
)
def test_refuses_what_looks_like_json_but_is_not_one_value(word: str) -> None:
    with pytest.raises(ArgumentError, match="is taken for JSON"):
        to_params([word])


def test_the_first_word_decides_between_positions_and_names() -> None:
    assert json.loads(to_params(["amount=1", "description=a=b"])) == {"amount": 1, "description": "a=b"}
    assert json.loads(to_params(["1", "description=x"])) == [1, "description=x"]
    assert json.loads(to_params([])) == []
    assert json.loads(to_params([], keywords=True)) == {}


def test_refuses_a_word_without_a_name_among_names() -> None:
    with pytest.raises(ArgumentError, match="expected key=value in 'plain'"):
        to_params(["a=1", "plain"])
    with pytest.raises(ArgumentError, match="expected key=value in '1'"):
        to_params(["1"], keywords=True)


def test_a_name_given_twice_stays_twice() -> None:
    assert to_params(["a=1", "a=2"]) == b'{"a":1,"a":2}'


@pytest.mark.parametrize("word", ["\udcff", 'a="\udcff"', "\udcff=1"])
def test_refuses_bytes_that_are_not_utf8(word: str) -> None:
    with pytest.raises(ArgumentError):
        to_params([word])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_words_make_valid_json_with_one_value_each_or_an_error(words: list[str]) -> None:
    try:
        raw = to_params(["first", *words])
    except ArgumentError:
        return
    values = json.loads(raw)
    assert len(values) == len(words) + 1
    assert all(
        value == word
        for value, word in zip(values[1:], words, strict=True)
        if isinstance(value, str) and '"' not in word
    )
