"""Findings: what a program uses and a release of Core Lightning no longer has, or will not have for long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from rpcschema.findings import Finding, Severity
from rpcschema.scan.arguments import POSITIONAL
from rpcschema.scan.calls import Use
from rpcschema.scan.table import Entry, State, Table
from rpcschema.scan.uses import Constant, FieldUse, Uses

_SEVERITIES: Final = {State.REMOVED: Severity.ERROR, State.ENDING: Severity.ERROR, State.DEPRECATED: Severity.WARNING}


def findings(uses: Uses, table: Table, release: str, constants: Mapping[str, Constant]) -> Iterator[Finding]:
    """Yield what a file uses and `release` has removed, supports for the last time, or deprecates.

    `constants` are the texts that modules of the program give a name.
    """
    for use in uses.commands:
        name, origin = use.name, None
        if use.is_elsewhere:
            if (origin := constants.get(use.name)) is None:
                continue
            name = origin.text
        for entry in table.of_call(name, use.library):
            if entry.parameter:
                yield from _of_parameter(uses, use, entry, release)
            elif not entry.field and not use.is_named_before:
                named = "" if origin is None else f" Its name is in {origin.path}:{origin.line}."
                yield from _finding(uses.path, use.line, entry, release, after=named)
    for field in uses.fields:
        yield from _of_field(uses.path, field, table, release)


def _of_parameter(uses: Uses, use: Use, entry: Entry, release: str) -> Iterator[Finding]:
    for argument in uses.arguments(use):
        is_meant = argument.name in {entry.parameter, POSITIONAL} if entry.value else argument.name == entry.parameter
        if is_meant and (not entry.value or entry.value in uses.texts(argument)):
            yield from _finding(uses.path, argument.line, entry, release)


def _of_field(path: str, field: FieldUse, table: Table, release: str) -> Iterator[Finding]:
    answer = field.answer
    # A handler of pyln-client gets the members of the payload, most of which are wrapped in one of the topic's name.
    read = answer.field.removeprefix(f"{answer.name}.") if answer.kind == "notification" else answer.field
    entries: Sequence[Entry]
    entries = table.of_call(answer.name, answer.library) if answer.kind == "rpc" else table.of(answer.kind, answer.name)
    for entry in entries:
        is_meant = not entry.unless or answer.given.isdisjoint({entry.unless, POSITIONAL})
        if entry.field == read and is_meant:
            after = " The program checks whether it is there." if field.is_checked else ""
            for found in _finding(path, field.line, entry, release, after=after):
                yield replace(found, severity=Severity.NOTE) if field.is_checked else found


def _finding(path: str, line: int, entry: Entry, release: str, after: str = "") -> Iterator[Finding]:
    state = entry.state(release)
    if state is None:
        return
    yield Finding(
        rule=f"{state}-{entry.part}",
        severity=_SEVERITIES[state],
        file=path,
        line=line,
        message=f"{_said(entry, state)} {entry.advice}".rstrip() + after,
        more={
            "kind": entry.kind,
            "name": entry.name,
            **({"parameter": entry.parameter} if entry.parameter else {}),
            **({"field": entry.field} if entry.field else {}),
            "since": entry.since or None,
            "last": entry.last,
            "instead": list(entry.instead),
        },
    )


def _said(entry: Entry, state: State) -> str:
    since = f", deprecated since {entry.since}" if entry.since else ""
    if state is State.REMOVED:
        return f"{entry.title} is gone: {entry.last} was the last release that supported it."
    if state is State.ENDING:
        return f"{entry.last} is the last release that supports {entry.title}{since}."
    return f"{entry.title} is deprecated since {entry.since}; {entry.last} is the last release that supports it."
