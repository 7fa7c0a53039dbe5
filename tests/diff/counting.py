"""An independent count of what changed between releases, on the raw JSON of documents. It imports nothing of ours."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

Documents: TypeAlias = dict[tuple[str, str], dict[str, Any]]
"""Documents by kind and name."""

KINDS = ("rpc", "notification", "hook")


def documents(folder: Path) -> Documents:
    """Return the documents in a folder."""
    return _by_key(json.loads(file.read_text(encoding="utf-8")) for file in folder.rglob("*.json"))


def packed_documents(file: Path) -> Documents:
    """Return the documents of a packed release."""
    return _by_key(json.loads(gzip.decompress(file.read_bytes())))


def _by_key(raws: Iterable[dict[str, Any]]) -> Documents:
    return {(kind, raw[kind]): raw for raw in raws for kind in KINDS if isinstance(raw.get(kind), str)}


def declared(raw: dict[str, Any]) -> set[str]:
    """Return the paths of all fields that a document declares, whatever the case."""
    return {path for path, _ in _declarations(raw)}


def types(raw: dict[str, Any]) -> dict[str, set[str]]:
    """Return the types that a document declares for each field. Every pubkey is also a hex."""
    found: dict[str, set[str]] = {}
    for path, node in _declarations(raw):
        found.setdefault(path, set()).update([node["type"]] if isinstance(node.get("type"), str) else ())
    return {path: each - {"pubkey"} if "hex" in each else each for path, each in found.items()}


def deprecations(raw: dict[str, Any]) -> dict[str, str]:
    """Return the deprecation of each field that a document declares, as JSON; null if it has none."""
    found: dict[str, str] = {}
    for path, node in _declarations(raw):
        if found.get(path, "null") == "null":
            found[path] = json.dumps(node.get("deprecated"))
    return found


def _declarations(raw: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for half in ("request", "response"):
        yield from _below(raw.get(half, {}), half)


def _below(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(node, dict):
        return
    for name, inner in node.get("properties", {}).items():
        if _declares(inner):
            yield f"{path}.{name}", inner
            yield from ((f"{path}.{name}", form) for key in ("oneOf", "anyOf") for form in inner.get(key, ()))
        yield from _below(inner, f"{path}.{name}")
    if isinstance(node.get("items"), dict):
        yield f"{path}[]", node["items"]
        yield from _below(node["items"], f"{path}[]")
    for key in ("then", "else"):
        yield from _below(node.get(key), path)
    for key in ("allOf", "oneOf", "anyOf"):
        for each in node.get(key, ()):
            yield from _below(each, path)


def _declares(node: Any) -> bool:
    """Return whether a member says what the field is; conditionals repeat names, and list values for some cases."""
    return isinstance(node, dict) and bool({"type", "oneOf", "anyOf", "properties", "items", "hidden"} & {*node})


def outermost(paths: set[str], others: set[str]) -> set[str]:
    """Return the paths that the other document lacks, without those below such a path."""
    lacking = paths - others
    return {path for path in lacking if _parent(path) not in lacking}


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
