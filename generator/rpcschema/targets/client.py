"""Target `client`: `Client` and `AsyncClient`, with one typed method a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rpcschema.model.nodes import Document
from rpcschema.python.clashes import clashes, taken
from rpcschema.python.commands import imports, planned, view
from rpcschema.python.source import finished, finished_part
from rpcschema.render import environment
from rpcschema.settings import Settings
from rpcschema.targets import PARTS, Collected, Frame, Made, Summary, Target

_IS_ASYNC: Final = {"client.py": False, "aio.py": True}


def document(document: Document, settings: Settings) -> Made:
    """The methods of one command, for both clients, from one template."""
    if document.kind != "rpc":
        return Made()
    plan = planned(document, settings)
    command = view(document, plan)
    template = environment("client").get_template("method.py.jinja")
    parts = {}
    for name, is_async in _IS_ASYNC.items():
        path = f"{settings.package}/{name}"
        source = template.render(command=command, is_async=is_async)
        parts[path] = finished_part(source, path, before="class _:\n")
    return Made(parts=parts, summary={**taken(document, plan), **imports(plan)})


def collection(summaries: Sequence[Summary], settings: Settings) -> Collected:
    """The modules around the methods."""
    if problems := clashes(summaries):
        return Collected(problems=problems)
    template = environment("client").get_template("client.py.jinja")
    needed = {
        home: sorted({name for summary in summaries for name in summary.values.get(home, ())})
        for home in ("scalars", "types")
    }
    frames = {}
    for name, is_async in _IS_ASYNC.items():
        path = f"{settings.package}/{name}"
        source = template.render(scalars=needed["scalars"], classes=needed["types"], is_async=is_async, parts=PARTS)
        frames[path] = Frame.split(finished(source, path).decode())
    return Collected(frames=frames)


TARGET: Final = Target(name="client", document=document, collection=collection)
