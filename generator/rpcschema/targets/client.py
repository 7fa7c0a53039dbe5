"""Target `client`: `Client` and `AsyncClient`, with one typed method a command."""

from __future__ import annotations

from collections.abc import Sequence

from rpcschema.model.nodes import Document
from rpcschema.python.clashes import clashes
from rpcschema.python.commands import imports, planned, view
from rpcschema.python.source import finished
from rpcschema.render import environment
from rpcschema.settings import Settings
from rpcschema.targets import Rendered, Target


def collection(documents: Sequence[Document], settings: Settings) -> Rendered:
    """Both clients, from one template."""
    plans = [(document, planned(document, settings)) for document in documents if document.kind == "rpc"]
    if problems := clashes(plans):
        return Rendered(problems=problems)
    scalars, classes = imports([plan for _, plan in plans])
    commands = [view(document, plan) for document, plan in plans]
    template = environment("client").get_template("client.py.jinja")
    files = {}
    for name, is_async in (("client", False), ("aio", True)):
        path = f"{settings.package}/{name}.py"
        source = template.render(commands=commands, scalars=scalars, classes=classes, is_async=is_async)
        files[path] = finished(source, path)
    return Rendered(files)


TARGET = Target(name="client", collection=collection)
