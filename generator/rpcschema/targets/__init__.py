"""The outputs: one module per target, each with two pure functions.

`document` renders one document: its own files, its parts of shared files (such as a method of a client), and a summary
in JSON. `collection` renders the rest from the summaries of all documents, never from the documents
themselves. So an unchanged document is not read again, and documents can be rendered in parallel.

A target does no I/O except to read its templates, and the same model always gives the same bytes. Its module defines
`TARGET` and is imported only when the target is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rpcschema.problems import Problem
from rpcschema.settings import Settings

if TYPE_CHECKING:
    from rpcschema.model.nodes import DocumentKind
    from rpcschema.targets.subject import Subject

USUAL_TARGETS: Final = ("python", "client", "errors", "service", "plugin", "man", "markdown", "model")
"""The targets of a run that names none."""

EXPORTS: Final = ("jsonschema", "openrpc", "openapi")
"""The targets for tools in other languages, which a run makes only if it names them."""

TARGETS: Final = (*USUAL_TARGETS, *EXPORTS)
"""The names of all targets, in the order in which they are rendered and listed."""

FULL_DOCUMENTS_ONLY: Final = frozenset({"man", "markdown", "model"})
"""The targets that skip documents of facts: these lack the prose that a page needs."""

PAYING_COMMANDS: Final = frozenset({"decode", "listpays", "xpay"})
"""The commands of `runtime.client.paying`, which is shipped only with packages that have them."""

PARTS: Final = "# parts"
"""The line in a template that the documents' parts replace."""

Files: TypeAlias = Mapping[str, bytes]
"""File contents by POSIX path, relative to the output folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The output of a target for one document."""

    files: Files = field(default_factory=dict)
    """The document's own files."""
    parts: Files = field(default_factory=dict)
    """The document's parts of shared files, by path."""
    summary: Mapping[str, Any] = field(default_factory=dict)
    """JSON values for `collection`: names, titles, imports."""
    problems: tuple[Problem, ...] = ()
    """Errors and warnings about the document."""


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """The input of `collection` for one document: its identity, and the summary that `document` returned."""

    file: str
    kind: DocumentKind
    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """The content of a shared file around the documents' parts."""

    head: bytes
    tail: bytes
    between: bytes = b""
    """What separates two parts."""

    def around(self, parts: Iterable[bytes]) -> bytes:
        """Return the whole file."""
        return self.head + self.between.join(parts) + self.tail

    @classmethod
    def split(cls, source: bytes) -> Frame:
        """Split a rendered template at its line PARTS."""
        head, _, tail = source.partition(f"{PARTS}\n".encode())
        return cls(head, tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The output of a target for all documents together."""

    files: Files = field(default_factory=dict)
    frames: Mapping[str, Frame] = field(default_factory=dict)
    """The frames of shared files, by path; the parts between head and tail have the order of the documents."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One kind of output. Documents and summaries are sorted by kind and name; problems refer to `document.file`.

    Both functions must be attributes of their modules, because they may be pickled to run in another process.
    """

    name: str
    document: Callable[[Subject], Made]
    """Renders one document, independently of all others."""
    collection: Callable[[Sequence[DocumentSummary], Settings], Collected] | None = None
    """Renders the files that depend on all documents (indexes, frames of clients)."""


def pays_invoices(summaries: Sequence[DocumentSummary]) -> bool:
    """Return whether the clients have `pay_once`, which calls the commands PAYING_COMMANDS."""
    return {each.name for each in summaries if each.kind == "rpc"} >= PAYING_COMMANDS


def has_error_page(settings: Settings) -> bool:
    """Return whether the target `errors` writes its page."""
    return "errors" in settings.targets and settings.errors.name != ""


def load_target(name: str) -> Target:
    """Return the target called `name`, one of TARGETS."""
    target = import_module(f"rpcschema.targets.{name}").TARGET
    if not isinstance(target, Target):
        raise TypeError(f"rpcschema.targets.{name}.TARGET is not a Target")
    return target
