"""The outputs: one module a target, each a pure function from the model to bytes.

A target renders documents one by one (`document`), all of them at once (`collection`), or both. It does no I/O of its
own beyond reading its templates, and the same model gives the same bytes. Its module defines `TARGET`; it is imported
only when the target is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

from rpcschema.model.nodes import Document
from rpcschema.problems import Problem
from rpcschema.settings import Settings

TARGETS: Final = ("python", "client", "service", "plugin", "man", "markdown", "model")
"""The names of all targets, in the order in which they are rendered and listed."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a target made: files by path (POSIX, relative to the output folder), and what it could not express."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One kind of output.

    `document` must be a module-level function: it may run in another process. Problems name `document.file`.
    """

    name: str
    document: Callable[[Document, Settings], Rendered] | None = None
    """Renders one document, looking at nothing else."""
    collection: Callable[[Sequence[Document], Settings], Rendered] | None = None
    """Renders what needs all documents (indexes, clients); they come sorted by kind and name."""
    covers_facts: bool = True
    """Whether it makes something of documents that hold only facts; one that does not never sees them."""


def load_target(name: str) -> Target:
    """The target called `name`, one of TARGETS."""
    target = import_module(f"rpcschema.targets.{name}").TARGET
    if not isinstance(target, Target):
        raise TypeError(f"rpcschema.targets.{name}.TARGET is no Target")
    return target
