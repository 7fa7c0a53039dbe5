"""The corrections of the project's documents, applied by an understanding of them that shares nothing with the
generator's: what nodes do, as raw documents.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

from tests.audit import documents
from tests.audit.documents import SUFFIXES, Package, described_once
from tests.shared import ROOT

_ABOUT: Final = frozenset({*SUFFIXES, "reason", "seen"})
"""What says of which document an entry is, and why."""


def read() -> list[dict[str, Any]]:
    """Return the entries of the table."""
    text = (ROOT / "schemas" / "corrections.toml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(text)["correction"]
    return entries


def shipped() -> Package:
    """Return the package that the project ships, and its documents as they are."""
    return Package("clnrpc", ROOT / "generated", described_once(documents.read(ROOT / "schemas")))


def corrected(package: Package, entries: Sequence[Mapping[str, Any]]) -> Package:
    """Return `package` with its documents corrected to what nodes do."""
    made = {(document.kind, document.name): deepcopy(dict(document.raw)) for document in package.documents}
    for entry in entries:
        _apply(entry, made[_subject(entry)])
    found = (replace(document, raw=made[document.kind, document.name]) for document in package.documents)
    return replace(package, documents=tuple(found))


def described(entry: Mapping[str, Any]) -> str:
    """Return an entry in one line."""
    kind, name = _subject(entry)
    edits = ", ".join(key for key in entry if key not in _ABOUT)
    return f"{name if kind == 'rpc' else f'{kind} {name}'}: {edits}: {entry['reason']}"


def _subject(entry: Mapping[str, Any]) -> tuple[str, str]:
    return next((kind, entry[kind]) for kind in SUFFIXES if kind in entry)


def _apply(entry: Mapping[str, Any], raw: dict[str, Any]) -> None:
    request = raw["request"]
    renamed = entry.get("rename", {})
    properties = {renamed.get(name, name): node for name, node in request.get("properties", {}).items()}
    required = {renamed.get(name, name) for name in request.get("required", ())}
    gone, optional = {*entry.get("drop", ())}, {*entry.get("drop", ()), *entry.get("optional", ())}
    request["required"] = [*required - optional, *entry.get("required", ())]
    request["properties"] = {name: node for name, node in properties.items() if name not in gone}
    for path, node in entry.get("add", {}).items():
        _declare(raw, path.split("."), node)
    if order := entry.get("order"):
        positions = {name: position for position, name in enumerate(order)}
        properties = request["properties"].items()  # extensions, which have no position, come last
        request["properties"] = dict(sorted(properties, key=lambda pair: positions.get(pair[0], len(order))))
    enforced = entry.get("enforced", {})
    request |= enforced | {"enforced": [*request.get("enforced", ()), *enforced]}


def _declare(raw: dict[str, Any], path: list[str], node: Any) -> None:
    half, *steps = path
    holder = raw[half]
    for step in steps[:-1]:
        holder = holder["properties"][step]
    holder.setdefault("properties", {})[steps[-1]] = node
