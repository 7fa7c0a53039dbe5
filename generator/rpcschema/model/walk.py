"""Ways through a document: every schema node, everything odd, in document order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rpcschema.model.build import DOCUMENT_KEYWORDS, KINDS, NODE_KEYWORDS, REQUEST_KEYWORDS, RESPONSE_KEYWORDS
from rpcschema.model.nodes import Document, Node
from rpcschema.problems import join_pointer, quoted, suggestion

# Sections of Core Lightning's documents that show messages.
_EXCHANGES: Final = frozenset({"example_notifications", "example_hooks"})
_KEYWORDS: Final = NODE_KEYWORDS | REQUEST_KEYWORDS | RESPONSE_KEYWORDS
_TOP_KEYWORDS: Final = DOCUMENT_KEYWORDS.difference(KINDS)
_EXAMPLE_KEYWORDS: Final = frozenset({"description", "request", "response"})


def nodes(root: Node) -> Iterator[Node]:
    """`root` and all nodes below it, each before what lies below it."""
    yield root
    for child in _children(root):
        yield from nodes(child)


def oddities(document: Document) -> Iterator[tuple[str, str]]:
    """(JSON pointer, message) of all that the dialect does not know: it is kept as it is, so that nothing is lost."""
    for half in (document.request, document.response):
        for node in nodes(half):
            for key, _ in node.unknown:
                yield _unknown(key, node.pointer, _KEYWORDS)
    for example in document.examples or ():
        for key, _ in example.unknown:
            yield _unknown(key, example.pointer, _EXAMPLE_KEYWORDS)
    for section in document.sections:
        if suggestion(section.name, _TOP_KEYWORDS):
            yield _unknown(section.name, "", _TOP_KEYWORDS)
        elif not isinstance(section.content, tuple) and section.name not in _EXCHANGES:
            yield join_pointer("", section.name), "not prose (a list of strings), so pages show it as JSON"


def _unknown(key: str, pointer: str, known: Iterable[str]) -> tuple[str, str]:
    return join_pointer(pointer, key), f"unknown keyword {quoted(key)}{suggestion(key, known)}"


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
