"""Target `plugin`: `Plugin`, with one typed method a notification and a hook, to be filled by a subclass."""

from __future__ import annotations

from collections.abc import Sequence

from rpcschema.model.nodes import Document
from rpcschema.python.events import view
from rpcschema.python.source import finished
from rpcschema.render import environment
from rpcschema.settings import Settings
from rpcschema.targets import Rendered, Target


def collection(documents: Sequence[Document], settings: Settings) -> Rendered:
    """The stubs of all notifications and hooks."""
    events = [view(document) for document in documents if document.kind != "rpc"]
    source = (
        environment("plugin")
        .get_template("plugin.py.jinja")
        .render(
            events=events,
            notifications=[event for event in events if event.answer is None],
            hooks=[event for event in events if event.answer is not None],
            has_client="client" in settings.targets,
        )
    )
    path = f"{settings.package}/plugin.py"
    return Rendered({path: finished(source, path)})


TARGET = Target(name="plugin", collection=collection)
