"""Target `plugin`: `Plugin`, with one typed method per notification and hook, for a subclass to override.

In a package on clnrpc, it is a subclass of clnrpc's, so it has the node's notifications and hooks too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rpcschema.model.nodes import DocumentKind
from rpcschema.python import names
from rpcschema.python.source import formatted, formatted_method, import_block
from rpcschema.python.views import event_view
from rpcschema.settings import OWN, Settings
from rpcschema.targets import PARTS, Collected, DocumentSummary, Frame, Made, Target
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject


def document(subject: Subject) -> Made:
    """Render the stub of one notification or hook of Core Lightning."""
    if subject.document.kind == "rpc" or subject.document.extension:
        return Made()
    event = event_view(subject.document)
    path = _path(subject.settings)
    source = environment("plugin", subject.settings.templates).get_template("method.py.jinja").render(event=event)
    return Made(
        parts={path: formatted_method(source, path)},
        summary={
            "wire": event.wire,
            "method": event.method,
            "module": event.module,
            "payload": event.payload,
            "response": event.response,
        },
    )


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the module around the stubs, with a table of each kind."""
    path = _path(settings)
    notifications = _events(summaries, "notification")
    hooks = _events(summaries, "hook")
    named = {str(event[name]) for event in (*notifications, *hooks) for name in ("payload", "response") if event[name]}
    package, runtime = settings.package, names.runtime(settings.home)
    is_on_node = settings.runtime != OWN
    has_client = "client" in settings.targets and not is_on_node
    used = {
        f"{package}.aio": ["AsyncClient"] if has_client else [],
        f"{package}.client": ["Client"] if has_client else [],
        f"{settings.home}.plugin": ["Plugin as NodePlugin"] if is_on_node else [],
        f"{runtime}.plugin.base": [] if is_on_node else ["BasePlugin"],
        f"{runtime}.plugin.declare": ["PluginEvent"],
        f"{runtime}.server.stubs": ["stub"] if named else [],
    }
    hinted = {f"{runtime}.plugin.declare": ["Handled"] if named else [], f"{package}.types": named}
    context = {
        "notifications": notifications,
        "hooks": hooks,
        "imports": import_block(used, package),
        "hints": import_block(hinted, package, indent=4),
        "is_on_node": is_on_node,
        "has_client": has_client,
        "parts": PARTS,
    }
    source = environment("plugin", settings.templates).get_template("plugin.py.jinja").render(context)
    return Collected(frames={path: Frame.split(formatted(source, path))})


def _events(summaries: Sequence[DocumentSummary], kind: DocumentKind) -> list[Mapping[str, Any]]:
    """Return the summaries of one kind of document, without extensions."""
    return [summary.values for summary in summaries if summary.kind == kind and summary.values]


def _path(settings: Settings) -> str:
    return f"{settings.package}/plugin.py"


TARGET: Final = Target(name="plugin", document=document, collection=collection)
