"""What a node sends to plugins: notifications and calls of hooks, with payloads that are valid by their documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lnstandin.mock.documents import Documents
from lnstandin.mock.draws import Draw
from lnstandin.mock.generation import Generator
from lnstandin.mock.rules import ScriptError
from rpcschema.model.nodes import Document, DocumentKind, SchemaNode
from rpcschema.model.validation import first_faults
from rpcschema.problems import suggestion


def notification(documents: Documents, seed: str, name: str, given: Mapping[str, Any] | None, *, check: bool) -> Any:
    """Return the payload of a notification: the one given, else a generated one.

    Raises:
        ScriptError: if there is no such notification, or the payload contradicts its document, and `check` is true.
    """
    document = documents.find("notification", name)
    if document is None:
        if check:
            raise _unknown("notification", name, documents)
        return dict(given or {})
    return _payload(document, document.response, seed, given, check=check)


def hook(documents: Documents, seed: str, name: str, given: Mapping[str, Any] | None, *, check: bool) -> Any:
    """Return the payload of a hook: the one given, else a generated one. Raises ScriptError, as `notification`."""
    document = documents.find("hook", name)
    if document is None:
        raise _unknown("hook", name, documents)
    return _payload(document, document.request, seed, given, check=check)


def check_response(documents: Documents, name: str, response: Any) -> None:
    """Raise ScriptError if a plugin's response to a hook contradicts the hook's document."""
    document = documents.find("hook", name)
    if document is not None and (found := first_faults(document.response, response)):
        raise ScriptError(f"hook {name}: the plugin's response contradicts the document: {found}")


def _payload(document: Document, schema: SchemaNode, seed: str, given: Mapping[str, Any] | None, *, check: bool) -> Any:
    if given is None:
        return Generator({}).object([schema], Draw.of(seed, document.kind, document.name))
    if check and (found := first_faults(schema, dict(given))):
        raise ScriptError(f"{document.kind} {document.name}: the payload contradicts the document ({found})")
    return dict(given)


def _unknown(kind: DocumentKind, name: str, documents: Documents) -> ScriptError:
    return ScriptError(f"there is no {kind} {name!r}{suggestion(name, documents.names(kind))}")
