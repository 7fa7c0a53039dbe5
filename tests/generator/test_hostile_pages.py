"""No text of a document becomes markup: the pages of a hostile document and of its harmless twin have the same
structure, where prose, which may be Markdown, is the same in both.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rpcschema.model.build import build
from rpcschema.model.nodes import Document
from rpcschema.text import roff
from tests.generator.hostile import SETTINGS, Twins, crowded, twins
from tests.generator.rendering import render_all, render_one

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
"""What a reader's renderer may understand beyond what descriptions may use."""
TEXT = {"text", "code_inline", "softbreak", "text_special"}
NOT_OURS = {"html_block", "html_inline", "image", "s_open", "hr", "code_block"}


def page(target: str, document: Document) -> str:
    """Return the page that a target makes of a document."""
    (content,) = render_one(target, document, SETTINGS).files.values()
    return content.decode()


def index(document: Document) -> str:
    """Return the index of the reference pages."""
    files, _ = render_all("markdown", [document], SETTINGS)
    return files["docs/index.md"].decode()


def structure(markdown: str) -> list[str]:
    """Return the constructs of a text, one after the other, without their content."""
    found = []
    for token in READER.parse(markdown):
        found.append(f"{token.type} {token.tag} {token.hidden}")
        found += [each for each in map(_inline, token.children or ()) if each]
    return found


def _inline(token: Token) -> str:
    return "" if token.type in TEXT else token.type


def macros(roff: str) -> list[str]:
    """Return the lines of a page that roff takes for requests, without their arguments."""
    return [line.split(" ")[0] for line in roff.split("\n") if line.startswith((".", "'"))]


@settings(max_examples=25)
@given(twins("labels", "texts"))
def test_no_name_and_no_plain_text_changes_the_structure_of_a_page(pair: Twins) -> None:
    assert structure(page("markdown", pair.hostile)) == structure(page("markdown", pair.harmless))
    assert structure(index(pair.hostile)) == structure(index(pair.harmless))
    assert macros(page("man", pair.hostile)) == macros(page("man", pair.harmless))


@settings(max_examples=25)
@given(twins("names", "texts", "prose"))
def test_no_prose_becomes_html_a_heading_or_an_unknown_macro(pair: Twins) -> None:
    tokens = [
        each for block in READER.parse(page("markdown", pair.hostile)) for each in (block, *(block.children or ()))
    ]
    assert not NOT_OURS & {token.type for token in tokens}
    headings = [
        [token.tag for token in READER.parse(page("markdown", each)) if token.type == "heading_open"]
        for each in (pair.hostile, pair.harmless)
    ]
    assert headings[0] == headings[1]
    known = {".TH", ".nh", ".ad", ".SH", ".PP", ".TP", ".RS", ".RE", ".IP", ".PD", ".EX", ".EE", ".br"}
    found, expected = (macros(page("man", each)) for each in (pair.hostile, pair.harmless))
    assert set(found) <= known
    assert found.count(".SH") == expected.count(".SH")


@pytest.mark.parametrize("prose", ["&#10;.SH X", "a\n---\n&#10;.SH X", "&#32;.SH X", "- &#9;.SH X", "*a*\n&#10;.SH X"])
def test_white_space_of_an_entity_begins_no_macro(prose: str) -> None:
    lead, rest = roff.blocks(prose.split("\n"))
    assert ".SH" not in macros(lead + rest)
    assert "SH X" in lead + rest


def test_every_piece_in_every_place_changes_no_structure() -> None:
    pair = crowded(prose=False)
    assert structure(page("markdown", pair.hostile)) == structure(page("markdown", pair.harmless))
    assert macros(page("man", pair.hostile)) == macros(page("man", pair.harmless))


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@settings(max_examples=20)
@given(twins("names", "texts", "prose"))
def test_mandoc_has_no_warning(pair: Twins) -> None:
    done = subprocess.run(
        ["mandoc", "-Tlint", "-W", "warning"],
        input=page("man", pair.hostile),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["", " ", "\r", " x", "x ", "\u00a0", "*", "_x_", "`"])
def test_any_name_is_one_word_of_the_synopsis(name: str) -> None:
    raw = {
        "rpc": "a",
        "title": "A",
        "description": [],
        "request": {"properties": {name: {"type": "u8"}}},
        "response": {},
    }
    (synopsis,) = [token for token in READER.parse(page("markdown", build(raw, "a.json"))) if "[" in token.content]
    shown = [token.type for token in synopsis.children or () if token.type in {"em_open", "code_inline"}]
    assert len(shown) == 1 or repr(name) in synopsis.content


def test_nothing_on_a_page_shows_in_another_order_than_it_has() -> None:
    for target in ("markdown", "man"):
        assert not re.search(
            "[\u202a-\u202e\u2066-\u2069]|u202[A-E]|u206[6-9]", page(target, crowded(prose=True).hostile)
        )
