"""Hostile documents, for the tests of bad input.

A document is drawn with harmless names and texts first. Its hostile twin is the same document with each of them
replaced wherever it stands, so whatever differs between the outputs of the two, apart from those strings, was made by a
string.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from rpcschema.model.build import DOCUMENT_KEYWORDS, build
from rpcschema.model.nodes import Document
from rpcschema.python import names
from rpcschema.read import dialect
from rpcschema.settings import Settings

Raw = dict[str, Any]

SETTINGS = Settings(package="tank", targets=("python", "client", "service"))

NAMES = [f"n-{number}" for number in range(6)]
TEXTS = [f"text {number}" for number in range(10)]
"""Plain text, on pages too."""
PROSE = [f"prose {number}" for number in range(6)]
"""What is Markdown on pages, and defaults, which are values if they look like it."""
SECTIONS = ["section 0", "section 1"]

PIECES = [
    *(
        '"',
        '"""',
        "'",
        "'''",
        "\\",
        "\\\\",
        "\\N{DIGIT ONE}",
        "\\x41",
        "\n",
        "\r",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x85",
    ),
    *("\u2028", "\u2029", "\x00", "\x1b[31m", "\u202e", "\u2066", "\ufeff", "\u00a0", "\U000e0001", "é", "₿", "😀"),
    *("{{ 7*7 }}", "{% raw %}", "{# x #}", "{", "}", "{{", "}}", "%}", "#}", "%s", "{0}", "$x$", "{self}"),
    *(", *, x=__import__('os')", "): import os #", "]", ")", ";", ":", "#", " # type: ignore", "exec", "=", "@", "..."),
    *("\n.SH X", "\n'br", ".", "'", "\\fB", "\\&", "\n.so /etc/passwd", '\n.\\" x', '\n.TP "', "-", "--"),
    *("<script>", "</li>", "<!--", "&lt;", "[a](http://b.c)", "![", "](", "`", "```", "~~~", "*", "**", "_", "|", "> "),
    *("&#27;", "&#x202e;", "&#x2028;", "&#10;", "&#10;.SH X", "\u2028# ", "\u2029<b>"),
    *("# ", "\n# ", "\n---\n", "===", "1. ", "+ ", "- ", "    ", "\t", " ", "x", "word", "\n\n"),
]
NAMED_LIKE_OURS = [
    *(
        "__class__",
        "__slots__",
        "__dict__",
        "__init__",
        "__wire_names__",
        "__post_init__",
        "__annotations__",
        "__doc__",
    ),
    *("self", "None", "True", "import", "class", "match", "mro", "", "_", "__", "2nd", "x" * 300, "rpc_call", "cls"),
    *("list", "str", "int", "Any", "Literal", "ClassVar", "dataclass", "Msat", "Mapping", "Sequence", "Awaitable"),
    *("COMMANDS", "Command", "Parameter", "Client", "FillRequest", "unknown_command", "annotations", "print"),
    *("😀", "\u202eabc", "\x00", "a\nb", "a'b", 'a"b', "$%&", "{{ x }}", "{% endfor %}"),
]

text = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join) | st.text(min_size=1, max_size=20)
visible = text.filter(lambda each: bool(each.strip()))
name = st.sampled_from(NAMED_LIKE_OURS) | text
identifier = st.sampled_from(
    ["fill", "__class__", "import", "types", "a.b", "2", "-x", "x" * 100, "Any", "self", "list"]
)


@dataclass(frozen=True)
class Twins:
    """A harmless document, and its twin in which some strings are replaced."""

    raw: Raw
    """The harmless one's JSON."""
    harmless: Document = field(repr=False)
    hostile: Document = field(repr=False)
    replaced: Mapping[str, str]
    """Harmless string -> hostile string."""
    names: Sequence[str]
    """The harmless names of fields."""


