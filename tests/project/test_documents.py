"""The project's own documents: Core Lightning's contract, our words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.shared import ROOT, shared_path

DOCUMENTS = sorted((ROOT / "schemas").glob("*.json"))
OURS = frozenset({"extension", "service_notes"})
"""Keys that the dialect has and Core Lightning's meta-schema has not."""
PROSE = frozenset({"$schema", "author", "description", "errors", "resources", "see_also", "title", "warning"})


def without(keys: frozenset[str], node: Any) -> Any:
    """Return a document without extensions and `keys`. Members of `properties` are names, so none of them is a key."""
    if isinstance(node, list):
        return [without(keys, part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: without(keys, value) for name, value in part.items() if not value.get("extension")}
        if key == "properties"
        else without(keys, part)
        for key, part in node.items()
        if key not in keys
    }


def contract(document: Any) -> Any:
    """Return the contract between Core Lightning and a program, without what is only for people."""
    return without(OURS | PROSE, document)


def codes(document: dict[str, Any]) -> list[int]:
    return [int(code) for line in document["errors"] for code in re.findall(r"^- (-?\d+):", line)]


def ordered(node: Any) -> str:
    """Return a JSON text in which the order of members counts."""
    return json.dumps(node)


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list | dict):
        for part in node.values() if isinstance(node, dict) else node:
            yield from strings(part)


def test_invoicerequest_keeps_the_contract_of_the_seed() -> None:
    seed = json.loads(shared_path("seed/lightning-invoicerequest.json").read_bytes())
    ours = json.loads((ROOT / "schemas" / "invoicerequest.json").read_bytes())
    assert contract(ours) == contract(seed)
    for half in ("request", "response"):
        assert ordered(contract(ours[half])) == ordered(contract(seed[half]))
    assert ordered(ours["examples"]) == ordered(seed["examples"])
    assert codes(ours) == codes(seed)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_document_passes_the_meta_schema_of_core_lightning_but_for_its_extensions(path: Path) -> None:
    meta = json.loads(shared_path("corpus/master-2026-08/rpc-schema-draft.json").read_bytes())
    document = {"$schema": "../rpc-schema-draft.json"} | without(OURS, json.loads(path.read_bytes()))
    jsonschema.Draft7Validator(meta).validate(document)


def test_what_only_this_service_says_is_in_no_docstring_of_the_client() -> None:
    sources = sorted((ROOT / "generated/clnrpc").rglob("*.py"))
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    assert [path.name for path, text in texts.items() if "this service" in " ".join(text.split()).lower()] == []
    pages = (ROOT / "generated/man").glob("*.7")
    assert sum("This service" in page.read_text(encoding="ascii") for page in pages) >= 5


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_document_describes_every_field(path: Path) -> None:
    def check(node: Any, where: str) -> None:
        for name, field in node.get("properties", {}).items():
            assert field.get("description"), f"{where}.{name} has no description"
            check(field, f"{where}.{name}")
            check(field.get("items", {}), f"{where}.{name}[]")

    document = json.loads(path.read_bytes())
    check(document["request"], "request")
    check(document["response"], "response")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_document_is_named_after_its_command(path: Path) -> None:
    assert json.loads(path.read_bytes())["rpc"] == path.stem


def test_getinfo_has_every_field_that_core_lightning_requires() -> None:
    theirs = json.loads(shared_path("corpus/master-2026-08/schemas/getinfo.json").read_bytes())
    ours = json.loads((ROOT / "schemas" / "getinfo.json").read_bytes())
    assert set(theirs["response"]["required"]) <= set(ours["response"]["required"])
    for name in ours["response"]["properties"]:
        declared = theirs["response"]["properties"][name]
        assert ours["response"]["properties"][name]["type"] == declared["type"], name


def test_see_also_names_pages_that_exist_here_or_upstream() -> None:
    pages = {f"lightning-{path.stem}(7)" for path in DOCUMENTS} | {"lightning-sendinvoice(7)"}
    for path in DOCUMENTS:
        for text in strings(json.loads(path.read_bytes())):
            assert set(re.findall(r"lightning-[a-z-]+\(7\)", text)) <= pages, path.name
