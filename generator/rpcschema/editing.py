"""JSON Schemas for editors: of a document, and of pyproject.toml with the table `[tool.rpcschema]`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from rpcschema.lint.levels import OPTIONS
from rpcschema.lint.rules import LEVELS, RULES
from rpcschema.settings import RUNTIMES, ProjectTable
from rpcschema.targets import TARGETS

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_ABOUT: Final = {
    "schemas": "The documents, or folders to search for *.json.",
    "out": 'The output folder; "generated" without it.',
    "package": "The import name of the generated package.",
    "runtime": "Whose runtime the package uses: its own copy, or that of the installed clnrpc.",
    "targets": "The outputs to make; without it, all but the exports.",
    "release": "The release of Core Lightning that the documents describe, such as v26.09.",
    "facts": "The folder of facts, which rpcschema sync updates.",
    "corrections": "The table of where nodes contradict the documents.",
    "read_only": "The table of the commands that change nothing.",
    "errors": "The table of the names and meanings of error codes.",
    "lint": "The levels of the rules of rpcschema lint.",
    "templates": "The folder of your own templates, which replace those of the same names.",
}
"""What each key of the table means."""


def document_schema() -> dict[str, Any]:
    """Return the schema of a document: the dialect, and that a document is of one kind."""
    dialect: dict[str, Any] = json.loads(files("rpcschema.read").joinpath("dialect.json").read_text(encoding="utf-8"))
    kinds = [{"required": [kind]} for kind in ("rpc", "notification", "hook")]
    return {**dialect, "oneOf": kinds}


def settings_schema() -> dict[str, Any]:
    """Return the schema of pyproject.toml, which says something about `[tool.rpcschema]` only."""
    hints = get_type_hints(ProjectTable)
    table = {
        "type": "object",
        "description": "Settings of rpcschema. Paths are relative to this file.",
        "additionalProperties": False,
        "properties": {
            field.name: {"description": _ABOUT.get(field.name, ""), **_value(field.name, hints[field.name])}
            for field in fields(ProjectTable)
        },
    }
    return {
        "$schema": _DRAFT,
        "title": "pyproject.toml with [tool.rpcschema]",
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"rpcschema": table}}},
    }


def _value(name: str, hint: Any) -> dict[str, Any]:
    """Return the schema of a key's value, which follows from the type of its attribute."""
    if name == "lint":
        return _lint()
    if name == "targets":  # other packages can add some
        return {"type": "array", "items": {"anyOf": [{"enum": [*TARGETS]}, {"type": "string"}]}}
    if name == "runtime":
        return {"enum": [*RUNTIMES]}
    if name == "release":
        return {"type": "string", "pattern": r"^v[0-9]+\.[0-9]+$"}
    kinds = {hint, *get_args(hint)}
    if kinds & {tuple[Path, ...], tuple[str, ...]}:
        return {"type": "array", "items": {"type": "string"}}
    if kinds & {Path, str}:
        return {"type": "string", "minLength": 1}
    return {"type": "object"} if any(getattr(kind, "__origin__", None) is Mapping for kind in kinds) else {}


def _lint() -> dict[str, Any]:
    rules = {
        rule.name: {
            "description": f"{rule.about} (own documents: {rule.own}; Core Lightning's: {rule.upstream})",
            "enum": [*LEVELS],
        }
        for rule in RULES.values()
    }
    options = {name: {"enum": [*values]} for name, values in OPTIONS.items()}
    return {"type": "object", "additionalProperties": False, "properties": {**options, **rules}}
