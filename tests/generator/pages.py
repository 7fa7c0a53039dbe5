"""Shared by the tests of pages: documents to print, and the words that their pages must contain.

The expectations are worked out from the raw JSON, without the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from rpcschema.model.build import build
from rpcschema.model.nodes import Document
from rpcschema.read.load import load
from rpcschema.settings import Settings
from tests.shared import ROOT

SETTINGS = Settings(package="clnrpc", targets=("man", "markdown"))
OWN = sorted((ROOT / "schemas").glob("*.json"))
CONSTRUCTS = sorted((ROOT / "tests" / "cases" / "every-construct" / "schemas").rglob("*.json"))

Raw = dict[str, Any]

HOSTILE_PIECES = [
    *(
        "\\",
        ".",
        "'",
        "-",
        "`",
        "```",
        "~~~",
        "*",
        "**",
        "_",
        "<b>",
        "</li>",
        "&lt;",
        "|",
        "| --- |",
        "#",
        "##",
        "> ",
        "1. ",
    ),
    *(
        "![",
        "[",
        "](http://x.y)",
        '](<a b> "t")',
        "[^1]",
        "$",
        "=",
        "===",
        "+ ",
        "- ",
        "    ",
        "\t",
        "\n",
        " ",
        '"',
        "\\fB",
        ".SH X",
    ),
    *(
        "\\(bu",
        "\\[u0041]",
        "word",
        "x",
        "é",
        "₿",
        "\u202e",
        "\x00",
        "\x1b",
        "\ud800",
        "{{ x }}",
        "{% if %}",
        "--",
        "(7)",
        "@",
        ":",
    ),
]
hostile_text = st.lists(st.sampled_from(HOSTILE_PIECES), max_size=25).map("".join) | st.text(max_size=40)


def documents(*roots: Path) -> tuple[Document, ...]:
    """Return the documents in files or folders."""
    return load(roots).documents


def document_about(text: str, **members: Any) -> Document:
    """Return a command with `text` in every place where a document has prose, and `members` besides."""
    field = {"type": "string", "description": text.split("\n"), "default": text}
    condition = {"required": [text], "properties": {text: {"enum": [text]}}}
    raw = {
        "rpc": "probe",
        "title": text,
        "warning": text,
        "description": text.split("\n"),
        "request": {"properties": {"plain": field, text: field}, "required": [text], "pairedWith": [[text, "plain"]]},
        "response": {
            "properties": {"list": {"type": "array", "items": field}, text: {"type": "u8", "enum": [text]}},
            "anyOf": [condition],
            "if": condition,
            "then": {"required": ["x"], "properties": {text: field}},
        },
        "usage": text.split("\n"),
        "examples": [{"description": [text], "request": {"params": {text: text}}, "response": {text: text}}],
        "see_also": [text],
        **members,
    }
    return build(raw, "probe.json")


def raw_document(file: Path) -> Raw:
    """Return the JSON of one file."""
    raw: Raw = json.loads(file.read_text(encoding="utf-8"))
    return raw


def words(text: str) -> list[str]:
    """Return the words of a text, whatever marks or line breaks stand between them, without the languages of fences."""
    return re.findall(r"[^\W_]+", re.sub(r"^ *(```|~~~).*$", "", text, flags=re.MULTILINE))


def words_of(lines: list[str]) -> list[str]:
    """Return the words of a description; an address that is its own text counts once."""
    return words(re.sub(r"\[([^\]]*)\]\(mailto:\1\)", r"\1", "\n".join(lines)))


def assert_holds(text: str, lines: list[str]) -> None:
    """Assert that all words of a description are in `text`, one after the other."""
    assert f" {' '.join(words_of(lines))} ".replace("  ", " ") in f" {' '.join(words(text))} "


def assert_prose_in_place(lines: list[str], half: Raw, head: Callable[[str], str]) -> None:
    """Assert that each description in a request or response is, whole and in order, right below its field's name.
    The name must be inside the block of the name above it. The descriptions of the halves, and of the parts of
    conditionals, are among what they describe.

    `lines` is a part of a page where indents mean belonging; `head(name)` is a pattern of how a name begins its block.
    """
    assert_holds("\n".join(lines), half.get("description", []))
    _Reader(lines, head).read_inside(half, 0, len(lines))


@dataclass(frozen=True)
class _Reader:
    lines: list[str]
    head: Callable[[str], str]

    def read_inside(self, schema: Raw, start: int, stop: int) -> int:
        """Find what `schema` holds in the lines from start to stop; return the line after it."""
        for name, below in schema.get("properties", {}).items():
            if below.keys() - {"required"} and not below.get("hidden"):
                start = self._read_entry(name, below, start, stop)
        items = [schema["items"]] if "items" in schema else []
        for shape in (*items, *schema.get("oneOf", []), *schema.get("anyOf", [])):
            assert_holds(self._text(start, stop), shape.get("description", []))
            start = self.read_inside(shape, start, stop)
        for branch in (schema, *schema.get("allOf", [])):
            for side in (key for key in ("if", "then", "else") if key in branch):
                assert_holds(self._text(start, stop), branch[side].get("description", []))
            for side in (key for key in ("then", "else") if key in branch):
                start = self.read_inside(branch[side], start, stop)
        return start

    def _read_entry(self, name: str, schema: Raw, start: int, stop: int) -> int:
        matches = ((at, re.match(self.head(name), self.lines[at])) for at in range(start, stop))
        at, match = next((at, match) for at, match in matches if match)
        # What stands in parentheses after the name may have been broken into lines.
        facts = re.match(r"( \([^)]*\))?", self._text(at, stop)[match.end() :])
        assert facts
        below = at + 1 + facts.group().count("\n")
        end = next((line for line in range(below, stop) if self._closes(line, at)), stop)
        expected = words_of(schema.get("description", []))
        assert words(self._text(at, end)[match.end() + facts.end() :])[: len(expected)] == expected
        self.read_inside(schema, below, end)
        return end

    def _closes(self, line: int, at: int) -> bool:
        return bool(self.lines[line].strip()) and _indent(self.lines[line]) <= _indent(self.lines[at])

    def _text(self, start: int, stop: int) -> str:
        return "\n".join(self.lines[start:stop])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
