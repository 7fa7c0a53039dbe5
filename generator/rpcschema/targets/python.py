"""Target `python`: the package itself.

It consists of one module of dataclasses per document, the table of commands, and a copy of the runtime, unless it uses
that of clnrpc.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rpcschema.problems import has_errors
from rpcschema.python import names
from rpcschema.python.source import formatted, import_block, import_order, literal, relative
from rpcschema.python.views import CommandView
from rpcschema.runtime import FORMAT
from rpcschema.settings import OWN, Settings
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
        parts=_entry(_marked(subject), f"{package}/commands.py", subject.settings) if document.kind == "rpc" else {},
        summary={**python_names(document, plan), "table": _used_in_table(subject) if document.kind == "rpc" else []},
        problems=plan.problems,
    )


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the files that depend on all documents, and copy the runtime if the package has its own."""
    pays, package, runtime = pays_invoices(summaries), settings.package, names.runtime(settings.home)
    exports = _exports(settings, paying=pays)
    modules = ["errors", "types"] if "errors" in settings.targets else ["types"]
    classes = {name: str(each.values["module"]) for each in summaries for name in each.values["classes"]}
    context = {
        "format": None if settings.runtime == OWN else FORMAT,
        "loaded_at_once": import_block({f"{runtime}.errors": _LOADED_AT_ONCE}, package),
        "exports": {name: relative(module, package) for name, module in exports.items()},
        "imports": _imports_of({**exports, **dict.fromkeys(modules, package)}, package),
        "modules": modules,
        "module_names": literal(tuple(modules)),
        "names": sorted([*_LOADED_AT_ONCE, *exports, *modules], key=import_order),
        "classes": dict(sorted(classes.items())),
        "class_imports": _imports_of({name: f"types.{module}" for name, module in classes.items()}, "types"),
        "table_imports": import_block(
            {f"{runtime}.command": {"Command"}.union(*(each.values["table"] for each in summaries))}, package
        ),
        "release": literal(settings.release),
        "has_commands": any(each.kind == "rpc" for each in summaries),
        "parts": PARTS,
    }
    templates = environment("python", settings.templates)
    rendered = {}
    for name, template in (
        ("__init__.py", "package.py.jinja"),
        ("commands.py", "commands.py.jinja"),
        ("types/__init__.py", "types.py.jinja"),
    ):
        path = f"{package}/{name}"
        rendered[path] = formatted(templates.get_template(template).render(context), path)
    table = f"{package}/commands.py"
    frames = {table: Frame.split(rendered.pop(table))}
    fixed = {f"{package}/py.typed": b""}
    if settings.runtime == OWN:
        fixed.update(_runtime(package, paying=pays))
    return Collected(files=rendered | fixed, frames=frames)


def _exports(settings: Settings, *, paying: bool) -> dict[str, str]:
    """Return the names that the package loads when they are first used, with their modules."""
    modules = [item for target in settings.targets for item in _EXPORTS.get(target, {}).items()]
    if paying and "client" in settings.targets:
        modules.append(_PAYING_EXPORTS)
    homes = {module: settings.home if module.startswith("runtime.") else settings.package for module, _ in modules}
    return {name: f"{homes[module]}.{module}" for module, names in sorted(modules) for name in names}


def _imports_of(modules: Mapping[str, str], package: str) -> str:
    """Return indented import statements for names, given the module of each."""
    names_of: defaultdict[str, list[str]] = defaultdict(list)
    for name, module in modules.items():
        names_of[module].append(name)
    return import_block(names_of, package, indent=4)


def _marked(subject: Subject) -> CommandView:
    """Return the command, marked if it changes nothing."""
    if subject.document.name not in subject.settings.read_only:
        return subject.command
    return replace(subject.command, facts=(*subject.command.facts, ("read_only", "True")))


def _entry(command: CommandView, path: str, settings: Settings) -> Files:
    """Render the command's entry in the table of commands."""
    source = environment("python", settings.templates).get_template("command.py.jinja").render(command=command)
    return {path: formatted(source, path, before="_ = _(\n    {\n", after="    }\n)\n")}


def _used_in_table(subject: Subject) -> list[str]:
    """Return what the command's entry uses of `runtime.command`, besides Command."""
    types = " ".join(parameter.type for parameter in subject.command.parameters)
    return [*(["Parameter"] if types else []), *(name for name in ("Array", "Object") if f"{name}(" in types)]


def _runtime(package: str, *, paying: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the runtime: ordinary, tested Python, copied unchanged."""
    for source in sorted(_RUNTIME.rglob("*.py")):
        if source.parent == _PAYING and not paying:
            continue
        yield f"{package}/runtime/{source.relative_to(_RUNTIME).as_posix()}", source.read_bytes()


TARGET: Final = Target(name="python", document=document, collection=collection)
