"""All fields of a package's documents, looked for in its types, its tables of parameters and its pages."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.audit import classes, dialect, pages
from tests.audit.documents import Document, Package
from tests.audit.facts import Path, differences, dotted, names

_UNTYPED: Final = {"any": "has no type", "map": "is an object whose members are not declared"}
"""Types for which Python has `Any`, and why."""
_TITLES: Final = {
    "rpc": {"request": "Parameters", "response": "Return value"},
    "notification": {"request": "Parameters", "response": "Payload"},
    "hook": {"request": "Payload", "response": "Return value"},
}
"""Under which title a page has a half."""


@dataclass(slots=True)
class Survey:
    """What was counted, and what is wrong."""

    declared: int = 0
    """Fields that are neither hidden nor phantoms."""
    on_pages: int = 0
    """Those of documents that have pages."""
    found: Counter[str] = field(default_factory=Counter)
    """How many of them are right in "types", "man" and "Markdown"."""
    findings: list[str] = field(default_factory=list)
    untyped: list[str] = field(default_factory=list)
    """Where Python has `Any`, because the document gives no type there."""
    undeclared: list[str] = field(default_factory=list)
    """What is required and declared nowhere, so that Python does not have it."""

    def compare(self, where: str, place: str, declared: set[Path], wrong: list[tuple[Path, str]]) -> None:
        """Note what is `wrong` in a half of a document, by path."""
        self.found[where] += len(declared - {names(path) for path, _ in wrong})
        self.findings += [f"{where}: {place}: {dotted(path)} {what}" for path, what in wrong]


def survey(package: Package) -> Survey:
    """Compare every document of a package with what was generated from it."""
    found = Survey()
    found.findings += [f"types: {wrong}" for wrong in classes.wrong_aliases(package.module("runtime.values.scalars"))]
    for document in package.documents:
        for half, raw, _ in document.halves():
            declared = dialect.fields(raw)
            visible = len({names(path) for path, fact in declared.items() if not fact.hidden})
            found.declared += visible
            found.on_pages += visible if document.has_pages else 0
            place = f"{document} {half}"
            found.untyped += [
                f"{place}: {dotted(path)} {why}"
                for path, fact in declared.items()
                for kind, why in _UNTYPED.items()
                if kind in fact.types
            ]
            found.undeclared += [
                f"{place}: {dotted(path)} is required, but declared nowhere" for path in dialect.undeclared(raw)
            ]
        _look_in_types(found, package, document)
        if document.kind == "rpc":
            found.findings += [f"commands: {document}: {wrong}" for wrong in _wrong_parameters(package, document)]
        if document.has_pages:
            _look_in_pages(found, package, document)
    return found


def _look_in_types(found: Survey, package: Package, document: Document) -> None:
    for half, raw, name in document.halves():
        made = getattr(package.module("types"), name)
        visible = {names(path) for path, fact in dialect.fields(raw).items() if not fact.hidden}
        found.compare("types", f"{document} {half}", visible, list(wrong_in_types(raw, made)))


def wrong_in_types(raw: dialect.Raw, made: Any) -> Iterator[tuple[Path, str]]:
    """Yield the differences between a class, or the classes of a union, and one half of a document."""
    variants = [(known, classes.fields(cls)) for known, cls in classes.variants(made)]
    for known, facts in variants:
        yield from differences(dialect.fields(raw, known), facts)
    if len(variants) > 1:
        found = {path for _, facts in variants for path in facts}
        yield from ((path, "is in no class of the union") for path in dialect.fields(raw).keys() - found)
        for name in {name for known, _ in variants for name in known}:
            lacking = {*raw["properties"][name].get("enum", ())} - {known.get(name) for known, _ in variants}
            yield from (((name,), f"has no class for {value}") for value in sorted(lacking))


def _look_in_pages(found: Survey, package: Package, document: Document) -> None:
    man = package.folder / "man" / f"{pages.PREFIXES[document.kind]}{document.name}.7"
    markdown = package.folder / "docs" / pages.FOLDERS[document.kind] / f"{document.name}.md"
    for where, page in (("man", pages.man(man)), ("Markdown", pages.markdown(markdown))):
        for half, title in _TITLES[document.kind].items():
            declared, shown = dialect.declarations(document.raw[half]), page.get(title, Counter())
            wrong = [
                (path, f"is declared {count} times more often than it is shown")
                for path, count in (declared - shown).items()
            ]
            wrong += [(path, "is shown, but declared nowhere") for path in shown.keys() - declared.keys()]
            found.compare(where, f"{document} {half}", set(declared), wrong)


def _wrong_parameters(package: Package, document: Document) -> Iterator[str]:
    """Yield how the table of commands and the clients differ from the document, whose order is that by position."""
    declared = {path[0]: fact for path, fact in dialect.fields(document.raw["request"]).items() if len(path) == 1}
    command = package.module("commands").COMMANDS[document.name]
    order = [name for name in document.raw["request"].get("properties", {}) if name in declared]
    if [parameter.name for parameter in command.parameters] != order:
        yield f"the parameters are not {', '.join(order)}"
    for parameter in command.parameters:
        if parameter.name in declared and parameter.required is declared[parameter.name].optional:
            yield f"{parameter.name} is{' ' if parameter.required else ' not '}required"
    rules = _enforced(document.raw["request"])
    if [command.at_most_one, command.all_or_none, command.needs] != rules:
        yield f"the rules that are enforced are not {rules}"
    for module, client in (("client", "Client"), ("aio", "AsyncClient")):
        method = getattr(getattr(package.module(module), client), command.method, None)
        if (method is None) is not document.raw.get("extension", False):
            yield f"{client} has {'no' if method is None else 'a'} method {command.method}"
        elif method is not None:
            yield from (f"{client}.{command.method} {wrong}" for wrong in _wrong_signature(method, command))


def _wrong_signature(method: Any, command: Any) -> Iterator[str]:
    """Yield how a client's method differs from the table of commands, which also has extensions."""
    taken = list(inspect.signature(method).parameters.values())[1:]
    wanted = {each.attribute: each.required for each in command.parameters if not each.extension}
    # Required ones by position, which then is the document's order; optional ones behind them, by keyword alone.
    order = sorted(wanted, key=lambda name: not wanted[name])
    if [parameter.name for parameter in taken] != order:
        yield f"takes {', '.join(parameter.name for parameter in taken)}"
    for parameter in taken:
        if wanted.get(parameter.name) is (parameter.default is None):
            yield f"has {parameter.name} as {'optional' if parameter.default is None else 'required'}"
        if (parameter.kind is parameter.KEYWORD_ONLY) is wanted.get(parameter.name):
            yield f"takes {parameter.name} by {parameter.kind.description}"


def _enforced(request: dialect.Raw) -> list[tuple[tuple[str, ...], ...]]:
    """Return the rules that clients check: groups of at most one, groups of all or none, pairs (needs, needed)."""
    rules = {keyword: request[keyword] for keyword in request.get("enforced", ())}
    groups = [tuple(map(tuple, rules.get(keyword, ()))) for keyword in ("oneOfMany", "pairedWith")]
    pairs = ((name, needed) for needed, names in rules.get("dependentUpon", {}).items() for name in names)
    return [*groups, tuple(pairs)]
