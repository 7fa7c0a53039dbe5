"""Read the parameters of calls as lightningd does: names, positions, types, enums and rules, from the documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from clnrpc.runtime.command import Array, Command, Object, Parameter, Type
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from clnrpc.runtime.jsontext import JsonType, elements, json_type, members
from clnrpc.runtime.server.bind import BadParameter, Binder
from clnrpc.runtime.server.convert import BadToken, json_value
from rpcschema.model.nodes import Document, Json, Request, SchemaNode
from rpcschema.model.resolve import resolve
from rpcschema.model.validation import OBJECTS, faults


class Reader:
    """Reads the parameters of one command."""

    def __init__(self, document: Document) -> None:
        """Create the reader of the command that `document` describes; it enforces all rules of the document."""
        self._request = document.request
        self._rules = tuple(_rules(document.request))
        self.command = command_of(document)
        self._binder = Binder(self.command)

    def read(self, params: bytes) -> dict[str, Any]:
        """Return the values of parameters (JSON text) by name. Raises RpcError (-32602)."""
        values = self._binder.bind(params)
        for field in self._request.fields or ():
            if field.node.enum is not None and field.name in values and values[field.name] not in field.node.enum:
                raise BadParameter(field.name, BadToken(f"should be {_alternatives(field.node.enum)}"))
        if fault := next(faults(self._request, values), None):
            raise RpcError(INVALID_PARAMS, str(fault))
        for rule in self._rules:
            if broken := rule(values):
                raise RpcError(INVALID_PARAMS, broken)
        return {**self._extras(params), **values} if self.command.extras else values

    def _extras(self, params: bytes) -> dict[str, Any]:
        return {} if json_type(params) is JsonType.ARRAY else plain(params)

    def by_name(self, params: Any) -> dict[str, Any]:
        """Return the parameters of an example by name, as it writes them; null by position means not given."""
        if isinstance(params, Mapping):
            return dict(params)
        names = [each.name for each in self.command.parameters]
        return {name: value for name, value in zip(names, params, strict=False) if value is not None}


def plain(params: bytes) -> dict[str, Any]:
    """Return parameters as they were given, for commands without a document; the first of duplicates counts.

    Parameters by position are named by their position ("0", "1", ...).
    """
    if json_type(params) is JsonType.ARRAY:
        return {str(at): json_value(raw) for at, raw in enumerate(elements(params))}
    if json_type(params) is JsonType.OBJECT:
        return {name.decode(): json_value(raw) for name, raw in reversed(members(params))}
    raise RpcError(INVALID_PARAMS, "Expected array or object for params")


def command_of(document: Document) -> Command:
    """Return the table entry of a command; its names in Python are those on the wire."""
    resolved = resolve(document.request)
    known = {field.name: field for field in (*resolved.fields, *resolved.hidden)}
    order = dict.fromkeys((*(field.name for field in document.request.fields or ()), *known))
    return Command(
        name=document.name,
        stem="",
        parameters=tuple(
            Parameter(name, _type(known[name].alternatives), required=known[name].required)
            for name in order
            if name in known
        ),
        extras=document.request.extras is True,
    )


def _type(nodes: Iterable[SchemaNode]) -> Type:
    """Return the type that all of the declarations give; "" for several: such a value is not converted."""
    declared = {_type_of(node) for node in nodes}
    return declared.pop() if len(declared) == 1 else ""


def _type_of(node: SchemaNode) -> Type:
    if node.type == "array" and node.items is not None:
        items = _type((node.items,))
        return Array(items) if items else "array"
    if node.type in OBJECTS or (node.type is None and node.fields):
        resolved = resolve(node)
        if fields := (*resolved.fields, *resolved.hidden):
            return Object(tuple((field.name, _type(field.alternatives)) for field in fields))
    return node.type or ""


def _rules(request: Request) -> Iterator[Any]:
    """Yield functions that return how parameters break a rule, or an empty text."""
    yield from (_at_most_one(group) for group in request.one_of_many or ())
    yield from (_all_or_none(group) for group in request.paired_with or ())
    for name, dependents in request.dependent_upon or ():
        yield from (_needs(each, name) for each in dependents)


def _at_most_one(group: tuple[str, ...]) -> Any:
    def broken(given: Mapping[str, Any]) -> str:
        together = [name for name in group if name in given]
        return f"Can only specify one of {_listed(group)}" if len(together) > 1 else ""

    return broken


def _all_or_none(group: tuple[str, ...]) -> Any:
    def broken(given: Mapping[str, Any]) -> str:
        count = sum(name in given for name in group)
        return f"Must specify all or none of {_listed(group)}" if 0 < count < len(group) else ""

    return broken


def _needs(name: str, needed: str) -> Any:
    def broken(given: Mapping[str, Any]) -> str:
        return f"Can only specify {name} together with {needed}" if name in given and needed not in given else ""

    return broken


def _alternatives(members: Sequence[Json]) -> str:
    *others, last = [f"'{each}'" for each in members]
    return f"{', '.join(others)} or {last}" if others else last


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
