"""Checks of descriptions, and of the command lines in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import chain
from typing import Final

from rpcschema.lint.around import Around, halves
from rpcschema.lint.names import prose
from rpcschema.lint.rules import Broken
from rpcschema.model.nodes import Document, SchemaNode
from rpcschema.model.resolve import resolve
from rpcschema.model.walk import objects, parts
from rpcschema.problems import quoted, suggestion

_CALL: Final = re.compile(r"\blightning-cli\s+(.+)")
_ASSIGNED: Final = re.compile(r"([a-z][a-z0-9_-]*)=.*", re.DOTALL)


def descriptions(document: Document, _: Around) -> Iterator[Broken]:
    """Yield fields of which no declaration has a description."""
    if document.is_facts:
        return
    if not any(line.strip() for line in document.description):
        yield Broken("missing-description", "/description", "the document has no description")
    for node, found in chain.from_iterable(objects(half) for half in halves(document)):
        described = {member.name for part in parts(node) for member in part.fields or () if _is_described(member.node)}
        for member in found.fields:
            if member.name not in described:
                pointer = member.alternatives[0].pointer
                yield Broken("missing-description", pointer, f"{quoted(member.name)} has no description")


def _is_described(node: SchemaNode) -> bool:
    return any(line.strip() for form in node.forms for line in form.description or ())


def command_lines(document: Document, _: Around) -> Iterator[Broken]:
    """Yield parameters that command lines of the command give, and that it does not declare."""
    if document.kind != "rpc":
        return
    found = resolve(document.request)
    known = [member.name for member in (*found.fields, *found.hidden)]
    for pointer, line in prose(document):
        if (call := _CALL.search(line)) is None:
            continue
        words = _words(call[1])
        if document.name not in words or not {"-k", "--keywords", "--keyword"}.intersection(words):
            continue
        for word in words[words.index(document.name) + 1 :]:
            if (given := _ASSIGNED.fullmatch(word)) and given[1] not in known:
                message = (
                    f"the command line gives {quoted(given[1])}, which is no parameter{suggestion(given[1], known)}"
                )
                yield Broken("command-line-parameter", pointer, message)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


CHECKS: Final = (descriptions, command_lines)
