"""The JSON Schema of the model's JSON: every dump is valid, and no attribute is forgotten."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rpcschema.model import dump, nodes
from rpcschema.read.load import load
from tests.shared import ROOT, shared_path

SCHEMA: dict[str, Any] = json.loads((ROOT / "generated/model/schema.json").read_bytes())
VALIDATOR = Draft202012Validator(SCHEMA)


def faults(folder: Path) -> list[str]:
    """Return what is wrong in the dumps of the documents in a folder."""
    documents = load([folder]).documents
    assert documents
    return [
        f"{document.name}: {error.json_path}: {error.message}"
        for document in documents
        for error in VALIDATOR.iter_errors(json.loads(dump.dump(document)))
    ]


def test_is_a_schema_of_the_current_format() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["format"]["const"] == dump.FORMAT
    assert f"format {dump.FORMAT}" in SCHEMA["title"]


@pytest.mark.parametrize("folder", ["schemas", "tests/cases/every-construct/schemas", "tests/cases/several-things"])
def test_our_documents_are_valid(folder: str) -> None:
    assert faults(ROOT / folder) == []


@pytest.mark.parametrize("release", ["v24.11", "v26.06", "master-2026-08"])
def test_the_documents_of_a_release_are_valid(release: str) -> None:
    assert faults(shared_path(f"corpus/{release}/schemas")) == []


@pytest.mark.parametrize(
    ("holder", "schema"),
    [
        (nodes.Document, SCHEMA),
        (nodes.SchemaNode, SCHEMA["$defs"]["node"]),
        (nodes.Example, SCHEMA["properties"]["examples"]["items"]),
        (nodes.Section, SCHEMA["properties"]["sections"]["items"]),
        (nodes.Branch, SCHEMA["$defs"]["node"]["properties"]["branches"]["items"]),
        (nodes.Request, SCHEMA["properties"]["request"]),
        (nodes.Response, SCHEMA["properties"]["response"]),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_every_attribute_is_described(holder: type, schema: dict[str, Any]) -> None:
    inherited = {each.name for each in fields(nodes.SchemaNode)} if issubclass(holder, nodes.SchemaNode) else set()
    own = inherited if holder is nodes.SchemaNode else {each.name for each in fields(holder)} - inherited
    assert set(schema["properties"]) - {"format"} == own - {"file", "pointer"}


def test_rejects_a_member_that_the_model_does_not_have() -> None:
    value = json.loads(dump.dump(load([ROOT / "schemas/offer.json"]).documents[0]))
    assert VALIDATOR.is_valid(value)
    assert not VALIDATOR.is_valid(value | {"pages": 1})
    value["request"]["fields"][0]["colour"] = "red"
    assert not VALIDATOR.is_valid(value)
