"""Target `service`: `Service`, with one method a command, to be filled by a subclass."""

from __future__ import annotations

from collections.abc import Sequence

from rpcschema.model.nodes import Document
from rpcschema.python.clashes import clashes
from rpcschema.python.commands import planned, view
from rpcschema.python.source import finished
from rpcschema.render import environment
from rpcschema.settings import Settings
from rpcschema.targets import Rendered, Target


def collection(documents: Sequence[Document], settings: Settings) -> Rendered:
    """The stubs of all commands."""
    plans = [(document, planned(document, settings)) for document in documents if document.kind == "rpc"]
    if problems := clashes(plans):
        return Rendered(problems=problems)
    commands = [view(document, plan) for document, plan in plans]
    path = f"{settings.package}/service.py"
    source = environment("service").get_template("service.py.jinja").render(commands=commands)
    return Rendered({path: finished(source, path)})


TARGET = Target(name="service", collection=collection)
