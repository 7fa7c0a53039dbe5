"""The content of a document's page, in order, as Markdown that each target prints in its own way.

Descriptions are included as they are; each has an item of its own, so that unclosed markup in one cannot affect the
next.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from rpcschema.errorcodes import NO_CODES, ErrorTable
from rpcschema.model.nodes import ABSENT, ERROR_LINE, KIND_NAMES, Document, Example, Section
from rpcschema.text import words
from rpcschema.text.items import Item, contents, description, extras, notes, shown
from rpcschema.text.prose import code, emphasized, fence, plain
from rpcschema.text.shell import command_line

_LAST: Final = ("errors", "examples", "author", "see_also", "resources")
"""The last sections of a page, in this order."""

_HALVES: Final = {
    "rpc": ("Parameters", "Return value"),
    "notification": ("Parameters", "Payload"),
    "hook": ("Payload", "Return value"),
}
"""The titles of the request and the response, by kind of document."""


@dataclass(frozen=True, slots=True)
class PageSection:
    """A titled section of a page; the title is plain text, e.g. "Return value"."""

    title: str
    items: tuple[Item, ...]


def outline(document: Document, table: ErrorTable = NO_CODES) -> tuple[PageSection, ...]:
    """Return the sections of the page of `document` that are not empty, without its name and title.

    `table` names the errors.
    """
    request, response = _HALVES[document.kind]
    sections = (
        PageSection("Synopsis", tuple(_synopsis(document))),
        PageSection("Description", tuple(_description(document))),
        PageSection(request, tuple(_request(document))),
        PageSection(response, tuple(_response(document))),
        *_sections(document, table),
    )
    return tuple(section for section in sections if section.items)


def _synopsis(document: Document) -> Iterator[Item]:
    if document.kind == "rpc":
        required = document.request.required or ()
        positional = [field.name for field in shown(document.request) if not field.node.extension]
        parameters = [
            *(emphasized(name) if name in required else f"\\[{emphasized(name)}\\]" for name in positional),
            *(f"\\[{emphasized(f'{name}=...')}\\]" for name in _by_name(document)),
        ]
        yield Item(prose=(" ".join([f"**{plain(document.name)}**", *parameters]),))


def _by_name(document: Document) -> tuple[str, ...]:
    """Return the parameters without a position."""
    return tuple(field.name for field in shown(document.request) if field.node.extension)


def _description(document: Document) -> Iterator[Item]:
    if document.warning is not None:
        yield Item(prose=(f"**Warning:** {plain(document.warning)}",))
    if any(map(str.strip, document.description)):
        yield Item(prose=document.description)
    yield from notes(document)
    if document.extension:
        yield Item(prose=(words.extension_words(f"this {KIND_NAMES[document.kind]}"),))
    releases = ", ".join(words.release_words(document.added, document.deprecated))
    if releases:
        yield Item(prose=(f"{releases[0].upper()}{releases[1:]}.",))
    if document.categories:
        yield Item(prose=(f"Categories: {', '.join(map(code, document.categories))}.",))


def _request(document: Document) -> Iterator[Item]:
    """Yield the parameters of a command, or the payload of a hook, which has no rules."""
    is_command = document.kind == "rpc"
    yield from description(document.request)
    yield from contents(document.request, says_required=is_command)
    yield from extras(document.request, "parameters" if is_command else "fields", says_required=is_command)
    for rule in words.rule_words(document.request):
        yield Item(prose=(rule,))
    if is_command and (names := _by_name(document)):
        yield Item(prose=(words.by_name_words(names),))


def _response(document: Document) -> Iterator[Item]:
    response = document.response
    if response.pre_notes:
        yield Item(prose=response.pre_notes)
    yield from description(response)
    items = tuple(contents(response, says_required=document.kind == "hook"))
    others = tuple(extras(response, "fields", says_required=document.kind == "hook"))
    if document.kind == "rpc" and items:
        yield Item(prose=("On success, an object with these fields:",))
    elif document.kind == "rpc" and not (response.pre_notes or response.description or response.post_notes):
        yield Item(prose=("On success, an object." if others else "On success, an empty object.",))
    yield from items
    yield from others
    if response.post_notes:
        yield Item(prose=response.post_notes)


def _sections(document: Document, table: ErrorTable) -> Iterator[PageSection]:
    made = {
        section.name: PageSection(_title(section.name), tuple(_section(section, table)))
        for section in document.sections
    }
    examples = (_example(document, example, at) for at, example in enumerate(document.examples or (), 1))
    made["examples"] = PageSection("Examples", tuple(chain.from_iterable(examples)))
    yield from (each for name, each in made.items() if name not in _LAST)
    yield from (made[name] for name in _LAST if name in made)


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _section(section: Section, table: ErrorTable) -> Iterator[Item]:
    content = section.content
    if not isinstance(content, tuple):
        yield Item(prose=fence(_pretty(content), "json"))
    elif content:
        lines = tuple(line for line in content if isinstance(line, str))
        if section.name == "errors":
            lines = tuple(_named(line, table) for line in lines)
        yield Item(prose=(", ".join(lines),) if section.name == "see_also" else lines)


def _named(line: str, table: ErrorTable) -> str:
    """Return a line of the section `errors` with the name of its code, if it has one."""
    match = ERROR_LINE.fullmatch(line)
    entry = None if match is None else table.find(int(match[1]))
    return line if match is None or entry is None else f"- {match[1]} ({entry.name}): {match[2] or entry.meaning}"


def _example(document: Document, example: Example, at: int) -> Iterator[Item]:
    yield Item(prose=(f"**Example {at}**",))
    if example.description:
        yield Item(prose=example.description)
    if example.request is not ABSENT:
        if document.kind == "rpc" and isinstance(example.request, Mapping):
            yield Item(prose=fence(command_line(document.name, example.request.get("params", ABSENT)), "shell"))
        yield from _json("Request:", example.request)
    if example.response is not ABSENT:
        yield from _json("Response:", example.response)


def _json(title: str, value: object) -> Iterator[Item]:
    yield Item(prose=(title,))
    yield Item(prose=fence(_pretty(value), "json"))


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
