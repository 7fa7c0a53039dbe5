"""Every field is in each export, with its types, and where a tool finds it that ignores conditionals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path as Folder
from typing import Any

import pytest

from tests.audit import dialect
from tests.audit.facts import Facts, Path, differences, dotted, names
from tests.exports.made import Exported, exported
from tests.exports.reading import fields
from tests.shared import ROOT, shared_path

OWN = (ROOT / "schemas", ROOT / "tests/cases/every-construct/schemas", ROOT / "tests/cases/several-things/schemas")
RELEASES = ("v24.11", "v26.04", "v26.06", "master-2026-08")


def halves_of(made: Exported, export: str) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the name of each half in an export, the half as the document has it, and its schema."""
    if export == "jsonschema":
        for document, half, schema in made.halves():
            yield f"{document} {half}", document.raw[half], schema
        return
    commands = {document.name: document.raw for document in made.documents if document.kind == "rpc"}
    if export == "openrpc":
        methods = made.json("openrpc.json")["methods"]
        assert [method["name"] for method in methods] == sorted(commands)
        for method in methods:
            params = method["params"]
            request = {
                "properties": {each["name"]: each["schema"] for each in params},
                "required": [each["name"] for each in params if each["required"]],
            }
            yield f"{method['name']} request", commands[method["name"]]["request"], request
            yield f"{method['name']} response", commands[method["name"]]["response"], method["result"]["schema"]
        return
    paths = made.json("openapi.json")["paths"]
    assert list(paths) == [f"/v1/{name}" for name in sorted(commands)]
    for name, raw in sorted(commands.items()):
        operation = paths[f"/v1/{name}"]["post"]
        yield f"{name} request", raw["request"], body(operation["requestBody"])
        yield f"{name} response", raw["response"], body(operation["responses"]["201"])


def body(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a body."""
    schema: Mapping[str, Any] = holder["content"]["application/json"]["schema"]
    return schema


def visible(declared: Facts) -> int:
    """Return how many fields the audit counts."""
    return len({names(path) for path, fact in declared.items() if not fact.hidden})


def wrong_in(raw: dialect.Raw, schema: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield the differences between a half of a document and its schema; of alternatives, between each and its case."""
    for known, case in variants(schema):
        yield from differences(dialect.fields(raw, known), fields(case))


def variants(schema: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any]]]:
    """Yield the alternatives of a schema, each with the value of the field that tells them apart."""
    if "anyOf" not in schema or "properties" in schema:
        yield {}, schema
        return
    for case in schema["anyOf"]:
        known = {
            name: each["const"] for name, each in case["properties"].items() if each is not True and "const" in each
        }
        assert len(known) == 1
        yield known, case


def survey(made: Exported, export: str) -> tuple[int, int, list[str]]:
    """Return how many fields are declared and how many are right, and what is wrong."""
    declared_fields, found_fields, findings = 0, 0, []
    for place, raw, schema in halves_of(made, export):
        declared = dialect.fields(raw)
        declared_fields += visible(declared)
        hidden = {path: fact for path, fact in declared.items() if fact.hidden}
        right = {path: fact for path, fact in fields(schema).items() if path in declared and path not in hidden}
        found_fields += visible({path: replace(fact, hidden=False) for path, fact in right.items()})
        findings += [f"{place}: {dotted(path)} {what}" for path, what in wrong_in(raw, schema)]
    return declared_fields, found_fields, findings


@pytest.mark.parametrize("export", ["jsonschema", "openrpc", "openapi"])
@pytest.mark.parametrize("folder", OWN, ids=lambda folder: folder.parent.name)
def test_every_field_of_our_documents_is_in_an_export(folder: Folder, export: str) -> None:
    declared, found, findings = survey(exported(folder), export)
    assert findings == []
    assert found == declared > 0


@pytest.mark.parametrize("export", ["jsonschema", "openrpc", "openapi"])
@pytest.mark.parametrize("release", RELEASES)
def test_every_field_of_a_release_is_in_an_export(release: str, export: str) -> None:
    declared, found, findings = survey(exported(shared_path(f"corpus/{release}/schemas")), export)
    assert findings == []
    assert found == declared > 0
