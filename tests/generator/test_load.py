"""Which documents are accepted, and the errors for the others."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.model.dump import dump
from rpcschema.problems import MOST, Level, has_errors
from rpcschema.read import strictjson
from rpcschema.read.load import load
from rpcschema.runtime.server.convert import CONVERTERS
from tests.generator import rebuild

MINIMAL: dict[str, Any] = {"rpc": "fill", "title": "Fill", "description": [], "request": {}, "response": {}}


def problems_of(folder: Path, content: bytes | str | dict[str, Any]) -> list[str]:
    """Return the problems of one file `a.json` with `content`, without the file's path."""
    if isinstance(content, dict):
        content = json.dumps(content)
    file = folder / "a.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    loaded = load([folder])
    assert has_errors(loaded.problems) == (not loaded.documents)
    return [str(problem).removeprefix(f"{file.as_posix()}: ") for problem in loaded.problems]


def deep(levels: int) -> dict[str, Any]:
    """Return a schema with `levels` levels of arrays of arrays."""
    node: dict[str, Any] = {"type": "u8"}
    for _ in range(levels):
        node = {"items": node}
    return node


def test_minimal_document_has_no_problems(tmp_path: Path) -> None:
    assert problems_of(tmp_path, MINIMAL) == []


@pytest.mark.parametrize(
    ("content", "place"), [("{\n  'a': 1}", "line 2 column 3"), ("", "line 1 column 1"), ("{}x", "line 1 column 3")]
)
def test_refuses_what_is_not_json(tmp_path: Path, content: str, place: str) -> None:
    [problem] = problems_of(tmp_path, content)
    assert problem.startswith(f"{place}: error: not JSON: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"a": 1,\n "b\xff": 2}', "line 2 column 4: error: not UTF-8 text"),
        ('{"a": {"b": 1, "c": 2, "b": 3}}', "/a/b: error: the key is given twice"),
        ('{"a/": ["\\ud800"]}', "/a~1/0: error: the text contains half a surrogate pair, so it is not Unicode text"),
        ('{"\\udfff": 1}', "error: a key contains half a surrogate pair, so it is not Unicode text"),
        ('{"a": 1e999}', "/a: error: the number is NaN, infinite or too large"),
        ('{"a": [NaN]}', "/a/0: error: the number is NaN, infinite or too large"),
        ('{"a": ' + "9" * 5000 + "}", "/a: error: the number is NaN, infinite or too large"),
        ("[" * 10_000, "line 1 column 61: error: nested more than 60 levels deep"),
        ('{"a":' * 10_000, "line 1 column 301: error: nested more than 60 levels deep"),
    ],
    ids=range(9),
)
def test_refuses_what_is_not_strict_json(tmp_path: Path, content: bytes | str, problem: str) -> None:
    assert problems_of(tmp_path, content) == [problem]


@pytest.mark.parametrize("content", ["{}", "[]", "3", '"rpc"', '["rpc"]', '{"title": "x", "request": 5}'])
def test_json_that_is_no_document_gives_one_error(tmp_path: Path, content: str) -> None:
    message = "error: not an rpc-schema document: it has none of the keys rpc, notification and hook"
    assert problems_of(tmp_path, content) == [message]


def test_refuses_a_document_of_two_kinds(tmp_path: Path) -> None:
    expected = "error: several documents in one: it has the keys rpc and hook; keep one"
    assert problems_of(tmp_path, MINIMAL | {"hook": "fill"}) == [expected]


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", ".hidden", "", "a b", "a\n", "naïve", "{{ x }}", "'; drop", "a\\b", "x" * 101, 5, None]
)
def test_refuses_an_id_that_is_no_file_name(tmp_path: Path, name: object) -> None:
    expected = "/rpc: error: expected a name of letters, digits, _, - and ., at most 100, the first not a dot"
    assert problems_of(tmp_path, MINIMAL | {"rpc": name}) == [expected]


@pytest.mark.parametrize("name", ["con", "AUX", "nul.x", "Com1", "lpt9.a.b"])
def test_refuses_an_id_that_windows_has_no_files_for(tmp_path: Path, name: str) -> None:
    (problem,) = problems_of(tmp_path, MINIMAL | {"rpc": name})
    assert problem.startswith(f"/rpc: error: {name!r} is the name of a device on Windows")