def twins(*hostile: str) -> st.SearchStrategy[Twins]:
    """Return twins of which one is hostile in these parts: names (or labels, which are visible names), texts, prose."""
    return st.builds(_twins, document, st.tuples(*(PARTS[part] for part in hostile)))


def _twins(harmless: Raw, parts: tuple[Mapping[str, str], ...], fields: Sequence[str] = NAMES) -> Twins:
    replaced = dict(ChainMap(*map(dict, parts)))
    hostile = swapped(harmless, replaced)
    # What is built is only what would be loaded.
    assert not list(dialect.faults(harmless))
    assert not list(dialect.faults(hostile))
    return Twins(harmless, build(harmless, "fill.json"), build(hostile, "fill.json"), replaced, fields)


def crowded(*, prose: bool) -> Twins:
    """Return twins with every piece, and names that look like ours, in all places (of prose only if `prose`)."""
    fields = {
        f"n-{at}": each
        for at, each in enumerate({names.attribute(each): each for each in [*NAMED_LIKE_OURS, "y" * 10_000]}.values())
    }
    texts = {f"text {at}": f"{each}x{each}" for at, each in enumerate(dict.fromkeys(PIECES))}
    lines = list(texts)
    markdown = {f"prose {at}": each for at, each in enumerate(texts.values())}
    described = list(markdown)
    strings = {key: {"type": "string", "description": described[:5], "enum": lines[:3]} for key in fields}
    strings["n-0"] = {"type": "string", "enum": lines}
    amounts = {key: {"type": "msat", "description": described[-5:], "added": "text 7"} for key in fields}
    when = {"if": {"properties": {"n-1": {"enum": lines}}, "required": list(fields)}}
    harmless = {
        "rpc": "fill",
        "title": "text 1",
        "description": described,
        "warning": "text 2",
        "categories": lines,
        "request": {"properties": strings, "required": list(fields)[:1], "pairedWith": [list(fields)]},
        "response": {"properties": {"n-0": {"type": "array", "items": {"type": "object", "properties": amounts}}}}
        | when
        | {"then": {"properties": amounts, "required": list(fields)}},
        "examples": [{"description": described, "request": {"params": dict.fromkeys(fields, lines)}, "response": {}}],
        "errors": described,
        "see_also": described,
    }
    return _twins(harmless, (fields, texts, markdown if prose else {}), list(fields))


def divided() -> Twins:
    """Return twins with a response that every piece divides: one class for each becomes a union."""
    texts = {f"text {at}": each for at, each in enumerate(dict.fromkeys(PIECES))}

    def branch(at: int, value: str) -> Raw:
        told = {"n-0": {}, f"n-{at}": {"type": "u8", "description": ["One thing."]}}
        return {"if": {"properties": {"n-0": {"enum": [value]}}}, "then": {"properties": told}}

    response = {
        "required": ["n-0"],
        "properties": {"n-0": {"type": "string", "enum": list(texts)}},
        "allOf": [branch(at, value) for at, value in enumerate(texts, 1)],
    }
    harmless = {"rpc": "fill", "title": "Fill", "description": [], "request": {}, "response": response}
    return _twins(harmless, ({"n-0": "__class__", "n-1": 'a"'}, texts), [f"n-{at}" for at in range(len(texts) + 1)])


def swapped(value: Any, replaced: Mapping[str, str]) -> Any:
    """Return `value` with each string that is in `replaced`, keys included, replaced."""
    match value:
        case dict():
            return {replaced.get(key, key): swapped(entry, replaced) for key, entry in value.items()}
        case list():
            return [swapped(entry, replaced) for entry in value]
        case str():
            return replaced.get(value, value)
    return value


def _replacing(
    old: list[str], new: st.SearchStrategy[str], unique: Any = lambda each: each
) -> st.SearchStrategy[dict[str, str]]:
    several = st.lists(new, min_size=len(old), max_size=len(old), unique_by=unique)
    return several.map(lambda drawn: dict(zip(old, drawn, strict=True)))


