"""Traversals of a document, in document order."""

from __future__ import annotations

from collections.abc import Iterator

from rpcschema.model.nodes import SchemaNode
from rpcschema.model.resolve import Resolved, resolve


def nodes(root: SchemaNode) -> Iterator[SchemaNode]:
    """Yield `root` and all nodes below it, parents first."""
    yield root
    for child in _children(root):
        yield from nodes(child)


def objects(root: SchemaNode) -> Iterator[tuple[SchemaNode, Resolved]]:
    """Yield every object that a value of `root` can be or hold, and its resolved fields.

    The sides of a conditional are not objects of their own: they belong to the object that has the conditional.
    """
    if forms := root.shapes:
        for form in forms:
            yield from objects(form)
        return
    if root.fields or root.required or root.branches or root.any_of or root.one_of:
        resolved = resolve(root)
        yield root, resolved
        for member in (*resolved.fields, *resolved.hidden):
            for declaration in member.alternatives:
                yield from objects(declaration)
    if root.items is not None:
        yield from objects(root.items)


def parts(node: SchemaNode) -> Iterator[SchemaNode]:
    """Yield an object's schema, and all sides of its conditionals and alternatives, which declare fields of it too."""
    yield node
    for branch in node.branches:
        for side in (branch.then, branch.otherwise):
            if side is not None:
                yield from parts(side)
    for each in (*node.any_of, *node.one_of):
        yield from parts(each)


def added_with_parent(root: SchemaNode, since: str | None) -> Iterator[str]:
    """Yield the pointers of nodes that were added in the same release as their parent; `root` was added in `since`."""
    for child in _children(root):
        if child.added is not None and child.added == since:
            yield child.pointer
        yield from added_with_parent(child, child.added or since)


def _children(node: SchemaNode) -> Iterator[SchemaNode]:
    for field in node.fields or ():
        yield field.node
    if node.items is not None:
        yield node.items
    for branch in node.branches:
        yield branch.when
        yield from (side for side in (branch.then, branch.otherwise) if side is not None)
    yield from node.any_of
    yield from node.one_of
