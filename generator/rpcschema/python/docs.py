"""Docstrings of generated classes and methods."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from rpcschema.errorcodes import ErrorTable
from rpcschema.model.conditions import Conjunction
from rpcschema.model.nodes import ERROR_LINE, KIND_NAMES, Deprecated, Document, SchemaNode
from rpcschema.model.resolve import ResolvedField
from rpcschema.python.types import enum_members
from rpcschema.text import words
from rpcschema.text.prose import code
from rpcschema.text.words import conjunction_words

WIDTH: Final = 120
METHOD_INDENT: Final = 8
"""The indent of a method's docstring."""
_MARKER: Final = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_QUOTE: Final = re.compile(r'"(?="|\s*\Z)')
"""A quote that could be read as part of the closing quotes."""


def request_doc(document: Document) -> str:
    """Return the docstring of a request class."""
    opening = "The payload of the hook" if document.kind == "hook" else "The request for"
    return _with_extension(f"{opening} `{document.name}`: {with_full_stop(document.title)}", document)


def response_doc(document: Document, when: str = "") -> str:
    """Return the docstring of a response class; `when` limits it to some responses."""
    openings = {
        "rpc": "The response to",
        "notification": "The payload of the notification",
        "hook": "The response to the hook",
    }
    return _with_extension(
        f"{openings[document.kind]} `{document.name}`{when}: {with_full_stop(document.title)}", document
    )


def stub_doc(document: Document) -> str:
    """Return the docstring of a service's method."""
    text = "\n\n".join(filter(None, (with_full_stop(document.title), stripped_text(document.description))))
    return _with_extension(text, document)


def _with_extension(doc: str, document: Document) -> str:
    """Return `doc`; for an extension, followed by a sentence that says so."""
    said = words.extension_words(f"this {KIND_NAMES[document.kind]}")
    return f"{doc}\n\n{said}" if document.extension else doc


def case_words(discriminator: str, value: str | None) -> str:
    """Return the clause that says when a response is this member of a union; `value` is None for unknown values."""
    if value is None:
        return f" if `{discriminator}` has a value that these types do not know"
    return f" if `{discriminator}` is {json.dumps(value, ensure_ascii=False)}"


def union_doc(response: str, discriminator: str, other: str) -> str:
    """Return the docstring of a union; `response` is the docstring of a single class."""
    return (
        f"{response}\n\nThe value of `{discriminator}` decides which class it is. An unknown value, from a newer node, "
        f"gives `{other}`. That class is not in the union, so that `{discriminator}` narrows the type."
    )


def releases_doc(releases: Mapping[str, Sequence[str]]) -> str:
    """Return sentences on the fields that each release added."""
    return " ".join(words.added_words(names, release) for release, names in releases.items())


def added(nodes: Iterable[SchemaNode]) -> str:
    """Return the release that added a field, or "" if the document does not say."""
    return next((node.added for node in nodes if node.added and node.added != words.ALWAYS), "")


def stripped_text(lines: Sequence[str] | None) -> str:
    """Return lines of prose as one text, stripped."""
    return "\n".join(lines or ()).strip()


def presence(field: ResolvedField, *, received: bool) -> str:
    """Return a sentence that says when an optional field is present or, if not `received`, required; "" if unknown."""
    if field.required:
        return ""
    possible, certain = ("Present only", "Always present") if received else ("Allowed only", "Required")
    if field.conditions and field.conditions == field.demands:
        when = _either(field.conditions)
        return f"Present if and only {when}." if received else f"Allowed only {when}, and then required."
    sentences = ((possible, field.conditions), (certain, field.demands))
    return " ".join(f"{words} {_either(when)}." for words, when in sentences if when)


def _either(conditions: Sequence[Conjunction]) -> str:
    return ", or ".join(map(conjunction_words, conditions))


def field_doc(nodes: Sequence[SchemaNode], presence: str = "") -> str:
    """Return the docstring of a field: descriptions, facts and presence."""
    described = _unique(part for node in nodes for part in _described(node))
    facts = _unique((*(fact for node in nodes for fact in _facts(node)), presence))
    return "\n\n".join([*described, *([" ".join(facts)] if facts else [])])


def item_doc(document: Document, nodes: Sequence[SchemaNode]) -> str:
    """Return the docstring of the class of a nested object: its description, or else its path."""
    described = _unique(stripped_text(node.description) for node in nodes)
    return "\n\n".join(described) or f"{code(_path(nodes[0].pointer))} in {_half(document, nodes[0].pointer)}."


def _half(document: Document, pointer: str) -> str:
    is_request = pointer.startswith("/request")
    match document.kind:
        case "rpc":
            return f"the {'request for' if is_request else 'response to'} `{document.name}`"
        case "notification":
            return f"the notification `{document.name}`"
        case "hook":
            return f"the {'payload of' if is_request else 'response to'} the hook `{document.name}`"


def _path(pointer: str) -> str:
    """Return the names that lead to a node: /response/properties/a/items/properties/b becomes a[].b."""
    path = ""
    steps = iter(pointer.split("/")[2:])
    for step in steps:
        if step == "properties":
            path += f".{next(steps)}"
        elif step == "items":
            path += "[]"
    return path.removeprefix(".").replace("~1", "/").replace("~0", "~")


