"""The table of what is deprecated or removed, and what replaces it: `schemas/deprecations.toml`.

Its comments explain the keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rpcschema.model.nodes import KIND_NAMES, DocumentKind
from rpcschema.model.releases import order
from rpcschema.scan.values import Library
from rpcschema.settings import SettingsError, read_toml

_TEXTS: Final = frozenset({"parameter", "value", "unless", "since", "last", "note"})
_LISTS: Final = frozenset({*KIND_NAMES, "fields", "instead"})


class State(StrEnum):
    """What a release does with something."""

    REMOVED = "removed"
    """It no longer supports it."""
    ENDING = "ending"
    """It is the last one that supports it."""
    DEPRECATED = "deprecated"
    """It supports it, but a later one will not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is deprecated: a command, or a parameter or field of one."""

    kind: DocumentKind
    name: str
    """Of the command, notification or hook."""
    parameter: str = ""
    field: str = ""
    """The path of a field; [] stands for the items of a list."""
    value: str = ""
    """The parameter is deprecated only with this value."""
    unless: str = ""
    """The field is deprecated only if the call leaves out this parameter."""
    since: str = ""
    """The first release that deprecates it; empty if none announced its removal."""
    last: str
    """The last release that supports it."""
    instead: tuple[str, ...] = ()
    """What replaces it: commands, parameters of the same command, or fields beside it."""
    note: str = ""

    @property
    def part(self) -> str:
        """The word for what is deprecated, as in the names of rules."""
        return "parameter" if self.parameter else "field" if self.field else KIND_NAMES[self.kind]

    @property
    def title(self) -> str:
        """What is deprecated, as the subject of a sentence."""
        if self.parameter:
            value = f" `{self.value}`" if self.value else ""
            return f"the parameter `{self.parameter}`{value and f' with the value{value}'} of `{self.name}`"
        return f"the field `{self.field}` of `{self.name}`" if self.field else f"`{self.name}`"

    def state(self, release: str) -> State | None:
        """Return what `release` does with it; None if it is not deprecated yet."""
        at, end = order(release), order(self.last)
        if at > end:
            return State.REMOVED
        if at == end:
            return State.ENDING
        return State.DEPRECATED if self.since and order(self.since) <= at else None

    @property
    def advice(self) -> str:
        """What to do, in a sentence or two; empty if nothing replaces it."""
        verb = "read" if self.field else "use"
        choices = " or ".join(f"`{each}`" for each in self.instead)
        return " ".join(filter(None, (f"{verb.capitalize()} {choices}." if choices else "", self.note)))


@dataclass(frozen=True)
class Table:
    """All entries."""

    entries: tuple[Entry, ...]

    @cached_property
    def commands(self) -> Mapping[str, Sequence[Entry]]:
        """The entries of each command, by its name with `_` for `-`, as it can be written in Python."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.kind == "rpc":
                found.setdefault(python_name(entry.name), []).append(entry)
        return found

    @cached_property
    def squeezed(self) -> Mapping[str, Sequence[Entry]]:
        """The entries of each command, by its name without `_`, as services of gRPC write it in CamelCase."""
        return {name.replace("_", ""): entries for name, entries in self.commands.items()}

    @cached_property
    def newest(self) -> str:
        """The newest release that any entry names."""
        return max((each.last for each in self.entries), key=order)

    def of_call(self, name: str, library: Library) -> Sequence[Entry]:
        """Return the entries of a command, given its name as a library writes it."""
        return self.squeezed.get(name.lower(), ()) if library == "grpc" else self.of("rpc", name)

    def of(self, kind: DocumentKind, name: str) -> Sequence[Entry]:
        """Return the entries of a command, notification or hook."""
        if kind == "rpc":
            return self.commands.get(python_name(name), ())
        return [entry for entry in self.entries if (entry.kind, entry.name) == (kind, name)]


def python_name(command: str) -> str:
    """Return the name of a command as Python can write it."""
    return command.replace("-", "_")


def read_table(file: Path) -> Table:
    """Return the table in a file.

    Raises:
        SettingsError: if it is not a table of this form.
    """
    given = read_toml(file).get("deprecated")
    if not isinstance(given, list) or not given:
        raise SettingsError(f"{file}: expected a list of tables called deprecated")
    return Table(tuple(entry for at, raw in enumerate(given, 1) for entry in _entries(raw, f"{file}: entry {at}")))


def _entries(raw: Any, where: str) -> Iterator[Entry]:
    if not isinstance(raw, dict):
        raise SettingsError(f"{where}: expected a table")
    for key, value in raw.items():
        is_list = key in _LISTS
        if not is_list and key not in _TEXTS:
            raise SettingsError(f"{where}: unknown key {key!r}")
        if is_list and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            raise SettingsError(f"{where}: {key} must be a list of strings")
        if not is_list and not isinstance(value, str):
            raise SettingsError(f"{where}: {key} must be a string")
    if "last" not in raw:
        raise SettingsError(f"{where}: last is missing: the last release that supports it")
    texts = {key: value for key, value in raw.items() if key in _TEXTS}
    instead = tuple(raw.get("instead", ()))
    for kind in KIND_NAMES:
        for name in raw.get(kind, ()):
            for field in raw.get("fields", ("",)):
                yield Entry(kind=kind, name=name, field=field, instead=instead, **texts)
