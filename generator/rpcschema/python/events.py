"""What the template of the plugin is told about a notification or a hook. All strings are Python source or safe inside
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.model.nodes import Document
from rpcschema.python import docs, names
from rpcschema.python.source import literal


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """A notification or a hook, as source."""

    wire: str
    method: str
    module: str
    payload: str
    answer: str | None
    """The class of a hook's answer."""
    doc: str


def view(document: Document) -> EventView:
    """The view of a notification or hook. Raises ValueError for a command."""
    response = names.response_class(document)
    match document.kind, names.request_class(document):
        case "notification", _:
            payload, answer = response, None
        case "hook", str(payload):
            answer = response
        case _:
            raise ValueError(f"{document.name} is a command")
    return EventView(
        wire=literal(document.name),
        method=names.event_method(document),
        module=literal(names.module(document)),
        payload=payload,
        answer=answer,
        doc=docs.docstring(docs.event_doc(document), indent=docs.METHOD_INDENT),
    )
