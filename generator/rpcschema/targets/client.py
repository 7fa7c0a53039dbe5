"""Target `client`: `Client` and `AsyncClient`, with one typed method a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rpcschema.problems import has_errors
from rpcschema.python.commands import imports
from rpcschema.python.source import finished, finished_part, import_order
from rpcschema.settings import Settings
from rpcschema.targets import PARTS, Collected, Frame, Made, Summary, Target
from rpcschema.targets.clashes import clashes, taken
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject

_IS_ASYNC: Final = {"client.py": False, "aio.py": True}


def document(subject: Subject) -> Made:
    """The methods of one command that Core Lightning has, for both clients, from one template."""
    if subject.document.kind != "rpc" or subject.document.extension:
        return Made()
    if has_errors(subject.plan.problems):
        return Made(problems=subject.plan.problems)
    template = environment("client").get_template("method.py.jinja")
    parts = {}
    for name, is_async in _IS_ASYNC.items():
        path = f"{subject.settings.package}/{name}"
        source = template.render(command=subject.command, is_async=is_async)
        parts[path] = finished_part(source, path, before="class _:\n")
    return Made(parts=parts, summary={**taken(subject.document, subject.plan), **imports(subject.plan)})


def collection(summaries: Sequence[Summary], settings: Settings) -> Collected:
    """The modules around the methods."""
    if problems := clashes(summaries):
        return Collected(problems=problems)
    template = environment("client").get_template("client.py.jinja")
    needed = {
        home: sorted({name for summary in summaries for name in summary.values.get(home, ())}, key=import_order)
        for home in ("scalars", "types")
    }
    frames = {}
    for name, is_async in _IS_ASYNC.items():
        path = f"{settings.package}/{name}"
        source = template.render(scalars=needed["scalars"], classes=needed["types"], is_async=is_async, parts=PARTS)
        frames[path] = Frame.split(finished(source, path).decode())
    return Collected(frames=frames)


TARGET: Final = Target(name="client", document=document, collection=collection)
