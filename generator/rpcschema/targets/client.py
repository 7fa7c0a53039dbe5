"""Target `client`: `Client` and `AsyncClient`, which share the class `Calls` with one method per command.

Commands that can be read in pages have another method, on `client.iter`, which yields the elements of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rpcschema.problems import has_errors
from rpcschema.python import names
from rpcschema.python.arguments import Argument, arguments
from rpcschema.python.docs import deprecation
from rpcschema.python.lists import paged_list
from rpcschema.python.source import formatted, formatted_method, import_block, literal, wrapped
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
_HOMES: Final = ("collections.abc", "typing", "scalars", "types")
"""Where the names in hints come from: modules, those of the scalars and of the classes by these words."""


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
    template = environment("client", subject.settings.templates).get_template(
        "method.py.jinja" if module == _CALLS else "items.py.jinja"
    )
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
    templates = environment("client", settings.templates)
    frames = {}
    for module in (_CALLS, _LISTS):
        used = [each.values["used"][module] for each in summaries if module in each.values.get("used", ())]
        if module == _LISTS and not used:
            continue
        marks = any(each.values.get("deprecated") for each in summaries)
        context = {
            "imports": import_block(_imports(settings, module, has_methods=bool(used), marks=marks), settings.package),
            "hints": import_block(_hinted(settings, module, used), settings.package, indent=4),
            "parts": PARTS,
        }
        path = _path(settings, module)
        frames[path] = Frame.split(formatted(templates.get_template(f"{module}.jinja").render(context), path))
    return Collected(
        files=_clients(settings, pays=pays_invoices(summaries), lists=_path(settings, _LISTS) in frames), frames=frames
    )


def _imports(settings: Settings, module: str, *, has_methods: bool, marks: bool) -> Mapping[str, Sequence[str]]:
    """Return what a module around methods imports when it is run."""
    runtime = names.runtime(settings.home)
    if module == _LISTS:
        return {f"{runtime}.client.lists": ["BaseAsyncLists", "BaseLists", "items"]}
    return {
        f"{settings.package}.commands": ["COMMANDS", "RELEASE"],
        f"{runtime}.client.call": ["call"] if has_methods else [],
        f"{runtime}.client.caller": ["Caller"],
        f"{runtime}.deprecation": ["deprecated"] if marks else [],
    }


def _hinted(settings: Settings, module: str, used: Iterable[Mapping[str, list[str]]]) -> Mapping[str, set[str]]:
    """Return what the hints of a module need; `used` has the needs of each method."""
    homes = {home: home for home in _HOMES}
    homes |= {"scalars": names.scalars(settings.home), "types": f"{settings.package}.types"}
    found: dict[str, set[str]] = {homes[home]: {name for each in used for name in each[home]} for home in _HOMES}
    if module == _LISTS:
        found["typing"].add("Any")
    return found


def _clients(settings: Settings, *, pays: bool, lists: bool) -> Files:
    """Render the modules of both clients."""
    files, runtime = {}, names.runtime(settings.home)
    for name, (module, base, paying) in _CLIENTS.items():
        home, parent = (f"paying.{module}", paying) if pays else (module, base)
        used = {f"{settings.package}.calls": ["Calls"], f"{runtime}.client.{home}": [parent]}
        source = (
            environment("client", settings.templates)
            .get_template("client.py.jinja")
            .render(imports=import_block(used, settings.package), base=parent, is_async=name == "aio.py", lists=lists)
        )
        files[_path(settings, name)] = formatted(source, name)
    return files


def _path(settings: Settings, module: str) -> str:
    return f"{settings.package}/{module}"


TARGET: Final = Target(name="client", document=document, collection=collection)
