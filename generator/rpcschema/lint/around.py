"""What a document is compared with: the other documents, releases, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rpcschema.diff.fields import Field, flattened
from rpcschema.errorcodes import NO_CODES, ErrorTable
from rpcschema.model.nodes import Deprecated, Document, DocumentKind, SchemaNode
from rpcschema.model.releases import newest, order
from rpcschema.model.walk import nodes
from rpcschema.read import packed
from rpcschema.read.corrections import NONE, Corrections
from rpcschema.read.packed import shipped

is_release: Final = re.compile(r"(?:pre-)?v?\d+(?:\.\d+)*(?:rc\d+)?").fullmatch


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier release, flattened."""

    release: str | None
    fields: Mapping[tuple[DocumentKind, str], Mapping[str, Field]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What every check can look at."""

    commands: frozenset[str]
    """The names of all commands that the documents describe."""
    known: frozenset[str]
    """Those, and the commands of the newest release of Core Lightning that is shipped."""
    newest: str | None
    """The newest release that a document mentions, or the one that was named."""
    expired: frozenset[str]
    """Names of fields and commands of which every declaration is deprecated, beyond its last supported release."""
    errors: ErrorTable = NO_CODES
    corrections: Corrections = NONE
    earlier: Earlier | None = None


def earlier(documents: Iterable[Document]) -> Earlier:
    """Return the documents of an earlier release."""
    given = tuple(documents)
    return Earlier(newest(given), {(each.kind, each.name): flattened(each) for each in given})


def around(
    documents: Iterable[Document],
    *,
    release: str | None = None,
    errors: ErrorTable = NO_CODES,
    corrections: Corrections = NONE,
    earlier: Earlier | None = None,
) -> Around:
    """Return what is around each of `documents`."""
    given = tuple(documents)
    latest = release or newest(given)
    commands = frozenset(each.name for each in given if each.kind == "rpc")
    return Around(
        commands=commands,
        known=commands | _shipped_commands(),
        newest=latest,
        expired=_expired(given, latest),
        errors=errors,
        corrections=corrections,
        earlier=earlier,
    )


def is_expired(deprecated: Deprecated | None, newest: str | None) -> bool:
    """Return whether the last release that was to support it is older than the newest one."""
    if not isinstance(deprecated, tuple) or len(deprecated) < 2 or newest is None:
        return False
    return bool(is_release(deprecated[1])) and order(deprecated[1]) < order(newest)


def _shipped_commands() -> frozenset[str]:
    releases = [*shipped().values()]
    return frozenset(raw["rpc"] for release in releases[-1:] for raw in packed.documents(release) if "rpc" in raw)


def _expired(documents: Iterable[Document], latest: str | None) -> frozenset[str]:
    gone: set[str] = set()
    alive: set[str] = set()
    for document in documents:
        (gone if is_expired(document.deprecated, latest) else alive).add(document.name)
        for half in (document.request, document.response):
            for node in nodes(half):
                for member in node.fields or ():
                    if not member.node.is_constraint:
                        (gone if is_expired(member.node.deprecated, latest) else alive).add(member.name)
    return frozenset(gone - alive)


def halves(document: Document) -> Iterator[SchemaNode]:
    """Yield the request and the response."""
    yield document.request
    yield document.response
