"""Target `python`: the package itself.

It consists of one module of dataclasses per document, the table of commands, and a copy of the runtime.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rpcschema.problems import has_errors
from rpcschema.python import names
from rpcschema.python.source import formatted, import_of, import_order, imports_of, literal
from rpcschema.python.views import CommandView
from rpcschema.settings import Settings
from rpcschema.targets import PARTS, Collected, DocumentSummary, Files, Frame, Made, Target, pays_invoices
from rpcschema.targets.clashes import python_names
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject

_RUNTIME: Final = Path(__file__).resolve().parent.parent / "runtime"
_LOADED_AT_ONCE: Final = (
    "CannotConnectError",
    "ClientError",
    "ConnectionLostError",
    "DecodeError",
    "EncodeError",
    "MissingFieldError",
    "Outcome",
    "ParameterError",
    "ProtocolError",
    "RpcError",
    "RpcTimeoutError",
    "TransportError",
    "VersionWarning",
)
"""The exports that are loaded with the package: those of `runtime.errors`, which every call needs."""
_EXPORTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "python": {
        "commands": ("COMMANDS", "RELEASE"),
        "runtime.values.encode": ("to_dict", "to_json"),
        "runtime.values.unknown": ("unknown_fields",),
    },
    "client": {
        "aio": ("AsyncClient",),
        "client": ("Client",),
        "runtime.client.hooks": ("CallHooks", "CallRecord"),
    },
    "service": {"service": ("Service",)},
    "plugin": {
        "plugin": ("Plugin",),
        "runtime.plugin.declare": ("PluginDisabled", "hook", "subscribe"),
        "runtime.plugin.events": ("decode_payload",),
        "runtime.plugin.options": ("option",),
    },
}
"""The exports that are loaded when they are first used: target -> module -> names."""
_PAYING: Final = _RUNTIME / "client" / "paying"
_PAYING_EXPORTS: Final = ("runtime.client.paying.steps", ("Paid", "PayOnceError"))


def document(subject: Subject) -> Made:
    """Render the module of one document's classes, and its entry in the table of commands."""
    document, plan, package = subject.document, subject.plan, subject.settings.package
    if has_errors(plan.problems):
        return Made(problems=plan.problems)
    path = f"{package}/types/{names.module(document)}.py"
    return Made(
        files={path: formatted(subject.module, path)},
        parts=_entry(_marked(subject), f"{package}/commands.py") if document.kind == "rpc" else {},
        summary=python_names(document, plan),
        problems=plan.problems,
    )


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the files that depend on all documents, and copy the runtime."""
    pays = pays_invoices(summaries)
    exports = _exports(settings, paying=pays)
    modules = ["errors", "types"] if "errors" in settings.targets else ["types"]
    classes = {name: str(each.values["module"]) for each in summaries for name in each.values["classes"]}
    context = {
        "loaded_at_once": import_of(".runtime.errors", _LOADED_AT_ONCE),
        "exports": exports,
        "imports": _imports_of(exports),
        "modules": modules,
        "module_names": literal(tuple(modules)),
        "names": sorted([*_LOADED_AT_ONCE, *exports, *modules], key=import_order),
        "classes": dict(sorted(classes.items())),
        "class_imports": _imports_of(classes),
        "release": literal(settings.release),
        "has_commands": any(each.kind == "rpc" for each in summaries),
        "parts": PARTS,
    }
    templates = environment("python")
    rendered = {}
    for name, template in (
        ("__init__.py", "package.py.jinja"),
        ("commands.py", "commands.py.jinja"),
        ("types/__init__.py", "types.py.jinja"),
    ):
        path = f"{settings.package}/{name}"
        rendered[path] = formatted(templates.get_template(template).render(context), path)
    table = f"{settings.package}/commands.py"
    frames = {table: Frame.split(rendered.pop(table))}
    fixed = {f"{settings.package}/py.typed": b"", **dict(_runtime(settings.package, paying=pays))}
    return Collected(files=rendered | fixed, frames=frames)


def _exports(settings: Settings, *, paying: bool) -> dict[str, str]:
    """Return the names that the package loads when they are first used, with their modules."""
    modules = [item for target in settings.targets for item in _EXPORTS.get(target, {}).items()]
    if paying and "client" in settings.targets:
        modules.append(_PAYING_EXPORTS)
    return {name: module for module, names in sorted(modules) for name in names}


def _imports_of(modules: Mapping[str, str]) -> list[str]:
    """Return indented import statements for names, given the module of each."""
    names_of: defaultdict[str, list[str]] = defaultdict(list)
    for name, module in modules.items():
        names_of[f".{module}"].append(name)
    return imports_of(names_of, indent=4)


def _marked(subject: Subject) -> CommandView:
    """Return the command, marked if it changes nothing."""
    if subject.document.name not in subject.settings.read_only:
        return subject.command
    return replace(subject.command, facts=(*subject.command.facts, ("read_only", "True")))


def _entry(command: CommandView, path: str) -> Files:
    """Render the command's entry in the table of commands."""
    source = environment("python").get_template("command.py.jinja").render(command=command)
    return {path: formatted(source, path, before="_ = _(\n    {\n", after="    }\n)\n")}


def _runtime(package: str, *, paying: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the runtime: ordinary, tested Python, copied unchanged."""
    for source in sorted(_RUNTIME.rglob("*.py")):
        if source.parent == _PAYING and not paying:
            continue
        yield f"{package}/runtime/{source.relative_to(_RUNTIME).as_posix()}", source.read_bytes()


TARGET: Final = Target(name="python", document=document, collection=collection)
