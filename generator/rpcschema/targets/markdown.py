"""Target `markdown`: a reference page for each document, and an index, from `templates/markdown/`.

Pages of commands are in docs/; those of notifications and hooks, which can have the name of a command, in subfolders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rpcschema.model.nodes import KIND_FOLDERS, DocumentKind
from rpcschema.settings import Settings
from rpcschema.targets import Collected, DocumentSummary, Made, Target, has_error_page
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject
from rpcschema.text import commonmark
from rpcschema.text.page import print_page

_TITLES: Final[dict[DocumentKind, str]] = {"rpc": "Commands", "notification": "Notifications", "hook": "Hooks"}


@dataclass(frozen=True, slots=True)
class _IndexRow:
    """One line of the index."""

    name: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class _IndexTable:
    """One table of the index."""

    title: str
    rows: tuple[_IndexRow, ...]


def _document(subject: Subject) -> Made:
    document = subject.document
    title = commonmark.text(document.title)
    page = (
        environment("markdown", subject.settings.templates)
        .get_template("page.md.jinja")
        .render(name=commonmark.text(document.name), title=title, sections=print_page(subject.outline, commonmark))
    )
    path = f"{KIND_FOLDERS[document.kind]}{document.name}.md"
    return Made(files={f"docs/{path}": page.encode()}, summary={"path": path, "title": title})


def _collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    tables = [
        _IndexTable(title, tuple(_row(summary) for summary in summaries if summary.kind == kind))
        for kind, title in _TITLES.items()
    ]
    index = (
        environment("markdown", settings.templates)
        .get_template("index.md.jinja")
        .render(tables=[table for table in tables if table.rows], has_errors=has_error_page(settings))
    )
    return Collected(files={"docs/index.md": index.encode()})


def _row(summary: DocumentSummary) -> _IndexRow:
    # An id has no characters that need an escape in a link.
    return _IndexRow(commonmark.text(summary.name), summary.values["path"], summary.values["title"])


TARGET: Final = Target(name="markdown", document=_document, collection=_collection)
