"""Target `service`: `Service`, with one method per command, for a subclass to override."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rpcschema.problems import has_errors
from rpcschema.python.source import formatted, formatted_method, import_order
from rpcschema.settings import Settings
from rpcschema.targets import PARTS, Collected, DocumentSummary, Frame, Made, Target
from rpcschema.targets.clashes import python_names
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject


def document(subject: Subject) -> Made:
    """Render the stub of one command."""
    if subject.document.kind != "rpc":
        return Made()
    if has_errors(subject.plan.problems):
        return Made(problems=subject.plan.problems)
    command = subject.command
    path = _path(subject.settings)
    source = environment("service").get_template("method.py.jinja").render(command=command)
    return Made(
        parts={path: formatted_method(source, path)},
        summary={**python_names(subject.document, subject.plan), "types": [command.request, command.response]},
    )


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the module around the stubs."""
    path = _path(settings)
    named = {name for summary in summaries for name in summary.values.get("types", ())}
    classes = sorted(named, key=import_order)
    source = environment("service").get_template("service.py.jinja").render(classes=classes, parts=PARTS)
    return Collected(frames={path: Frame.split(formatted(source, path))})


def _path(settings: Settings) -> str:
    return f"{settings.package}/service.py"


TARGET: Final = Target(name="service", document=document, collection=collection)
