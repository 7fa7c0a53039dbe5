"""Ways through a document, in document order."""

from __future__ import annotations

from collections.abc import Iterator

from rpcschema.model.nodes import Node
from rpcschema.model.resolve import resolve


def nodes(root: Node) -> Iterator[Node]:
    """`root` and all nodes below it, each before what lies below it."""
    yield root
    for child in _children(root):
        yield from nodes(child)


def values(root: Node) -> Iterator[Node]:
    """What declares a value: `root`, then its members, elements and forms, all the way down.

    The sides of a conditional are no values of their own: they add to the object that has the conditional.
    """
    yield root
    if forms := root.shapes:
        for form in forms:
            yield from values(form)
        return
    shape = resolve(root)
    for member in (*shape.fields, *shape.hidden):
        for declaration in member.alternatives:
            yield from values(declaration)
    if root.items is not None:
        yield from values(root.items)


def _children(node: Node) -> Iterator[Node]:
    for field in node.fields or ():
        yield field.node
    if node.items is not None:
        yield node.items
    for branch in node.branches:
        yield branch.when
        yield from (side for side in (branch.then, branch.otherwise) if side is not None)
    yield from node.any_of
    yield from node.one_of
