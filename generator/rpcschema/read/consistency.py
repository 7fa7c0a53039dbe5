"""Find what is inconsistent in a document though the dialect allows it; an error if it cannot be what its author meant.

In a document of facts, names are not checked: whoever has only the facts cannot fix them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from rpcschema.model.build import DOCUMENT_KEYWORDS, KINDS, NODE_KEYWORDS, REQUEST_KEYWORDS, RESPONSE_KEYWORDS
from rpcschema.model.nodes import Document, SchemaNode
from rpcschema.model.resolve import resolve
from rpcschema.model.walk import nodes, objects
from rpcschema.problems import MOST, Fault, Level, join_pointer, quoted, suggestion

# Sections of Core Lightning's documents that show messages.
_EXCHANGES: Final = frozenset({"example_notifications", "example_hooks"})
_KEYWORDS: Final = NODE_KEYWORDS | REQUEST_KEYWORDS | RESPONSE_KEYWORDS
_TOP_KEYWORDS: Final = DOCUMENT_KEYWORDS.difference(KINDS)
_EXAMPLE_KEYWORDS: Final = frozenset({"description", "request", "response"})


def inconsistencies(document: Document) -> Iterator[Fault]:
    """Yield everything that is inconsistent in `document`, one sort after the other, each in document order."""
    yield from unknown_keywords(document)
    yield from required_extensions(document)
    if not document.is_facts:
        yield from undeclared(document)
        yield from _phantoms(document)
        yield from unbound(document)
        yield from late_parameters(document)


def unknown_keywords(document: Document) -> Iterator[Fault]:
    """Yield a warning for each keyword that the dialect does not have; the model keeps it, so nothing is lost."""
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
            message = "not prose (a list of strings), so pages show it as JSON"
            yield Fault(join_pointer("", section.name), message, level=Level.WARNING)


def _unknown(key: str, pointer: str, known: Iterable[str]) -> Fault:
    detail = f"{quoted(key)}{suggestion(key, known)}"
    return Fault(join_pointer(pointer, key), "unknown keyword", detail, Level.WARNING)


def required_extensions(document: Document) -> Iterator[Fault]:
    """Yield required extensions: callers and nodes that know only Core Lightning would always break that rule."""
    for half in (document.request, document.response):
        for node in nodes(half):
            ours = [field.name for field in node.fields or () if field.node.extension]
            if required := [name for name in ours if name in (node.required or ())]:
                message = "an extension cannot be required, because Core Lightning does not have it"
                yield Fault(join_pointer(node.pointer, "required"), message, _listed(required))


def undeclared(document: Document) -> Iterator[Fault]:
    """Yield names that an object requires and, including all its conditionals, never declares."""
    level = Level.WARNING if document.is_upstream else Level.ERROR
    for node, found in chain(objects(document.request), objects(document.response)):
        mentioned = {*found.phantoms, *(member.name for member in (*found.fields, *found.hidden))}
        if lacking := [name for name in dict.fromkeys(_required(node)) if name not in mentioned]:
            yield Fault(node.pointer, "required, but not among the properties", _listed(lacking), level)


def _phantoms(document: Document) -> Iterator[Fault]:
    """Yield names that an object only allows and, including all its conditionals, never declares."""
    for node, found in chain(objects(document.request), objects(document.response)):
        if found.phantoms:
            message = "named with an empty schema here, and declared nowhere, so left out"
            yield Fault(node.pointer, message, _listed(found.phantoms), Level.WARNING)


def _required(node: SchemaNode) -> Iterator[str]:
    """Yield the names that `node` requires, always or under some condition."""
    yield from node.required or ()
    sides = (side for branch in node.branches for side in (branch.then, branch.otherwise) if side is not None)
    for part in (*sides, *node.any_of, *node.one_of):
        yield from _required(part)


def unbound(document: Document) -> Iterator[Fault]:
    """Yield names in the rules of the request that are not parameters: no call can obey these rules."""
    request = document.request
    dependent = ((name, *dependents) for name, dependents in request.dependent_upon or ())
    bound = [*chain.from_iterable((*(request.one_of_many or ()), *(request.paired_with or ()), *dependent))]
    if not bound:
        return
    found = resolve(request)
    known = {member.name for member in (*found.fields, *found.hidden)}
    if lacking := [name for name in dict.fromkeys(bound) if name not in known]:
        yield Fault(request.pointer, "in a rule of the request, but not a parameter", _listed(lacking), Level.WARNING)


def late_parameters(document: Document) -> Iterator[Fault]:
    """Yield required parameters that follow optional ones: callers by position must pass `null` for those."""
    if document.kind != "rpc":
        return
    required = document.request.required or ()
    names = [field.name for field in document.request.fields or () if not field.node.extension]
    optional = next((name for name in names if name not in required), None)
    late = [name for name in names[names.index(optional) :] if name in required] if optional is not None else []
    if late:
        message = f"required parameters stand after the optional {quoted(optional or '')}; put them before it"
        yield Fault(document.request.pointer, message, _listed(late), Level.WARNING)


def _listed(names: Iterable[str]) -> str:
    return ", ".join([quoted(name) for name in names][:MOST])
