"""The outputs: one module a target, each two pure functions.

`document` makes what one document gives: files of its own, its parts of the files that all documents share (a method of
a client, say), and a summary in JSON. `collection` makes the rest from the summaries of all documents, never from the
documents: so a document that did not change need not be read again, and documents can be rendered in parallel.

A target does no I/O of its own beyond reading its templates, and the same model gives the same bytes. Its module
defines `TARGET`; it is imported only when the target is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rpcschema.problems import Problem
from rpcschema.settings import Settings

if TYPE_CHECKING:
    from rpcschema.model.nodes import DocumentKind
    from rpcschema.targets.subject import Subject

TARGETS: Final = ("python", "client", "service", "plugin", "man", "markdown", "model")
"""The names of all targets, in the order in which they are rendered and listed."""

FULL_DOCUMENTS_ONLY: Final = frozenset({"man", "markdown", "model"})
"""The targets that make nothing of documents that hold only facts: these are not ours to explain."""

PARTS: Final = "# parts"
"""What a template prints, alone on a line, where the documents' parts go."""

Files: TypeAlias = Mapping[str, bytes]
"""Contents by path: POSIX, relative to the output folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a target made of one document."""

    files: Files = field(default_factory=dict)
    """The document's own files."""
    parts: Files = field(default_factory=dict)
    """The document's parts of files that it shares with others, by the path of the file."""
    summary: Mapping[str, Any] = field(default_factory=dict)
    """What `collection` must know, as JSON has it: names, titles, what to import."""
    problems: tuple[Problem, ...] = ()
    """What could not be expressed."""


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What `collection` sees of a document: who it is, and the summary that `document` made of it."""

    file: str
    kind: DocumentKind
    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the documents' parts in a file that they share."""

    head: bytes
    tail: bytes

    @classmethod
    def split(cls, source: str) -> Frame:
        """The frame that a template printed, which holds a line PARTS."""
        head, _, tail = source.partition(f"{PARTS}\n")
        return cls(head.encode(), tail.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a target made beside the documents' own files."""

    files: Files = field(default_factory=dict)
    frames: Mapping[str, Frame] = field(default_factory=dict)
    """The frames of shared files, by path; the parts stand in them in the order of the documents."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One kind of output. Documents and summaries come sorted by kind and name; problems name `document.file`.

    Both functions must be found under their names in their modules: they may run in another process.
    """

    name: str
    document: Callable[[Subject], Made]
    """Renders one document, looking at nothing else."""
    collection: Callable[[Sequence[DocumentSummary], Settings], Collected] | None = None
    """Renders what is about all documents (indexes, frames of clients)."""


def load_target(name: str) -> Target:
    """The target called `name`, one of TARGETS."""
    target = import_module(f"rpcschema.targets.{name}").TARGET
    if not isinstance(target, Target):
        raise TypeError(f"rpcschema.targets.{name}.TARGET is no Target")
    return target
