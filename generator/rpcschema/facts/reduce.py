"""Reduce a document to its facts: all that a program needs from it, without its author's prose.

A document of facts uses the same dialect and is marked by its `$schema`. It declares the same fields in the same order
and under the same conditions, so the same types follow from it. Its title and descriptions are our own words, which
this module also carries over from one release's facts to the next.

It leaves out descriptions, notes, examples, comments, every section except the codes of the errors, and defaults that
are prose. A marker `{}` stays even if nothing declares its name, because the conditionals around it decide what it
allows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, TypeAlias

from rpcschema.model.conditions import Condition, condition
from rpcschema.model.nodes import FACTS, KIND_NAMES, Branch, Document, Lines, Property, Request, SchemaNode
from rpcschema.python.types import default_fact
from rpcschema.text.words import condition_words

NodePlace: TypeAlias = tuple[str | int | Condition, ...]
"""The position of a node by names and conditions, which stays the same when others are added or removed before it. A
number distinguishes nodes with the same names and conditions."""
_ELEMENT: Final = "[]"
_PLAIN: Final = {
    "added": "added",
    "deprecated": "deprecated",
    "hidden": "hidden",
    "untyped": "untyped",
    "enum": "enum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "required": "required",
    "extras": "additionalProperties",
}
"""Attributes of a node that are copied into the document, and their keywords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The title and descriptions of a document of facts, in our own words."""

    title: str
    description: Lines = ()
    fields: Mapping[NodePlace, Lines] = field(default_factory=dict)
    """The descriptions of fields and of other nodes."""


def placeholder(document: Document) -> str:
    """Return the title of a document that has no words yet."""
    return f"The {KIND_NAMES[document.kind]} {document.name}"


def words_of(document: Document) -> Words:
    """Return the words of `document`, a document of facts."""
    described = {place: node.description for place, node in places(document).items() if node.description}
    return Words(title=document.title, description=document.description, fields=described)


def lost(words: Words, document: Document) -> tuple[NodePlace, ...]:
    """Return the places of `words` that `document` no longer declares."""
    there = places(document)
    return tuple(place for place in words.fields if place not in there or there[place].is_marker)


def facts(document: Document, words: Words) -> dict[str, Any]:
    """Return the facts of `document` as JSON, with `words` at the places that it still has."""
    described = {
        node.pointer: words.fields[place]
        for place, node in places(document).items()
        if place in words.fields and not node.is_marker
    }
    top = {
        "added": document.added,
        "deprecated": document.deprecated,
        document.kind: document.name,
        "title": words.title,
        "categories": document.categories,
        "description": words.description,
        "request": _request(document.request, described),
        "response": _node(document.response, described),
        "errors": tuple(f"- {code}" for code in document.error_codes) or None,
    }
    return {
        "$schema": FACTS,
        "type": "object",
        **{key: _plain(value) for key, value in top.items() if value is not None},
    }


def to_bytes(facts: Mapping[str, Any]) -> bytes:
    """Return the file content for `facts`: UTF-8, indented by two spaces, with a final newline."""
    return (json.dumps(facts, ensure_ascii=False, indent=2) + "\n").encode()


def places(document: Document) -> dict[NodePlace, SchemaNode]:
    """Return all nodes that can have a description, by place; those inside of an `if` cannot."""
    found: dict[NodePlace, SchemaNode] = {}
    counts: Counter[NodePlace] = Counter()
    halves = (_places(document.request, ("request",)), _places(document.response, ("response",)))
    for place, node in chain.from_iterable(halves):
        counts[place] += 1
        found[place if counts[place] == 1 else (*place, counts[place])] = node
    return found


def place_words(place: NodePlace) -> str:
    """Return a readable form of a place, e.g. response.peers[].state(if `alive` is true)."""
    return "".join(map(_step_words, place))


def _step_words(step: str | int | Condition) -> str:
    match step:
        case str():
            return step
        case int():
            return f"#{step}"
        case Condition():
            return f"(if {condition_words(step)})"


def _places(node: SchemaNode, place: NodePlace) -> Iterator[tuple[NodePlace, SchemaNode]]:
    yield place, node
    for member in node.fields or ():
        yield from _places(member.node, (*place, f".{member.name}"))
    if node.items is not None:
        yield from _places(node.items, (*place, _ELEMENT))
    for branch in node.branches:
        for side, negated in ((branch.then, False), (branch.otherwise, True)):
            if side is not None:
                yield from _places(side, (*place, condition(branch.when, negated=negated)))
    for alternatives in (node.any_of, node.one_of):
        for at, alternative in enumerate(alternatives, 1):
            yield from _places(alternative, (*place, f"(form {at})"))


def _request(request: Request, described: Mapping[str, Lines]) -> dict[str, Any]:
    rules = {
        "oneOfMany": request.one_of_many,
        "pairedWith": request.paired_with,
        "dependentUpon": None if request.dependent_upon is None else dict(request.dependent_upon),
    }
    return {**_node(request, described), **{key: _plain(value) for key, value in rules.items() if value is not None}}


def _node(node: SchemaNode, described: Mapping[str, Lines]) -> dict[str, Any]:
    listed = {
        "type": node.type,
        "description": described.get(node.pointer),
        "default": default_fact(node),
        **{keyword: getattr(node, attribute) for attribute, keyword in _PLAIN.items()},
    }
    raw = {keyword: _plain(value) for keyword, value in listed.items() if value is not None}
    if node.fields is not None:
        raw["properties"] = _fields(node.fields, described)
    if node.items is not None:
        raw["items"] = _node(node.items, described)
    for branch in node.branches:
        if branch.in_all_of:
            raw.setdefault("allOf", []).append(_branch(branch, described))
        else:
            raw |= _branch(branch, described)
    for keyword, alternatives in (("anyOf", node.any_of), ("oneOf", node.one_of)):
        if alternatives:
            raw[keyword] = [_node(alternative, described) for alternative in alternatives]
    return raw


def _fields(fields: tuple[Property, ...], described: Mapping[str, Lines]) -> dict[str, Any]:
    """Return the members. One that had only prose gets an empty description, so that it does not become a marker."""
    return {
        member.name: _node(member.node, described) or ({} if member.node.is_marker else {"description": []})
        for member in fields
    }


def _branch(branch: Branch, described: Mapping[str, Lines]) -> dict[str, Any]:
    sides = {"if": branch.when, "then": branch.then, "else": branch.otherwise}
    return {keyword: _node(side, described) for keyword, side in sides.items() if side is not None}


def _plain(value: Any) -> Any:
    """Return `value` with lists instead of tuples, as JSON has them."""
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return {key: _plain(entry) for key, entry in value.items()} if isinstance(value, dict) else value