@pytest.mark.parametrize("name", ["console", "com10", "x.con", "__class__", "dev-fill", "a.b", "2.0", "x" * 100])
def test_takes_any_id_that_is_a_file_name(tmp_path: Path, name: str) -> None:
    assert problems_of(tmp_path, MINIMAL | {"rpc": name}) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"description": "text"}, '/description: error: expected a list of strings, found "text"'),
        ({"description": [1]}, "/description/0: error: expected a string, found 1"),
        ({"type": "array"}, '/type: error: expected "object", found "array"'),
        ({"request": []}, "/request: error: expected an object of schema keywords, found an empty list"),
        ({"request": {"type": "u128"}}, '/request/type: error: expected a type of the dialect, found "u128"'),
        ({"request": {"items": [{}]}}, "/request/items: error: expected an object of schema keywords, found a list"),
        (
            {"request": {"properties": {"a/b": {"properties": {"c": 5}}}}},
            "/request/properties/a~1b/properties/c: error: expected an object of schema keywords, found 5",
        ),
        ({"response": {"additionalProperties": {}}}, "/response/additionalProperties: error: expected true or false"),
        ({"response": {"then": {}}}, "/response: error: `then` or `else` without `if`"),
        ({"response": {"allOf": []}}, "/response/allOf: error: expected a list of conditionals, not empty"),
        ({"response": {"allOf": [{"then": {}}]}}, "/response/allOf/0: error: missing: if"),
        ({"response": {"oneOf": {}}}, "/response/oneOf: error: expected a list of schemas, not empty"),
        ({"response": {"if": {"enum": 1}}}, "/response/if/enum: error: expected a list of values, found 1"),
        ({"request": {"minLength": -1}}, "/request/minLength: error: expected a number of 0 or more, found -1"),
        ({"request": {"dependentUpon": {"a": "b"}}}, "/request/dependentUpon/a: error: expected a list of strings"),
        ({"deprecated": 1}, "/deprecated: error: expected a list of releases, a release, or true, found 1"),
        ({"examples": [1]}, "/examples/0: error: expected an example: an object with request and response, found 1"),
        ({"title": "x" * 999, "warning": ["y"]}, "/warning: error: expected a string, found a list"),
    ],
    ids=range(18),
)
def test_refuses_what_the_model_cannot_hold(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    (found,) = problems_of(tmp_path, MINIMAL | change)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("strnig", "\"strnig\"; did you mean 'string'?"),
        ("short_channel", "; did you mean 'short_channel_id'?"),
        ("U64", '"U64".'),
        ("x" * 9999, "…."),
        ("msat_or_al", "; did you mean 'msat_or_all'?"),
        (1, "found 1."),
    ],
)
def test_refuses_a_type_that_is_none_and_lists_those_that_there_are(tmp_path: Path, kind: object, meant: str) -> None:
    (found,) = problems_of(tmp_path, MINIMAL | {"request": {"properties": {"a": {"type": kind}}}})
    assert found.startswith("/request/properties/a/type: error: expected a type of the dialect, found ")
    said, _, types = found.partition(" There are: ")
    assert len(said) < 200
    assert said.endswith(meant)
    assert {"u64", "short_channel_id", "msat_or_all", "string"} < set(types.split(", "))


def test_names_all_that_is_missing(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"hook": "x", "title": "y"}) == ["error: missing: description, request, response"]


def test_unknown_keywords_are_kept_and_reported(tmp_path: Path) -> None:
    content = MINIMAL | {"response": {"properties": {"a": {"pattern": "^x"}}}, "examples": [{"note": 1}]}
    assert problems_of(tmp_path, content) == [
        "/examples/0/note: warning: unknown keyword: 'note'",
        "/response/properties/a/pattern: warning: unknown keyword: 'pattern'",
    ]


def test_misspelt_keywords_are_told_apart_from_unknown_ones(tmp_path: Path) -> None:
    node = {"requried": [], "descripton": [], "x" * 9999: 1}
    found = problems_of(
        tmp_path, MINIMAL | {"depecated": ["v1", "v2"], "response": node, "examples": [{"respons": {}}]}
    )
    assert [problem.partition("unknown keyword: ")[2][-40:] for problem in found] == [
        "'depecated'; did you mean 'deprecated'?",
        "'respons'; did you mean 'response'?",
        "'descripton'; did you mean 'description'?"[-40:],
        "'requried'; did you mean 'required'?",
        "x" * 38 + "…'",
    ]


