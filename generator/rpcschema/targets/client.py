"""Target `client`: `Client` and `AsyncClient`, which share the class `Calls` with one method per command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rpcschema.problems import has_errors
from rpcschema.python import names
from rpcschema.python.arguments import arguments
from rpcschema.python.docs import deprecation
from rpcschema.python.source import formatted, formatted_method, import_order, literal, wrapped
from rpcschema.python.types import SCALARS
from rpcschema.python.views import method_docstring
from rpcschema.settings import Settings
from rpcschema.targets import PARTS, Collected, DocumentSummary, Frame, Made, Target, pays_invoices
from rpcschema.targets.clashes import python_names
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject

_CLIENTS: Final = {
    "client.py": ("blocking", "BaseClient", "PayingClient"),
    "aio.py": ("aio", "BaseAsyncClient", "PayingAsyncClient"),
}
"""The modules of the clients; and those of the runtime, with their base classes, without and with `pay_once`."""


def document(subject: Subject) -> Made:
    """Render the method of one command of Core Lightning."""
    document, plan = subject.document, subject.plan
    if document.kind != "rpc" or document.extension:
        return Made()
    if has_errors(plan.problems):
        return Made(problems=plan.problems)
    accepted = arguments(plan, subject.module)
    sent = [literal(document.name), *(each.name for each in accepted)]
    source = (
        environment("client")
        .get_template("method.py.jinja")
        .render(
            method=names.method(document),
            arguments=accepted,
            response=plan.response.name,
            sending=wrapped(f"return self.rpc_send({', '.join(sent)})", indent=8),
            doc=method_docstring(document, plan, subject.settings.errors),
            deprecated=literal(deprecated) if (deprecated := deprecation(document.deprecated)) else "",
        )
    )
    path = _path(subject.settings)
    used = frozenset({plan.response.name}).union(*(each.uses for each in accepted))
    scalars, classes = used.intersection(SCALARS.values()), used.intersection(plan.names)
    return Made(
        parts={path: formatted_method(source, path)},
        summary={
            **python_names(document, plan),
            "scalars": sorted(scalars),
            "types": sorted(classes),
            "deprecated": bool(deprecated),
        },
    )


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the modules around the methods."""
    needed = {
        home: sorted({name for summary in summaries for name in summary.values.get(home, ())}, key=import_order)
        for home in ("scalars", "types")
    }
    templates = environment("client")
    path = _path(settings)
    calls = templates.get_template("calls.py.jinja").render(
        scalars=needed["scalars"],
        classes=needed["types"],
        parts=PARTS,
        marks=any(summary.values.get("deprecated") for summary in summaries),
    )
    files = {}
    pays = pays_invoices(summaries)
    for name, (module, base, paying) in _CLIENTS.items():
        source = templates.get_template("client.py.jinja").render(
            home=f"paying.{module}" if pays else module, base=paying if pays else base, is_async=name == "aio.py"
        )
        files[f"{settings.package}/{name}"] = formatted(source, name)
    return Collected(files=files, frames={path: Frame.split(formatted(calls, path))})


def _path(settings: Settings) -> str:
    return f"{settings.package}/calls.py"


TARGET: Final = Target(name="client", document=document, collection=collection)
