"""The reference of the document format has every key and every type, and what it shows is right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rpcschema.model.build import DOCUMENT_KEYWORDS, NODE_KEYWORDS, REQUEST_KEYWORDS, RESPONSE_KEYWORDS
from rpcschema.read.load import load
from rpcschema.runtime.server.convert import CONVERTERS
from tests.project.document_format import CASE, DIALECT, GAUGE, PAGE, example, page, parts

TYPES = DIALECT["$defs"]["type"]
SECTIONS = {"errors", "author", "see_also", "resources"}
KEYWORDS = [
    DOCUMENT_KEYWORDS | SECTIONS,
    NODE_KEYWORDS,
    REQUEST_KEYWORDS,
    RESPONSE_KEYWORDS,
    {"description", "request", "response"},
]


def test_the_page_is_written_from_the_dialect() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.project.document_format"


def test_every_key_that_the_model_reads_is_described_and_shown() -> None:
    for part, keywords in zip(parts(), KEYWORDS, strict=True):
        assert part.schemas.keys() == keywords
        for keyword, schema in part.schemas.items():
            assert schema["description"].endswith("."), keyword
            shown = json.loads(f"{{{example(part, keyword)}}}")
            assert keyword in shown or all(keyword in value for value in shown.values())


@pytest.mark.parametrize("name", TYPES["enum"])
def test_every_type_is_described_and_its_example_has_it(name: str) -> None:
    assert TYPES["descriptions"][name].endswith(".")
    assert GAUGE["response"]["properties"][name] == {"type": name}
    value = GAUGE["examples"][0]["response"][name]
    CONVERTERS[name](json.dumps(value).encode())  # or raises BadToken


def test_the_documents_that_it_shows_have_no_problems() -> None:
    loaded = load([CASE])
    assert loaded.problems == ()
    assert len(loaded.documents) == 5


def test_the_whole_document_that_it_begins_with_has_no_problems(tmp_path: Any) -> None:
    (tmp_path / "a.json").write_text(PAGE.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0])
    loaded = load([tmp_path])
    assert (len(loaded.documents), loaded.problems) == (1, ())
