"""Targets of other packages: entry points of the group `rpcschema.targets`.

An entry point has the target's name and leads to a function, which gets the documents and the settings and returns
files. The function is imported only when it has to run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rpcschema.problems import RenderError, suggestion
from rpcschema.settings import Settings, SettingsError
from rpcschema.targets import TARGETS, Files

if TYPE_CHECKING:
    from rpcschema.model.nodes import Document

GROUP: Final = "rpcschema.targets"
Render: TypeAlias = "Callable[[Sequence[Document], Settings], Files]"
"""The function of a target: from all documents, sorted by kind and name, to files by POSIX path in the output folder.

The documents include those of facts, which lack prose (`Document.is_facts`). The same input must give the same bytes.
"""


def find(name: str) -> EntryPoint:
    """Return the entry point of the target `name`. Raises SettingsError unless exactly one package has it."""
    found = _installed().get(name, ())
    if not found:
        names = [*TARGETS, *sorted(_installed())]
        raise SettingsError(f"there is no target {name!r}{suggestion(name, names)}; there are {', '.join(names)}")
    if len(found) > 1:
        packages = " and ".join(sorted(_distribution(each) for each in found))
        raise SettingsError(f"{packages} both have a target {name!r}; uninstall one of them")
    return found[0]


def fingerprint(name: str) -> str:
    """Return a text that changes with the target: the release of its package, and the files of its top-level module."""
    entry = find(name)
    content = hashlib.sha256()
    for path, file in sorted(_sources(entry)):
        content.update(f"{path} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return f"{_distribution(entry)} {entry.value} {content.hexdigest()}"


def render(name: str, documents: Sequence[Document], settings: Settings) -> Files:
    """Return what the target makes of the documents.

    Raises RenderError if it cannot be loaded, fails, or returns anything but a mapping of texts to bytes.
    """
    entry = find(name)
    try:
        function: Render = entry.load()
    except Exception as error:  # the author's code may raise anything
        raise RenderError(f"{entry.value} cannot be loaded: {_described(error)}") from error
    try:
        files: Any = function(documents, settings)
    except Exception as error:  # the same
        raise RenderError(_described(error)) from error
    if not isinstance(files, Mapping):
        raise RenderError(f"it returned {type(files).__name__}; expected a mapping of paths to bytes")
    for path, content in files.items():
        if not isinstance(path, str) or not isinstance(content, bytes):
            raise RenderError(f"it returned {type(content).__name__} for {path!r}; expected bytes for a path")
    return dict(files)


@cache
def _installed() -> Mapping[str, tuple[EntryPoint, ...]]:
    """Return the entry points by name. One distribution may be found in two places; its entry points count once."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for each in entry_points(group=GROUP):
        found.setdefault(each.name, {}).setdefault(f"{_distribution(each)} {each.value}", each)
    return {name: tuple(entries.values()) for name, entries in found.items()}


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value


def _sources(entry: EntryPoint) -> Iterator[tuple[str, Path]]:
    """Yield the files of the top-level package or module that an entry point leads to."""
    spec = find_spec(entry.module.partition(".")[0])
    if spec is None:
        return
    for place in spec.submodule_search_locations or ():
        for file in Path(place).rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                yield file.relative_to(place).as_posix(), file
    if not spec.submodule_search_locations and spec.origin is not None:
        yield Path(spec.origin).name, Path(spec.origin)


def _described(error: Exception) -> str:
    """Return an error in one line, with the line of code that raised it."""
    frames = extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
