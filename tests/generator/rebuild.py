"""A document put together again from its dump alone, and the facts by which two documents are compared.

It shares nothing with the code that reads and dumps, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# dump member -> keyword, for members whose values are the keyword's own
NODE = {
    "type": "type",
    "description": "description",
    "required": "required",
    "extras": "additionalProperties",
    "enum": "enum",
    "default": "default",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "added": "added",
    "deprecated": "deprecated",
    "hidden": "hidden",
    "untyped": "untyped",
    "extension": "extension",
    "service_notes": "service_notes",
    "comment": "comment",
    "one_of_many": "oneOfMany",
    "paired_with": "pairedWith",
    "dependent_upon": "dependentUpon",
    "enforced": "enforced",
    "pre_notes": "pre_return_value_notes",
    "post_notes": "post_return_value_notes",
}
DOCUMENT = {
    "title": "title",
    "description": "description",
    "added": "added",
    "deprecated": "deprecated",
    "warning": "warning",
    "extension": "extension",
    "service_notes": "service_notes",
    "categories": "categories",
    "extras": "additionalProperties",
    "schema": "$schema",
}


def document(dump: dict[str, Any]) -> dict[str, Any]:
    """Return the raw document that `dump` was made from."""
    assert dump["format"] == 1
    raw = {keyword: dump[member] for member, keyword in DOCUMENT.items() if member in dump}
    raw[dump["kind"]] = dump["name"]
    raw["type"] = "object"
    raw["request"] = node(dump["request"])
    raw["response"] = node(dump["response"])
    raw |= {section["name"]: section["content"] for section in dump.get("sections", [])}
    if "examples" in dump:
        raw["examples"] = [entry | entry.pop("unknown", {}) for entry in (dict(entry) for entry in dump["examples"])]
    assert set(raw) - {"type"} == set(dump["keys"]) - {"type"}
    return {key: raw[key] for key in dump["keys"]}


def node(dump: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that one node of a dump stands for."""
    raw = {keyword: dump[member] for member, keyword in NODE.items() if member in dump}
    raw |= dump.get("unknown", {})
    if "fields" in dump:
        raw["properties"] = {field["name"]: node(field) for field in dump["fields"]}
    if "items" in dump:
        raw["items"] = node(dump["items"])
    for member, keyword in (("any_of", "anyOf"), ("one_of", "oneOf")):
        if member in dump:
            raw[keyword] = [node(entry) for entry in dump[member]]
    for branch in dump.get("branches", []):
        sides = {"when": "if", "then": "then", "otherwise": "else"}
        conditional = {keyword: node(branch[member]) for member, keyword in sides.items() if member in branch}
        if branch.get("in_all_of"):
            raw.setdefault("allOf", []).append(conditional)
        else:
            raw |= conditional
    return raw


def facts(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Yield (JSON pointer, value) for every value; for an object its keys, in order if the order matters."""
    if isinstance(value, dict):
        ordered = pointer == "" or pointer.endswith("/properties")
        yield pointer, f"object of {list(value) if ordered else sorted(value)}"
        for key, entry in value.items():
            yield from facts(entry, f"{pointer}/{key}")
    elif isinstance(value, list):
        yield pointer, f"list of {len(value)}"
        for at, entry in enumerate(value):
            yield from facts(entry, f"{pointer}/{at}")
    else:
        yield pointer, json.dumps(value)
