"""Checks of names that must lead somewhere: fields, parameters, pages, error codes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Final

from rpcschema.lint.around import Around, halves
from rpcschema.lint.rules import Broken
from rpcschema.model.cases import cases
from rpcschema.model.nodes import ERROR_LINE, Branch, Document, SchemaNode
from rpcschema.model.resolve import Resolved, resolve
from rpcschema.model.walk import nodes, objects, parts
from rpcschema.problems import Fault, join_pointer, quoted, suggestion
from rpcschema.read import consistency

_KNOWN: Final = {
    "unknown-keyword": consistency.unknown_keywords,
    "required-extension": consistency.required_extensions,
}
_KNOWN_OF_PROSE: Final = {
    "required-undeclared": consistency.undeclared,
    "rule-undeclared": consistency.unbound,
    "late-parameter": consistency.late_parameters,
}
_PAGE: Final = re.compile(r"\blightning-([a-z][a-z0-9-]*)\(7\)")


def named(rule: str, fault: Fault) -> Broken:
    """Return a fault that the generator reports too, under the name of a rule."""
    return Broken(rule, fault.pointer, f"{fault.message}: {fault.detail}" if fault.detail else fault.message)


def known_to_the_generator(document: Document, _: Around) -> Iterator[Broken]:
    """Yield what `generate` reports too."""
    for rule, find in _KNOWN.items():
        yield from (named(rule, fault) for fault in find(document))
    if not document.is_facts:
        for rule, find in _KNOWN_OF_PROSE.items():
            yield from (named(rule, fault) for fault in find(document))


def markers(document: Document, _: Around) -> Iterator[Broken]:
    """Yield `{}` for fields that are declared nowhere, or only in cases that exclude each other."""
    if document.is_facts:
        return
    for node, found in chain.from_iterable(objects(half) for half in halves(document)):
        for pointer, name in _markers(node):
            if name in found.phantoms:
                yield Broken("dangling-marker", pointer, f"{quoted(name)} is declared nowhere")
        several = cases(node)
        for value, case in several.nodes if several else ():
            absent = {*resolve(case).phantoms}.difference(found.phantoms)
            inner = (found for branch in case.branches for found in _sides_markers(branch))
            for pointer, name in inner:
                if name in absent:
                    message = f"{quoted(name)} is never declared where {several and several.discriminator} is {value}"
                    yield Broken("marker-of-other-case", pointer, message)


def _markers(node: SchemaNode) -> Iterator[tuple[str, str]]:
    for part in parts(node):
        yield from ((member.node.pointer, member.name) for member in part.fields or () if member.node.is_marker)


def _sides_markers(branch: Branch) -> Iterator[tuple[str, str]]:
    for side in (branch.then, branch.otherwise):
        if side is not None:
            yield from _markers(side)


def conditions(document: Document, _: Around) -> Iterator[Broken]:
    """Yield conditions that can never hold, because the object lacks the field or its enum the value."""
    if document.is_facts:
        return
    for node, found in chain.from_iterable(objects(half) for half in halves(document)):
        for part in parts(node):
            for branch in part.branches:
                yield from _condition(branch.when, found)


def _condition(when: SchemaNode, found: Resolved) -> Iterator[Broken]:
    declared = {member.name: member for member in (*found.fields, *found.hidden)}
    known = {*declared, *found.phantoms}
    tested = {member.name: member.node for member in when.fields or ()}
    for name in dict.fromkeys((*tested, *(when.required or ()))):
        pointer = tested[name].pointer if name in tested else join_pointer(when.pointer, "required")
        if name not in known:
            yield Broken("condition-undeclared", pointer, f"there is no field {quoted(name)}{suggestion(name, known)}")
        elif name in declared and name in tested:
            enums = [form.enum for node in declared[name].alternatives for form in node.forms if not form.shapes]
            allowed = {json.dumps(value) for enum in enums for value in enum or ()}
            wanted = [json.dumps(value) for value in tested[name].enum or ()]
            if None not in enums and (impossible := [value for value in wanted if value not in allowed]):
                yield Broken("condition-impossible", pointer, f"{name} is never {', '.join(impossible)}")


def pages(document: Document, around: Around) -> Iterator[Broken]:
    """Yield references to pages of commands that do not exist."""
    if document.is_facts:
        return
    known = around.commands if document.is_upstream else around.known
    for pointer, text in prose(document):
        for name in dict.fromkeys(_PAGE.findall(text)):
            if name not in known:
                meant = suggestion(name, known)
                yield Broken("unknown-page", pointer, f"no document describes the command {quoted(name)}{meant}")


def prose(document: Document) -> Iterator[tuple[str, str]]:
    """Yield each line of prose with its pointer: descriptions, notes and sections."""
    yield "/title", document.title
    yield from _lines("/description", document.description)
    for half in halves(document):
        for node in nodes(half):
            yield from _lines(join_pointer(node.pointer, "description"), node.description or ())
    response = document.response
    yield from _lines("/response/pre_return_value_notes", response.pre_notes or ())
    yield from _lines("/response/post_return_value_notes", response.post_notes or ())
    for section in document.sections:
        if isinstance(section.content, tuple):
            yield from _lines(join_pointer("", section.name), document.section(section.name))


def _lines(pointer: str, lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from ((join_pointer(pointer, at), line) for at, line in enumerate(lines))


def error_codes(document: Document, around: Around) -> Iterator[Broken]:
    """Yield codes that are listed twice, or that the error table does not have."""
    seen: Counter[int] = Counter()
    for at, line in enumerate(document.section("errors")):
        if (match := ERROR_LINE.fullmatch(line)) is None:
            continue
        code, pointer = int(match[1]), join_pointer("/errors", at)
        seen[code] += 1
        if seen[code] == 2:
            yield Broken("repeated-error", pointer, f"{code} is listed above")
        is_dropped = code not in around.errors.codes_of(document.name, [code])
        if around.errors.name and not is_dropped and around.errors.find(code) is None:
            yield Broken("unknown-error", pointer, f"{around.errors.name} does not name the code {code}")


CHECKS: Final = (known_to_the_generator, markers, conditions, pages, error_codes)
