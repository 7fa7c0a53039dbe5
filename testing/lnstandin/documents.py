"""Documents as a node follows them: with the folder's corrections, and as another release by `added` and `deprecated`.

A command, parameter or field does not exist before the release that added it, nor after the last that supports it.
What was removed before the documents were written is unknown, so its own documents imitate an old release best.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from lnoffers.service.errors import ServiceError
from rpcschema.model.nodes import Branch, Deprecated, Document, Property, SchemaNode
from rpcschema.model.releases import newest, order
from rpcschema.read.corrections import NONE, Corrections, read_corrections

Node = TypeVar("Node", bound=SchemaNode)

OLDEST: Final = "v0.10"
"""What getinfo says if the documents mention no release."""
_CORRECTIONS: Final = "corrections.toml"
"""A folder may hold a table of corrections of this name; they are applied."""


class DocumentsError(ServiceError):
    """There are no documents in the folder, some have errors, or the release cannot be imitated."""


def corrections_in(folder: Path) -> Corrections:
    """Return the table of corrections in a folder; NONE without one."""
    table = folder / _CORRECTIONS
    return read_corrections(table) if table.is_file() else NONE


def with_enforced_rules(document: Document, corrections: Corrections) -> Document:
    """Return a document without the rules about several parameters that nodes do not enforce.

    Only a table of corrections comes with documents that list the enforced rules. Without one, all rules are kept.
    """
    if corrections is NONE:
        return document
    request, enforced = document.request, document.request.enforced or ()
    rules = replace(
        request,
        one_of_many=request.one_of_many if "oneOfMany" in enforced else None,
        paired_with=request.paired_with if "pairedWith" in enforced else None,
        dependent_upon=request.dependent_upon if "dependentUpon" in enforced else None,
    )
    return replace(document, request=rules)


def described(documents: Iterable[Document]) -> str:
    """Return the release that documents describe: the newest that they mention as the one that added something."""
    return newest(documents) or OLDEST


def is_gone(document: Document, release: str | None) -> bool:
    """Return whether a release lacks the command, notification or hook; None stands for the documents' own release."""
    return release is not None and not _exists(document.added, document.deprecated, release)


def as_of(document: Document, release: str | None) -> Document:
    """Return a document without extensions, and without what a release lacks."""
    return replace(
        document,
        request=_without(document.request.without_extensions(), release),
        response=_without(document.response, release),
    )


def _exists(added: str | None, deprecated: Deprecated | None, release: str) -> bool:
    if added is not None and order(added) > order(release):
        return False
    last = deprecated[1] if isinstance(deprecated, tuple) and len(deprecated) > 1 else None
    return last is None or order(release) <= order(last)


def _without(node: Node, release: str | None) -> Node:
    """Return an object's schema without the fields that a release lacks, in all sides of its conditionals."""
    return _pruned(node, frozenset(_missing(node, release)), release)


def _missing(node: SchemaNode, release: str | None) -> Iterator[str]:
    """Yield the names of the fields that an object lacks, whichever side of a conditional declares them."""
    for field in node.fields or ():
        is_too_new = release is not None and not _exists(field.node.added, field.node.deprecated, release)
        if field.node.extension or is_too_new:
            yield field.name
    for side in _sides(node):
        yield from _missing(side, release)


def _sides(node: SchemaNode) -> Iterator[SchemaNode]:
    for branch in node.branches:
        yield from (side for side in (branch.then, branch.otherwise) if side is not None)
    yield from (*node.any_of, *node.one_of)


def _pruned(node: Node, names: frozenset[str], release: str | None) -> Node:
    fields = node.fields and tuple(
        Property(field.name, _without(field.node, release)) for field in node.fields if field.name not in names
    )
    return replace(
        node,
        fields=fields,
        required=node.required and tuple(name for name in node.required if name not in names),
        items=node.items and _without(node.items, release),
        branches=tuple(_pruned_branch(branch, names, release) for branch in node.branches),
        any_of=tuple(_pruned(each, names, release) for each in node.any_of),
        one_of=tuple(_pruned(each, names, release) for each in node.one_of),
    )


def _pruned_branch(branch: Branch, names: frozenset[str], release: str | None) -> Branch:
    return replace(
        branch,
        then=branch.then and _pruned(branch.then, names, release),
        otherwise=branch.otherwise and _pruned(branch.otherwise, names, release),
    )
