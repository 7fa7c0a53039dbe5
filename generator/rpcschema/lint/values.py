"""Checks of types, enums, defaults and positions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Final

from rpcschema.lint.around import Around, halves
from rpcschema.lint.received import is_accepted
from rpcschema.lint.rules import Broken
from rpcschema.model.nodes import ABSENT, Document, SchemaNode
from rpcschema.model.validation import TYPES
from rpcschema.model.walk import nodes, objects
from rpcschema.problems import join_pointer, quoted
from rpcschema.python.types import default_value

_AMOUNTS: Final = frozenset({"msat", "msat_or_all", "msat_or_any"})
_TEXT: Final = frozenset({"string", "json_scalar", "currency", "hex", "hexstr"})
"""Types of which a text can be a value, so that it is not known to be prose."""


def types(document: Document, _: Around) -> Iterator[Broken]:
    """Yield fields without a type, and with one that does not suit their name."""
    for _node, found in chain.from_iterable(objects(half) for half in halves(document)):
        for member in found.fields:  # nobody is promised anything of what is hidden
            if not any(_has_type(node) for node in member.alternatives):
                yield Broken("missing-type", member.alternatives[0].pointer, f"{quoted(member.name)} has no type")
            for node in member.alternatives:
                given = {form.type for form in node.forms if form.type is not None}
                if member.name.endswith("_msat") and given and not given & _AMOUNTS:
                    message = f"{quoted(member.name)} is {' or '.join(sorted(given))}, not msat"
                    yield Broken("amount-type", join_pointer(node.pointer, "type"), message)
    for half in halves(document):
        for node in nodes(half):
            if node.type == "array" and node.items is None and not node.is_marker:
                yield Broken("missing-items", node.pointer, "an array without `items`")


def _has_type(node: SchemaNode) -> bool:
    return bool(node.type or node.untyped or node.shapes or node.fields or node.items or node.enum)


def enums(document: Document, _: Around) -> Iterator[Broken]:
    """Yield members that are no values of the type, and those that are listed twice."""
    for half in halves(document):
        for node in nodes(half):
            pointer = join_pointer(node.pointer, "enum")
            members = [json.dumps(member) for member in node.enum or ()]
            if repeated := [member for member, count in Counter(members).items() if count > 1]:
                yield Broken("enum-repeated", pointer, f"{repeated[0]} is listed twice")
            accepts = TYPES.get(node.type or "", lambda _: True)
            if wrong := [json.dumps(member) for member in node.enum or () if not accepts(member)]:
                yield Broken("enum-type", pointer, f"{wrong[0]} is no {node.type}")


def defaults(document: Document, _: Around) -> Iterator[Broken]:
    """Yield defaults that are no values of their type, and those that are never used."""
    for half in halves(document):
        for holder in nodes(half):
            for member in holder.fields or ():
                node = member.node
                if node.default is ABSENT:
                    continue
                pointer = join_pointer(node.pointer, "default")
                if not isinstance(node.default, str):
                    if not is_accepted(node, node.default):
                        message = f"{json.dumps(node.default)} is no {node.type or 'value of the type'}"
                        yield Broken("default-type", pointer, message)
                elif not document.is_facts and _is_prose(node):
                    message = f"{quoted(node.default)} is no {node.type}, so it is only text"
                    yield Broken("default-in-prose", pointer, message)
                if member.name in (holder.required or ()):
                    yield Broken("default-required", pointer, f"{quoted(member.name)} is required")


def _is_prose(node: SchemaNode) -> bool:
    """Return whether a default that is text is no value of the node's type."""
    if node.type is None or (node.type in _TEXT and node.enum is None):
        return False
    if default_value(node) is not None:
        return False
    bare = str(node.default).strip().strip("*`'\"")
    return not is_accepted(node, bare)


CHECKS: Final = (types, enums, defaults)