def test_of_endless_problems_only_the_first_are_listed(tmp_path: Path) -> None:
    for content in (MINIMAL | {"description": [1] * 5000}, MINIMAL | {"request": {f"k{at}": 1 for at in range(5000)}}):
        found = problems_of(tmp_path, content)
        assert len(found) == MOST + 1
        assert any(f"only the first {MOST} of a document are listed" in problem for problem in found)


CLAIM = {"$schema": "../rpc-schema-draft.json"}
SUBJECT = "the meta-schema that $schema names"


def test_document_that_its_own_meta_schema_refuses_is_told_where(tmp_path: Path) -> None:
    request = {"added": "v1", "properties": {"a": {"items": {"added": "v1", "items": {"default": 1}}, "maximum": 3}}}
    response = {"if": {"added": 3}, "properties": {"if": {"if": {"minItems": 1}}}}
    content = (
        MINIMAL | CLAIM | {"request": request, "response": response, "examples": [{"request": {}, "response": "x"}]}
    )
    found = problems_of(tmp_path, json.dumps(content).replace('"added": 3', '"added": "v3"'))
    assert [problem for problem in found if SUBJECT in problem] == [
        f"/examples/0/response: warning: {SUBJECT} requires an object here",
        f"/request/added: warning: {SUBJECT} does not allow this key here: 'added'",
        f"/request/properties/a/items/added: warning: {SUBJECT} does not allow this key here: 'added'",
        f"/request/properties/a/items/items/default: warning: {SUBJECT} does not allow this key here: 'default'",
        f"/response/if: warning: {SUBJECT} does not allow this key here: 'if'",
    ]


def test_document_that_names_no_meta_schema_is_held_to_none(tmp_path: Path) -> None:
    hook = {key: value for key, value in MINIMAL.items() if key != "rpc"} | {"hook": "fill"}
    assert problems_of(tmp_path, hook) == []
    assert problems_of(tmp_path, hook | CLAIM) == [f"/hook: warning: {SUBJECT} does not allow hooks"]


def test_unknown_section_is_kept_and_reported_unless_it_is_prose(tmp_path: Path) -> None:
    assert problems_of(tmp_path, MINIMAL | {"trivia": ["x"], "depth": {"a": [1]}}) == [
        "/depth: warning: not prose (a list of strings), so pages show it as JSON"
    ]


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as stream:
        stream.truncate(1 << 30)
    assert [problem.message for problem in load([tmp_path]).problems] == ["larger than 1 MiB, so it is not read"]


def test_the_deepest_document_that_is_let_through_is_understood(tmp_path: Path) -> None:
    assert problems_of(tmp_path, MINIMAL | {"response": deep(strictjson.MAX_DEPTH - 2)}) == []
    node: dict[str, Any] = {"type": "u8"}
    for _ in range((strictjson.MAX_DEPTH - 2) // 3):
        node = {"allOf": [{"if": node}]}
    assert problems_of(tmp_path, MINIMAL | {"response": node}) == []


def test_all_types_of_the_dialect_are_taken(tmp_path: Path) -> None:
    schema = json.loads(files("rpcschema.read").joinpath("dialect.json").read_bytes())
    types = schema["$defs"]["type"]["enum"]
    properties = {name: {"type": name} for name in types}
    assert problems_of(tmp_path, MINIMAL | {"request": {"properties": properties}}) == []
    assert {*types, ""} == set(CONVERTERS)


KEYWORDS = [
    "type",
    "properties",
    "items",
    "required",
    "enum",
    "default",
    "if",
    "then",
    "else",
    "allOf",
    "oneOf",
    "added",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["u8", "object", "", "x/y~"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYWORDS, "deprecated", "odd"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(request=VALUES, response=VALUES, extra=st.dictionaries(st.sampled_from(["examples", "usage"]), VALUES))
def test_any_json_is_either_refused_or_held_without_loss(
    tmp_path_factory: pytest.TempPathFactory, request: object, response: object, extra: dict[str, object]
) -> None:
    raw = MINIMAL | {"request": request, "response": response} | extra
    file = tmp_path_factory.mktemp("any") / "a.json"
    file.write_text(json.dumps(raw))
    loaded = load([file])
    assert bool(loaded.documents) != has_errors(loaded.problems)
    for document in loaded.documents:
        rebuilt = rebuild.document(json.loads(dump(document)))
        assert dict(rebuild.facts(rebuilt)) == dict(
            rebuild.facts(raw | {"type": "object"} if "type" in rebuilt else raw)
        )
    assert all(problem.level is Level.WARNING for problem in loaded.problems if loaded.documents)
