"""Reference pages in Markdown: nothing lost, everything under the right name, and no text that becomes markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rpcschema.model.build import build
from rpcschema.model.nodes import Document
from rpcschema.targets.markdown import TARGET
from rpcschema.targets.subject import Subject
from rpcschema.text import commonmark
from tests.generator.pages import (
    CONSTRUCTS,
    OWN,
    SETTINGS,
    Raw,
    assert_holds,
    assert_prose_in_place,
    document_about,
    documents,
    hostile_text,
    raw_document,
)
from tests.generator.rendering import render_all
from tests.shared import shared_path

TITLES = {
    "rpc": ("Parameters", "Return value"),
    "notification": ("Parameters", "Payload"),
    "hook": ("Payload", "Return value"),
}
# What a reader's renderer may understand beyond what descriptions may use.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def render(document: Document) -> tuple[str, str]:
    """Return the path and the text of a document's page."""
    ((path, content),) = TARGET.document(Subject(document, SETTINGS)).files.items()
    return path, content.decode()


def index(everything: Sequence[Document]) -> bytes:
    """Return the page that lists the documents."""
    files, _ = render_all("markdown", everything, SETTINGS)
    return files["docs/index.md"]


def parts(page: str) -> dict[str, list[str]]:
    """Return the lines of a page by the title of their part; "" for the head."""
    found: dict[str, list[str]] = {"": []}
    fence = ""
    for line in page.splitlines():
        ticks = re.match(r"`{3,}", line)
        if ticks:
            fence = "" if fence == line else fence or ticks.group()
        if line.startswith("## ") and not fence:
            found[line.removeprefix("## ")] = []
        else:
            found[list(found)[-1]].append(line)
    return found


def page_of(**members: object) -> dict[str, list[str]]:
    """Return the parts of the page of a small command with `members`."""
    raw = {"rpc": "fill", "title": "Fill a tank", "description": ["Fills."], "request": {}, "response": {}, **members}
    return parts(render(build(raw, "fill.json"))[1])


def entry(name: str) -> str:
    """Return the pattern of a name that begins an entry."""
    return rf" *- (`+) ?{re.escape(name)} ?\1(?= \(|:|$)"


def tokens(markdown: str) -> list[Token]:
    """Return all tokens of a text, including those inside paragraphs."""
    return [inner for token in READER.parse(markdown) for inner in (token, *(token.children or ()))]


def assert_page_is_whole(raw: Raw, page: str) -> None:
    """Assert that all prose of a document is on its page, in place."""
    found = parts(page)
    kind = next(kind for kind in TITLES if kind in raw)
    for title, half in zip(TITLES[kind], ("request", "response"), strict=True):
        assert_prose_in_place(found.get(title, []), raw[half], entry)
    for title, key in (("", "title"), ("Description", "description"), ("Errors", "errors"), ("Usage", "usage")):
        lines = raw.get(key, [])
        assert_holds("\n".join(found.get(title, [])), [lines] if isinstance(lines, str) else lines)


@pytest.mark.parametrize("file", [*OWN, *CONSTRUCTS], ids=lambda file: file.stem)
def test_page_has_every_word_of_the_descriptions_in_order_under_the_right_name(file: Path) -> None:
    for document in documents(file):
        assert_page_is_whole(raw_document(file), render(document)[1])


@pytest.mark.parametrize("release", ["master-2026-08", "v24.11"])
def test_pages_of_all_upstream_documents_are_whole(release: str) -> None:
    root = shared_path(f"corpus/{release}/schemas")
    for document in documents(root):
        assert_page_is_whole(raw_document(root / document.file), render(document)[1])


def test_each_kind_has_its_folder() -> None:
    paths = [render(document)[0] for document in documents(*CONSTRUCTS)]
    assert paths == ["docs/hook/tank_level.md", "docs/notification/tank_level.md", "docs/tank-fill.md"]


def test_index_links_every_document_and_nothing_else() -> None:
    everything = documents(*OWN, *CONSTRUCTS)
    content = index(everything)
    links = [token.attrs["href"] for token in tokens(content.decode()) if token.type == "link_open"]
    assert sorted(f"docs/{link}" for link in links) == sorted(render(document)[0] for document in everything)


