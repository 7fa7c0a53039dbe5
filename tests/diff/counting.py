"""An independent count of what was added and removed, on the raw JSON of documents. It imports nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KINDS = ("rpc", "notification", "hook")


def documents(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the documents in a folder by kind and name."""
    found = {}
    for file in folder.rglob("*.json"):
        raw = json.loads(file.read_text(encoding="utf-8"))
        for kind in KINDS:
            if isinstance(raw.get(kind), str):
                found[kind, raw[kind]] = raw
    return found


def declared(raw: dict[str, Any]) -> set[str]:
    """Return the paths of all fields that a document declares, whatever the case."""
    found = set[str]()
    for half in ("request", "response"):
        found |= set(_paths(raw.get(half, {}), half))
    return found


def _paths(node: Any, path: str) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    for name, inner in node.get("properties", {}).items():
        if _declares(inner):
            yield f"{path}.{name}"
        yield from _paths(inner, f"{path}.{name}")
    if isinstance(node.get("items"), dict):
        yield f"{path}[]"
        yield from _paths(node["items"], f"{path}[]")
    for key in ("then", "else"):
        yield from _paths(node.get(key), path)
    for key in ("allOf", "oneOf", "anyOf"):
        for each in node.get(key, ()):
            yield from _paths(each, path)


def _declares(node: Any) -> bool:
    """Return whether a member says what the field is; conditionals repeat names, and list values for some cases."""
    return isinstance(node, dict) and bool({"type", "oneOf", "anyOf", "properties", "items"} & {*node})


def outermost(paths: set[str], others: set[str]) -> set[str]:
    """Return the paths that the other document lacks, without those below such a path."""
    lacking = paths - others
    return {path for path in lacking if _parent(path) not in lacking}


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
