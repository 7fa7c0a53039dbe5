"""Objects that are one of several things, and say which: `decode` returns an offer, an invoice or a rune.

One field, the discriminator, is a required enum of strings, and every conditional of the object tests it. Its value
decides some of the conditionals; what is left describes one of the things.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rpcschema.model.conditions import asks_nothing
from rpcschema.model.dump import dump_node
from rpcschema.model.nodes import Branch, SchemaNode
from rpcschema.model.resolve import ResolvedField, resolve

_DOCS: Final = frozenset({"description", "service_notes", "comment", "added", "deprecated"})


@dataclass(frozen=True, slots=True)
class Cases:
    """The things that an object can be."""

    discriminator: str
    """The field whose value decides which of them it is."""
    nodes: tuple[tuple[str, SchemaNode], ...]
    """Pairs: a value of the discriminator, and what the object holds then."""
    base: SchemaNode
    """What the object always holds."""


def cases(node: SchemaNode) -> Cases | None:
    """Return the things that the object `node` can be, or None if it is one thing.

    It counts as several things if no two of them have the same fields, and if they have fewer fields in common than
    apart. So an invoice that is paid or not, or a channel in one of its states, stays one thing with optional fields:
    its value is a state, another release may add states, and the important fields are in all of them.
    """
    for field in node.fields or ():
        values = _strings(field.node)
        if field.name in (node.required or ()) and len(values) > 1 and _decides(node, field.name):
            base = replace(node, branches=())
            found = Cases(field.name, tuple((value, _decided(node, field.name, value)) for value in values), base)
            if _are_several(found):
                return found
    return None


def shape(nodes: Sequence[SchemaNode]) -> str:
    """Return a text that is equal for declarations that differ only in their documentation."""
    return json.dumps([_without_docs(dump_node(node)) for node in nodes])


def _strings(node: SchemaNode) -> tuple[str, ...]:
    """Return the values of an enum of strings; () for any other node."""
    values = tuple(value for value in node.enum or () if isinstance(value, str))
    return tuple(dict.fromkeys(values)) if len(values) == len(node.enum or ()) else ()


def _decides(node: SchemaNode, name: str) -> bool:
    return bool(node.branches) and not (node.any_of or node.one_of) and all(_tested(b, name) for b in node.branches)


def _tested(branch: Branch, name: str) -> tuple[object, ...] | None:
    """Return the values of the field `name` for which the branch is taken, or None if it does not test that field."""
    return next((field.node.enum for field in branch.when.fields or () if field.name == name), None)


def _decided(node: SchemaNode, name: str, value: str) -> SchemaNode:
    """Return what `node` declares when its field `name` has this value: only conditions on other fields remain."""
    branches = tuple(_decided_branches(node, name, value))
    required = dict.fromkeys((*(node.required or ()), *_always_required(branches)))
    return replace(node, branches=branches, required=tuple(required) or None)


def _decided_branches(node: SchemaNode, name: str, value: str) -> Iterator[Branch]:
    for branch in node.branches:
        tested = _tested(branch, name)
        then = branch.then and _decided(branch.then, name, value)
        otherwise = branch.otherwise and _decided(branch.otherwise, name, value)
        if tested is None:
            yield replace(branch, then=then, otherwise=otherwise)
        elif value in tested:
            yield replace(branch, when=_without(branch.when, name), then=then, otherwise=otherwise)
        elif otherwise is not None:
            yield replace(branch, when=SchemaNode(pointer=branch.when.pointer), then=otherwise, otherwise=None)


def _without(when: SchemaNode, name: str) -> SchemaNode:
    """Return the condition without its test of the field `name`."""
    fields = tuple(field for field in when.fields or () if field.name != name)
    required = tuple(other for other in when.required or () if other != name)
    return replace(when, fields=fields or None, required=required or None)


def _always_required(branches: Sequence[Branch]) -> list[str]:
    """Return the names that all undecided conditionals require: documents list the possible responses this way."""
    lists = [(branch.then and branch.then.required) or () for branch in branches if not asks_nothing(branch.when)]
    return [name for name in lists[0] if all(name in others for others in lists)] if lists else []


def _are_several(found: Cases) -> bool:
    shapes = [frozenset(field.name for field in _fields(node)) for _, node in found.nodes]
    common = frozenset.intersection(*shapes)
    own = frozenset.union(*shapes) - common
    return len(set(shapes)) == len(shapes) and len(common) < len(own)


def _fields(node: SchemaNode) -> Iterator[ResolvedField]:
    resolved = resolve(node)
    yield from resolved.fields
    yield from resolved.hidden


def _without_docs(dumped: Any) -> Any:
    if isinstance(dumped, dict):
        return {key: _without_docs(value) for key, value in dumped.items() if key not in _DOCS}
    return [_without_docs(each) for each in dumped] if isinstance(dumped, list) else dumped
