"""Target `client`: `Client` and `AsyncClient`, which share the class `Calls` with one method per command.

Commands that can be read in pages have another method, on `client.iter`, which yields the elements of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rpcschema.problems import has_errors
from rpcschema.python import names
from rpcschema.python.arguments import Argument, arguments
from rpcschema.python.docs import deprecation
from rpcschema.python.lists import paged_list
from rpcschema.python.source import formatted, formatted_method, import_order, literal, wrapped
from rpcschema.python.types import SCALARS
from rpcschema.python.views import method_docstring
from rpcschema.settings import Settings
from rpcschema.targets import PARTS, Collected, DocumentSummary, Files, Frame, Made, Target, pays_invoices
from rpcschema.targets.clashes import python_names
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject

_CLIENTS: Final = {
    "client.py": ("blocking", "BaseClient", "PayingClient"),
    "aio.py": ("aio", "BaseAsyncClient", "PayingAsyncClient"),
}
"""The modules of the clients; and those of the runtime, with their base classes, without and with `pay_once`."""
_CALLS: Final = "calls.py"
_LISTS: Final = "lists.py"
_HOMES: Final = ("collections", "typing", "scalars", "classes")
"""Where the names in hints come from."""


def document(subject: Subject) -> Made:
    """Render the methods of one command of Core Lightning."""
    document, plan = subject.document, subject.plan
    if document.kind != "rpc" or document.extension:
        return Made()
    if has_errors(plan.problems):
        return Made(problems=plan.problems)
    accepted = arguments(plan, subject.module)
    sent = [literal(document.name), *(each.name for each in accepted)]
    deprecated = deprecation(document.deprecated)
    parts = _method(
        subject,
        _CALLS,
        arguments=accepted,
        response=plan.response.name,
        sending=wrapped(f"return self.rpc_send({', '.join(sent)})", indent=8),
        doc=method_docstring(document, plan, subject.settings.errors),
        deprecated=literal(deprecated) if deprecated else "",
    )
    used = {_CALLS: _used(subject, plan.response.name, accepted)}
    if (found := paged_list(plan, subject.module)) is not None:
        read = [literal(names.method(document)), *(f"{each.name}={each.name}" for each in found.filters)]
        reading = wrapped(f"return self.read({', '.join(read)})", indent=8)
        parts |= _method(subject, _LISTS, arguments=found.filters, element=found.element, reading=reading)
        used[_LISTS] = _used(subject, found.element, found.filters)
    return Made(parts=parts, summary={**python_names(document, plan), "used": used, "deprecated": bool(deprecated)})


def _method(subject: Subject, module: str, **context: Any) -> dict[str, bytes]:
    """Render a method of a module; return it under the module's path."""
    template = environment("client").get_template("method.py.jinja" if module == _CALLS else "items.py.jinja")
    path = _path(subject.settings, module)
    source = template.render(method=names.method(subject.document), **context)
    return {path: formatted_method(source, path)}


def _used(subject: Subject, returned: str, accepted: Iterable[Argument]) -> dict[str, list[str]]:
    """Return the names that the hints of a method need, by where they come from."""
    used = {returned, *(name for each in accepted for name in re.findall(r"\w+", each.hint))}
    homes = ({"Mapping", "Sequence"}, {"Any", "Literal"}, {*SCALARS.values()}, {*subject.plan.names})
    return {home: sorted(used & names) for home, names in zip(_HOMES, homes, strict=True)}


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the modules around the methods."""
    templates = environment("client")
    frames = {}
    for module in (_CALLS, _LISTS):
        used = [each.values["used"][module] for each in summaries if module in each.values.get("used", ())]
        if module == _LISTS and not used:
            continue
        needed = {home: sorted({name for each in used for name in each[home]}, key=import_order) for home in _HOMES}
        marks = any(each.values.get("deprecated") for each in summaries)
        source = templates.get_template(f"{module}.jinja").render(**needed, marks=marks, parts=PARTS)
        path = _path(settings, module)
        frames[path] = Frame.split(formatted(source, path))
    return Collected(
        files=_clients(settings, pays=pays_invoices(summaries), lists=_path(settings, _LISTS) in frames), frames=frames
    )


def _clients(settings: Settings, *, pays: bool, lists: bool) -> Files:
    """Render the modules of both clients."""
    files = {}
    for name, (module, base, paying) in _CLIENTS.items():
        source = (
            environment("client")
            .get_template("client.py.jinja")
            .render(
                home=f"paying.{module}" if pays else module,
                base=paying if pays else base,
                is_async=name == "aio.py",
                lists=lists,
            )
        )
        files[_path(settings, name)] = formatted(source, name)
    return files


def _path(settings: Settings, module: str) -> str:
    return f"{settings.package}/{module}"


TARGET: Final = Target(name="client", document=document, collection=collection)
