"""What the targets `openrpc` and `openapi` say about a command, apart from its schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rpcschema.errorcodes import ErrorTable
from rpcschema.model.nodes import ABSENT, ERROR_LINE, Document, Example
from rpcschema.settings import Settings
from rpcschema.text import words


@dataclass(frozen=True, slots=True)
class CommandError:
    """An error that a command returns."""

    code: int
    name: str
    """The constant's name; "" if no table names it."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """An example: parameters by name, and the result."""

    description: str
    params: Mapping[str, Any]
    result: Any


def about(document: Document) -> str:
    """Return what a command does, in Markdown."""
    releases = ", ".join(words.release_words(document.added, document.deprecated))
    paragraphs = (
        f"**Warning:** {document.warning}" if document.warning else "",
        "\n".join(document.description),
        "\n".join(document.service_notes or ()),
        words.extension_words("this command") if document.extension else "",
        f"{releases[0].upper()}{releases[1:]}." if releases else "",
        *words.rule_words(document.request),
    )
    return "\n\n".join(each for each in paragraphs if each.strip())


def info(settings: Settings) -> dict[str, Any]:
    """Return the object `info` of an API's document."""
    return {"title": settings.package, "version": (settings.release or "v0").removeprefix("v")}


def errors(document: Document, table: ErrorTable) -> tuple[CommandError, ...]:
    """Return the errors that a command returns besides those that any command can return."""
    said = {
        int(match[1]): match[2] or "" for line in document.section("errors") if (match := ERROR_LINE.fullmatch(line))
    }
    found = []
    for code in table.codes_of(document.name, document.error_codes):
        entry = table.find(code)
        if entry is None:
            found.append(CommandError(code, "", said.get(code) or "The command failed."))
        elif not entry.of_any_command:
            found.append(CommandError(code, entry.name, said.get(code) or entry.meaning))
    return tuple(found)


def errors_of_any_command(table: ErrorTable) -> tuple[CommandError, ...]:
    """Return the errors that any command can return."""
    return tuple(CommandError(each.code, each.name, each.meaning) for each in table.codes if each.of_any_command)


def exchanges(document: Document) -> Iterator[Exchange]:
    """Yield the examples of a command that have both parameters and a result."""
    for example in document.examples or ():
        params = _params(example, document.request.positional)
        if params is not None and example.response is not ABSENT:
            yield Exchange(" ".join(example.description or ()), params, example.response)


def _params(example: Example, positional: Sequence[str]) -> Mapping[str, Any] | None:
    """Return the parameters by name, without those that are null by position; None if there are none to read."""
    if not isinstance(example.request, Mapping):
        return None
    match example.request.get("params", {}):
        case Mapping() as params:
            return params
        case list() | tuple() as values if len(values) <= len(positional):
            given = zip(positional, values, strict=False)
            return {name: value for name, value in given if value is not None}
    return None
