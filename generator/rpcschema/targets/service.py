"""Target `service`: `Service`, with one method per command, for a subclass to override."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rpcschema.problems import has_errors
from rpcschema.python import names
from rpcschema.python.source import formatted, formatted_method, import_block
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
    source = environment("service", subject.settings.templates).get_template("method.py.jinja").render(command=command)
    return Made(
        parts={path: formatted_method(source, path)},
        summary={**python_names(subject.document, subject.plan), "types": [command.request, command.response]},
    )


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the module around the stubs."""
    path = _path(settings)
    classes = {name for summary in summaries for name in summary.values.get("types", ())}
    package, runtime = settings.package, names.runtime(settings.home)
    used = {
        f"{package}.commands": ["COMMANDS"],
        f"{runtime}.errors": ["unknown_command"] if classes else [],
        f"{runtime}.server.stubs": ["BaseService", *(["stub"] if classes else [])],
    }
    hinted = {f"{runtime}.server.stubs": ["Reply"], f"{package}.types": classes} if classes else {}
    context = {
        "imports": import_block(used, package),
        "hints": import_block(hinted, package, indent=4),
        "parts": PARTS,
    }
    source = environment("service", settings.templates).get_template("service.py.jinja").render(context)
    return Collected(frames={path: Frame.split(formatted(source, path))})


def _path(settings: Settings) -> str:
    return f"{settings.package}/service.py"


TARGET: Final = Target(name="service", document=document, collection=collection)