def method_doc(document: Document, arguments: Sequence[str], releases: str, table: ErrorTable) -> str:
    """Return the docstring of a client's method; `arguments` are the entries of its section "Args".

    `releases` says which releases added several parameters. `table` names the errors.
    """
    rules = " ".join(words.rule_words(document.request))
    codes = _errors(document, table)
    errors = stripped_text([line for line in document.section("errors") if not ERROR_LINE.fullmatch(line)])
    parts = (
        with_full_stop(document.title),
        stripped_text(document.description),
        f"Warning: {with_full_stop(document.warning)}" if document.warning else "",
        _release(document.added, document.deprecated),
        "Args:\n" + "\n".join(arguments) if arguments else "",
        " ".join(filter(None, (releases, rules))),
        errors,
        "Raises:\n" + "\n".join(codes) if codes else "",
    )
    return "\n\n".join(filter(None, parts))


def _errors(document: Document, table: ErrorTable) -> list[str]:
    """Return the entries of "Raises", one per code, in the words of the document or else of the table."""
    described: dict[int, list[str]] = {}
    for line in document.section("errors"):
        if match := ERROR_LINE.fullmatch(line):
            described.setdefault(int(match[1]), []).append(match[2] or "")
    entries = []
    for number in table.codes_of(document.name, document.error_codes):
        entry = table.find(number)
        said = " ".join(described.get(number, ()))
        if not said and entry is not None:
            said = " ".join(filter(None, (entry.meaning, entry.advice)))
        doc = f"Code {number}: {said}" if said else f"Code {number}."
        entries.append(argument_doc(entry.class_name if entry else "RpcError", doc, METHOD_INDENT))
    return entries


def event_doc(document: Document) -> str:
    """Return the docstring of a plugin's method."""
    parts = (
        with_full_stop(document.title),
        stripped_text(document.description),
        _release(document.added, document.deprecated),
    )
    return "\n\n".join(filter(None, parts))


def argument_doc(name: str, doc: str, indent: int) -> str:
    """Return an entry of "Args" for a method whose docstring is indented by `indent`."""
    lines = wrap(f"{name}: {doc}".rstrip(), WIDTH - indent - 8)
    return "\n".join([f"    {lines[0]}", *(f"        {line}" if line else "" for line in lines[1:])])


def _described(node: SchemaNode) -> Iterator[str]:
    """Yield the descriptions of a value, of its elements and of its alternative forms."""
    yield stripped_text(node.description)
    if node.items is not None and node.items.type != "object":
        yield from (f"Each element: {part}" for part in _described(node.items) if part)
    for shape in node.shapes:
        yield from (f"As {words.type_words(shape)}: {part}" for part in _described(shape) if part)


def _facts(node: SchemaNode) -> Iterator[str]:
    """Yield limits, default and releases of a value, its elements and its forms; unit and enum are part of the type."""
    if node.hidden:
        yield "Hidden: not meant for general use."
    yield words.limit_words(replace(node, enum=None) if enum_members(node) else node)
    yield _release(node.added, node.deprecated)
    if node.items is not None and node.items.type != "object":
        yield from (f"Each element: {fact}" for fact in _facts(node.items) if fact)
    for shape in node.shapes:
        yield from (f"As {words.type_words(shape)}: {fact}" for fact in _facts(shape) if fact)


def deprecation(deprecated: Deprecated | None) -> str:
    """Return a sentence on a deprecation; "" if there is none."""
    return _release(None, deprecated)


def _release(added: str | None, deprecated: Deprecated | None) -> str:
    said = "; ".join(words.release_words(added, deprecated))
    return f"{said[0].upper()}{said[1:]}." if said else ""


def with_full_stop(sentence: str) -> str:
    """Return `sentence` with a full stop, unless it has an end."""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def docstring(text: str, indent: int) -> str:
    """Return any `text` as the source of a wrapped docstring, in black's style."""
    escaped = _QUOTE.sub('\\\\"', text.replace("\\", "\\\\"))
    escaped = "\n".join(map(_visible, escaped.split("\n")))
    lines = wrap(escaped.strip(), WIDTH - indent) or [""]
    if len(lines) == 1 and indent + len(lines[0]) + 6 > WIDTH:
        lines = wrap(escaped.strip(), WIDTH - indent - 6)
    margin = " " * indent
    first, rest = lines[0], textwrap.dedent("\n".join(lines[1:])).split("\n") if lines[1:] else []
    body = "\n".join([first, *(margin + line if line else "" for line in rest)])
    opening = '""" ' if body.startswith('"') else '"""'
    if len(lines) > 1 or indent + len(opening + body) + 3 > WIDTH:
        return f'{opening}{body}\n{margin}"""'
    closing = ' """' if not body or body.endswith('"') else '"""'
    return f"{opening}{body}{closing}"


def _visible(line: str) -> str:
    """Return `line` with escapes for characters that source code cannot hold, or that would disguise it."""
    if line.isprintable():  # the usual case
        return line
    return "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode() for char in line
    )


def wrap(text: str, width: int) -> list[str]:
    """Return lines of Markdown, with long ones broken between words; code blocks stay as they are."""
    wrapped: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        marker = _MARKER.match(line)
        indented = len(line) - len(line.lstrip())
        if fenced or (indented >= 4 and not marker) or not line.strip():
            wrapped.append(line.rstrip())
            continue
        hanging = " " * (marker.end() if marker else indented)
        wrapped += textwrap.wrap(
            line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, tabsize=4
        )
    return wrapped


def _unique(parts: Iterable[str]) -> list[str]:
    return [part for part in dict.fromkeys(parts) if part]
