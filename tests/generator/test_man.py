"""Man pages: nothing lost, everything under the right name, and nothing that mandoc has to complain about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from rpcschema.model.build import build
from tests.generator.manpages import TITLES, lint, needs_mandoc, render, sections, text_of
from tests.generator.pages import (
    CONSTRUCTS,
    OWN,
    Raw,
    assert_holds,
    assert_prose_in_place,
    document_about,
    documents,
    hostile_text,
    raw_document,
)
from tests.shared import ROOT, shared_path


def assert_page_is_whole(raw: Raw, page: bytes) -> None:
    """Assert that all prose of a document is on its page, in place."""
    found = sections(page)
    kind = next(kind for kind in TITLES if kind in raw)
    for title, half in zip(TITLES[kind], ("request", "response"), strict=True):
        assert_prose_in_place(found.get(title, []), raw[half], lambda name: rf" +{re.escape(name)}(?= \(|$)")
    for title, key in (
        ("NAME", "title"),
        ("DESCRIPTION", "description"),
        *((key.upper(), key) for key in ("errors", "usage")),
    ):
        lines = raw.get(key, [])
        assert_holds(text_of(found.get(title, [])), [lines] if isinstance(lines, str) else lines)


@needs_mandoc
@pytest.mark.parametrize("file", [*OWN, *CONSTRUCTS], ids=lambda file: file.stem)
def test_mandoc_has_no_warning(file: Path) -> None:
    assert not lint(*(render(document)[1] for document in documents(file)))


@needs_mandoc
@pytest.mark.parametrize("file", [*OWN, *CONSTRUCTS], ids=lambda file: file.stem)
def test_page_has_every_word_of_the_descriptions_in_order_under_the_right_name(file: Path) -> None:
    for document in documents(file):
        assert_page_is_whole(raw_document(file), render(document)[1])


@needs_mandoc
@pytest.mark.parametrize("release", ["master-2026-08", "v24.11"])
def test_pages_of_all_upstream_documents_are_whole_and_clean(release: str) -> None:
    root = shared_path(f"corpus/{release}/schemas")
    for document in documents(root):
        page = render(document)[1]
        assert not lint(page), document.file
        assert_page_is_whole(raw_document(root / document.file), page)


@needs_mandoc
def test_a_page_without_one_sentence_is_not_whole() -> None:
    (document,) = documents(ROOT / "schemas" / "invoicerequest.json")
    raw = raw_document(ROOT / "schemas" / "invoicerequest.json")
    page = render(document)[1]
    assert page.count(b"need not be unique") == 1
    with pytest.raises(AssertionError):
        assert_page_is_whole(raw, page.replace(b"need not be unique", b"be unique"))


def test_command_page_is_named_as_lightning_cli_help_looks_for_it() -> None:
    paths = [render(document)[0] for document in documents(*CONSTRUCTS)]
    assert paths == [
        "man/lightning-hook-tank_level.7",
        "man/lightning-notification-tank_level.7",
        "man/lightning-tank-fill.7",
    ]


def test_page_is_dated_by_the_newest_release_that_the_document_names() -> None:
    field = {"type": "u8", "added": "v24.11"}
    raw = {
        "rpc": "fill",
        "title": "",
        "description": [],
        "added": "v23.02",
        "request": {"properties": {"a": field}},
        "response": {},
    }
    assert b'.TH "LIGHTNING\\-FILL" "7" "2024-11-01"' in render(build(raw, "fill.json"))[1]
    del raw["added"], field["added"]
    assert b'"2022-11-01"' in render(build(raw, "fill.json"))[1]


MACRO = re.compile(r'\.(?:TH .*|nh|ad l|SH ".*"|PP|TP 4|RS \d|RE|IP (?:\\\(bu|\d+\.) \d|PD(?: 0)?|EX|EE|br)')
ESCAPE = re.compile(r"\\(?:[e&-]|\((?:aq|ga|ha|ti|dq|bu)|f[RBI]|f\(BI|\[u[0-9A-F]{4,6}\])")


@needs_mandoc
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(hostile_text)
def test_no_text_reaches_roff_as_markup(text: str) -> None:
    page = render(document_about(text))[1]
    for line in page.decode("ascii").split("\n"):
        assert not line.startswith("'")
        assert not line.startswith(".") or MACRO.fullmatch(line)
        assert "\\" not in ESCAPE.sub("", line)
    assert not lint(page)


@needs_mandoc
def test_a_document_nested_to_the_limit_has_a_page() -> None:
    node: Raw = {"type": "u8", "description": ["The core."]}
    for _ in range(60):
        node = {"type": "object", "properties": {"x": {"oneOf": [node]}}}
    page = render(build({"rpc": "a", "title": "", "description": [], "request": node, "response": {}}, "a.json"))[1]
    assert b"The core." in page
    assert not lint(page)
