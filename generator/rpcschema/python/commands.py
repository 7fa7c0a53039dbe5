"""What the templates of clients and services are told about a command. All strings are Python source or safe inside
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from rpcschema.model.extensions import without_extensions
from rpcschema.model.nodes import Deprecated, Document, Node
from rpcschema.model.resolve import resolve
from rpcschema.python import docs, names
from rpcschema.python.annotations import annotation, imported
from rpcschema.python.classes import Attribute, Plan
from rpcschema.python.types import is_object

_INDENT: Final = 8
"""Where the docstring of a method stands."""
_UNTYPED: Final = repr("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterView:
    """A parameter of a command, as source."""

    wire: str
    attribute: str
    type: str
    required: bool
    deprecated: tuple[str, ...] | None
    extension: bool
    """Whether clients do not have it, and servers take it by name only."""
    annotation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command, as source."""

    wire: str
    method: str
    module: str
    request: str
    response: str
    extras: bool
    parameters: tuple[ParameterView, ...]
    offered: tuple[ParameterView, ...]
    """The parameters of the client's method."""
    rules: tuple[tuple[str, str], ...]
    """(attribute, value) of the enforced rules on `offered`, and of a deprecated command; only what there is."""
    doc: str
    """The docstring of the client's method, quotes included, indented for a method."""
    stub_doc: str
    """The docstring of the service's method."""

    @property
    def by_position(self) -> tuple[ParameterView, ...]:
        """The parameters that a caller may pass by position, in the document's order: the required ones."""
        return tuple(parameter for parameter in self.offered if parameter.required)

    @property
    def by_keyword(self) -> tuple[ParameterView, ...]:
        """The optional parameters, which a caller passes by keyword."""
        return tuple(parameter for parameter in self.offered if not parameter.required)


def view(document: Document, plan: Plan) -> CommandView:
    """The view of a command whose classes are `plan`."""
    if plan.request is None:
        raise ValueError(f"{document.kind} {document.name} is no command")
    offered = replace(document, request=without_extensions(document.request))
    parameters = tuple(_parameter(attribute) for attribute in plan.request.attributes)
    arguments = [
        docs.argument_doc(each.name, each.doc, _INDENT)
        for each in plan.request.attributes
        if each.doc and not each.is_extension
    ]
    return CommandView(
        wire=repr(document.name),
        method=names.method(document),
        module=repr(names.module(document)),
        request=plan.request.name,
        response=plan.response.name,
        extras=document.request.extras is True,
        parameters=parameters,
        offered=tuple(parameter for parameter in parameters if not parameter.extension),
        rules=tuple(_rules(offered)),
        doc=docs.docstring(docs.method_doc(offered, arguments), indent=_INDENT),
        stub_doc=docs.docstring(docs.stub_doc(document), indent=_INDENT),
    )


def imports(plan: Plan) -> dict[str, list[str]]:
    """The scalar aliases ("scalars") and classes ("types") that the signatures of a command mention."""
    attributes = plan.request.attributes if plan.request else ()
    needed = [pair for each in attributes if not each.is_extension for pair in imported(each.schema)]
    needed.append(("types", plan.response.name))
    return {home: sorted({name for place, name in needed if place == home}) for home in ("scalars", "types")}


def _rules(document: Document) -> Iterator[tuple[str, str]]:
    request = document.request
    needs = ((name, needed) for needed, names in request.dependent_upon or () for name in names)
    for attribute, keyword, value in (
        ("at_most_one", "oneOfMany", request.one_of_many or ()),
        ("all_or_none", "pairedWith", request.paired_with or ()),
        ("needs", "dependentUpon", tuple(needs)),
    ):
        if value and keyword in (request.enforced or ()):
            yield attribute, repr(value)
    if (releases := _deprecation(document.deprecated)) is not None:
        yield "deprecated", repr(releases)


def _deprecation(said: Deprecated | None) -> tuple[str, ...] | None:
    """Its releases, none of them for a bare `true`; None for what is not deprecated."""
    if isinstance(said, bool | None):
        return () if said else None
    return (said,) if isinstance(said, str) else said


def _parameter(attribute: Attribute) -> ParameterView:
    return ParameterView(
        wire=repr(attribute.wire),
        attribute=attribute.name,
        type=_type(attribute.nodes),
        required=attribute.required,
        deprecated=_deprecation(attribute.nodes[0].deprecated),
        extension=attribute.is_extension,
        annotation=annotation(attribute.schema),
    )


def _type(nodes: Iterable[Node]) -> str:
    """The type that all of the declarations give, else "": what may be one of several is decoded, not converted."""
    declared = {_type_of(node) for node in nodes}
    return declared.pop() if len(declared) == 1 else _UNTYPED


def _type_of(node: Node) -> str:
    if node.type == "array" and node.items is not None:
        items = _type((node.items,))
        return f"Array({items})" if items != _UNTYPED else repr(node.type)
    if is_object(node):
        shape = resolve(node)
        if fields := (*shape.fields, *shape.hidden):
            members = [f"({field.name!r}, {_type(field.alternatives)})" for field in fields]
            # A last comma would make black put each member on a line of its own.
            return f"Object(({', '.join(members)}{',' if len(members) == 1 else ''}))"
    return repr(node.type or "")
