"""What templates get for a command, a notification or a hook; all strings are Python source, or safe in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from rpcschema.errorcodes import ErrorTable
from rpcschema.model.nodes import Deprecated, Document, SchemaNode
from rpcschema.model.resolve import resolve
from rpcschema.python import docs, names
from rpcschema.python.classes import Attribute, Plan
from rpcschema.python.source import literal
from rpcschema.python.types import is_object_node

_UNTYPED: Final = '""'


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterView:
    """A parameter of a command, as source."""

    wire: str
    type: str
    facts: tuple[tuple[str, str], ...]
    """Pairs (attribute, value) for the rest of its table entry, without absent ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command, as source."""

    wire: str
    method: str
    stem: str
    """The beginning of its class names."""
    request: str
    response: str
    parameters: tuple[ParameterView, ...]
    facts: tuple[tuple[str, str], ...]
    """As for a parameter. The rules are those that nodes enforce, without extensions."""
    stub_doc: str
    """The docstring of the service's method, with its quotes, indented for a method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """A notification or a hook, as source."""

    wire: str
    method: str
    module: str
    payload: str
    response: str | None
    """The class of a hook's response."""
    doc: str


def command_view(document: Document, plan: Plan) -> CommandView:
    """Return the view of a command whose classes are `plan`. Raises ValueError for a document of another kind."""
    if plan.request is None or document.kind != "rpc":
        raise ValueError(f"{document.kind} {document.name} is not a command")
    return CommandView(
        wire=literal(document.name),
        method=names.method(document),
        stem=names.pascal(document.name),
        request=plan.request.name,
        response=plan.response.name,
        parameters=tuple(_parameter(attribute) for attribute in plan.request.attributes),
        facts=tuple(_facts(document)),
        stub_doc=docs.docstring(docs.stub_doc(document), indent=docs.METHOD_INDENT),
    )


def event_view(document: Document) -> EventView:
    """Return the view of a notification or hook. Raises ValueError for a command."""
    if document.kind == "rpc":
        raise ValueError(f"{document.name} is a command")
    received, response = names.request_class(document), names.response_class(document)
    return EventView(
        wire=literal(document.name),
        method=names.event_method(document),
        module=names.module(document),
        payload=received or response,
        response=response if received else None,
        doc=docs.docstring(docs.event_doc(document), indent=docs.METHOD_INDENT),
    )


def method_docstring(document: Document, plan: Plan, table: ErrorTable) -> str:
    """Return the docstring of a client's method, as `CommandView.stub_doc`; `table` names its errors."""
    attributes = plan.request.attributes if plan.request else ()
    offered = replace(document, request=document.request.without_extensions())
    arguments = [
        docs.argument_doc(each.name, each.argument_doc, docs.METHOD_INDENT)
        for each in attributes
        if each.argument_doc and not each.is_extension
    ]
    releases = plan.request.releases if plan.request else ""
    return docs.docstring(docs.method_doc(offered, arguments, releases, table), indent=docs.METHOD_INDENT)


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    if document.request.extras is True:
        yield "extras", "True"
    if (method := names.method(document)) != document.name:
        yield "renamed", literal(method)
    request = document.request.without_extensions()
    needs = ((name, needed) for needed, dependents in request.dependent_upon or () for name in dependents)
    for attribute, keyword, value in (
        ("at_most_one", "oneOfMany", request.one_of_many or ()),
        ("all_or_none", "pairedWith", request.paired_with or ()),
        ("needs", "dependentUpon", tuple(needs)),
    ):
        if value and keyword in (request.enforced or ()):
            yield attribute, literal(value)
    if (releases := _deprecation(document.deprecated)) is not None:
        yield "deprecated", literal(releases)


def _parameter(attribute: Attribute) -> ParameterView:
    facts: dict[str, object] = {
        "required": attribute.required,
        "deprecated": _deprecation(attribute.nodes[0].deprecated),
        "extension": attribute.is_extension,
        "renamed": attribute.name if attribute.name != attribute.wire else None,
    }
    return ParameterView(
        wire=literal(attribute.wire),
        type=_type(attribute.nodes),
        facts=tuple((name, literal(value)) for name, value in facts.items() if value not in {None, False}),
    )


def _deprecation(said: Deprecated | None) -> tuple[str, ...] | None:
    """Return its releases, none of them for a bare `true`; None for what is not deprecated."""
    if isinstance(said, bool | None):
        return () if said else None
    return (said,) if isinstance(said, str) else said


def _type(nodes: Iterable[SchemaNode]) -> str:
    """Return the type that all of the declarations give, else "": what may be several things is not converted."""
    declared = {_type_of(node) for node in nodes}
    return declared.pop() if len(declared) == 1 else _UNTYPED


def _type_of(node: SchemaNode) -> str:
    if node.type == "array" and node.items is not None:
        items = _type((node.items,))
        return f"Array({items})" if items != _UNTYPED else literal(node.type)
    if is_object_node(node):
        resolved = resolve(node)
        if fields := (*resolved.fields, *resolved.hidden):
            members = [f"({literal(field.name)}, {_type(field.alternatives)})" for field in fields]
            # A trailing comma would make black put each member on a line of its own.
            return f"Object(({', '.join(members)}{',' if len(members) == 1 else ''}))"
    return literal(node.type or "")