def test_index_has_no_table_for_a_kind_without_documents() -> None:
    content = index(documents(*OWN))
    assert re.findall("^## .*", content.decode(), re.MULTILINE) == ["## Commands"]


def test_titles_cannot_break_out_of_the_index() -> None:
    document = document_about("a | b\n| c | <b> `x")
    content = index([document])
    (row,) = [line for line in content.decode().splitlines() if "probe.md" in line]
    cells = [token for token in READER.parse(content.decode()) if token.type == "td_open"]
    assert row == "| [probe](probe.md) | a \\| b \\| c \\| \\<b\\> \\`x |"
    assert len(cells) == 2


@pytest.mark.parametrize("description", [[], ["", " "]])
def test_a_description_without_words_leaves_no_blank_on_the_page(description: list[str]) -> None:
    assert "Description" not in page_of(description=description)
    assert page_of(description=description, added="v1")["Description"] == ["", "Added in v1.", ""]


def test_fields_are_entries_of_nested_lists() -> None:
    inner = {
        "type": "object",
        "required": ["b"],
        "properties": {"b": {"type": "msat", "description": ["Inner.", "", "More."]}},
    }
    response = {"properties": {"a": {"type": "array", "description": ["Outer."], "items": inner}, "c": {"type": "u8"}}}
    assert page_of(response=response)["Return value"] == [
        "",
        "On success, an object with these fields:",
        "",
        "- `a` (array of objects, optional): Outer.",
        "  - `b` (msat): Inner.",
        "",
        "    More.",
        "- `c` (u8, optional)",
    ]


def test_conditions_are_entries_of_their_own() -> None:
    response = {"if": {"required": ["a"]}, "then": {"required": ["a"], "properties": {"b": {"type": "u8"}}}}
    assert page_of(response=response)["Return value"][-2:] == [
        "- If `a` is present: `a` is present.",
        "  - `b` (u8, optional)",
    ]


def test_examples_are_fenced() -> None:
    page = page_of(examples=[{"request": {"params": {"a": "```"}}, "response": {}}])["Examples"]
    assert page[:8] == ["", "**Example 1**", "", "````shell", "lightning-cli -k fill a='```'", "````", "", "Request:"]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("*a* **b** `c`", "*a* **b** `c`"),
        ("a_b _c <b> & | $x$ ~~y~~", "a_b \\_c \\<b\\> \\& \\| \\$x\\$ \\~\\~y\\~\\~"),
        ("[t](http://a.b?x=1&copy=2 'q\"')", '[t](<http://a.b?x=1&amp;copy=2> "q&quot;")'),
        ("<http://a.b> <a@b.c>", "<http://a.b> <a@b.c>"),
        ("![alt](http://a.b)", "\\![alt](<http://a.b>)"),
        ("``a`b``", "``a`b``"),
        ("a\\\nb", "a\\\nb"),
        ("&#35; a", "\\# a"),
        ("&#32;- a", "\\- a"),
        ("1\\. a", "1\\. a"),
    ],
)
def test_spans_mean_what_they_meant(markdown: str, expected: str) -> None:
    assert commonmark.blocks(markdown.split("\n")) == (f"{expected}\n", "")


def test_blocks_mean_what_they_meant() -> None:
    lines = ["# Head", "", "3. a", "   - b", "", "> c", "> d", "", "```json x", "{}", "```"]
    expected = "**Head**\n\n3. a\n\n   - b\n\n> c\n> d\n\n```json\n{}\n```\n"
    assert commonmark.blocks(lines) == ("", expected)


def test_lists_indented_by_four_spaces_under_their_sentence_are_lists() -> None:
    assert commonmark.blocks(["One of:", "    * a", "    * b"]) == ("One of:\n", "- a\n- b\n")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(hostile_text)
def test_no_text_becomes_html_or_structure(text: str) -> None:
    page = render(document_about(text))[1]
    found = tokens(page)
    assert not {"html_block", "html_inline", "image", "table_open", "s_open", "hr", "code_block"} & {
        token.type for token in found
    }
    headings = [token.tag for token in found if token.type == "heading_open"]
    assert headings == ["h1"] + ["h2"] * 7
