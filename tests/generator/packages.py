"""Documents made for a test, and packages generated of documents and imported."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from rpcschema import runtime
from rpcschema.model.nodes import Document
from rpcschema.read.load import load
from rpcschema.settings import Settings
from tests.generator.rendering import render_all

RUNTIME: Final = Path(runtime.__file__).parent


def command(name: str = "pay-now", **halves: Any) -> dict[str, Any]:
    empty = {"properties": {}}
    return {"$schema": "x", "type": "object", "rpc": name, "title": "Pay", "description": ["Pays."]} | {
        half: halves.get(half, empty) for half in ("request", "response")
    }


def event(kind: str, name: str, **halves: Any) -> dict[str, Any]:
    raw = command(**halves)
    del raw["rpc"]
    return raw | {kind: name}


def documents(folder: Path, *raws: dict[str, Any]) -> tuple[Document, ...]:
    for number, raw in enumerate(raws):
        (folder / f"{number}.json").write_text(json.dumps(raw))
    loaded = load([folder])
    assert not [problem for problem in loaded.problems if problem.level == "error"], loaded.problems
    return loaded.documents


def write(found: Sequence[Document], settings: Settings, out: Path) -> None:
    """Write what the targets make of the documents, which must be free of errors."""
    for target in settings.targets:
        files, problems = render_all(target, found, settings)
        assert not [problem for problem in problems if problem.level == "error"], problems
        for path, content in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(content)


def imported(name: str) -> ModuleType:
    importlib.invalidate_caches()
    return importlib.import_module(name)


def forget(packages: Iterable[str]) -> None:
    for name in [module for module in sys.modules if module.partition(".")[0] in packages]:
        del sys.modules[name]