def _naming(name: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.builds(
        lambda fields, sections, identifier: fields | sections | {"fill": identifier},
        _replacing(NAMES, name, names.attribute),
        _replacing(SECTIONS, visible.filter(lambda key: key not in DOCUMENT_KEYWORDS)),
        identifier,
    )


PARTS = {
    "names": _naming(name),
    "labels": _naming(name.map(str.strip).filter(bool)),
    "texts": _replacing(TEXTS, visible),
    "prose": _replacing(PROSE, visible.map("~{}".format)),
}


def _optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Raw]:
    return st.fixed_dictionaries({}, optional=members)


_name, _text, _prose = st.sampled_from(NAMES), st.sampled_from(TEXTS), st.sampled_from(PROSE)
_lines = st.lists(_prose, min_size=1, max_size=3)
_names = st.lists(_name, min_size=1, max_size=3, unique=True)
_enum = st.lists(_text, min_size=1, max_size=3, unique=True)
_facts = _optional(
    description=_lines, added=_text, deprecated=st.lists(_text, min_size=1, max_size=2), comment=_text, default=_prose
)
_scalar = st.builds(
    lambda kind, facts, enum: {"type": kind} | facts | ({"enum": enum} if kind == "string" and enum else {}),
    st.sampled_from(["string", "msat", "boolean", "u32", "hash", "hex", "pubkey", "number", "integer"]),
    _facts,
    st.none() | _enum,
)


def _object(inner: st.SearchStrategy[Raw]) -> st.SearchStrategy[Raw]:
    properties = st.dictionaries(_name, inner, min_size=1, max_size=4)
    side = _optional(properties=st.dictionaries(_name, inner | st.just({}), max_size=2), required=_names)
    tested = st.dictionaries(_name, st.builds(lambda enum: {"enum": enum}, _enum), max_size=2)
    when = _optional(properties=tested, required=_names)
    branch = st.fixed_dictionaries({"if": when, "then": side}, optional={"else": side})
    return st.builds(
        lambda *parts: {key: entry for part in parts for key, entry in part.items()},
        st.fixed_dictionaries({"type": st.just("object"), "properties": properties}, optional={"required": _names}),
        st.just({}) | branch | st.lists(branch, min_size=1, max_size=2).map(lambda branches: {"allOf": branches}),
        _facts,
    )


_node = st.recursive(
    _scalar,
    lambda inner: (
        _object(inner)
        | st.builds(lambda items, facts: {"type": "array", "items": items} | facts, inner, _facts)
        | st.lists(inner, min_size=1, max_size=2).map(lambda forms: {"oneOf": forms})
    ),
    max_leaves=6,
)
_half = _object(_node).map(lambda raw: {key: entry for key, entry in raw.items() if key not in {"type", "default"}})
_values = st.dictionaries(_name, _text | st.lists(_text, max_size=2), max_size=2)
_example = st.fixed_dictionaries(
    {
        "request": st.builds(lambda params: {"id": "1", "method": "fill", "params": params}, _values),
        "response": _values,
    },
    optional={"description": _lines},
)

document: st.SearchStrategy[Raw] = st.builds(
    lambda fixed, rest, rules, others: fixed | rest | {"request": fixed["request"] | rules} | others,
    st.fixed_dictionaries(
        {"rpc": st.just("fill"), "title": _text, "description": _lines, "request": _half, "response": _half}
    ),
    _optional(
        warning=_text,
        added=_text,
        categories=st.lists(_text, max_size=2),
        examples=st.lists(_example, max_size=2),
        errors=_lines,
        usage=_lines,
        author=_lines,
        see_also=_lines,
    ),
    _optional(
        pairedWith=st.lists(_names, max_size=1),
        oneOfMany=st.lists(_names, max_size=1),
        dependentUpon=st.dictionaries(_name, _names, max_size=1),
    ),
    st.dictionaries(st.sampled_from(SECTIONS), _lines, max_size=1),
)
