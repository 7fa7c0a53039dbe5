"""Checks of examples: they must be what the document itself declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from rpcschema.lint.around import Around
from rpcschema.lint.received import value_of
from rpcschema.lint.rules import Broken
from rpcschema.model.nodes import Document, Example
from rpcschema.model.resolve import resolve
from rpcschema.model.validation import faults
from rpcschema.problems import join_pointer, quoted, suggestion

_MOST: Final = 5
"""The most contradictions that are listed of a request or response."""


def examples(document: Document, _: Around) -> Iterator[Broken]:
    """Yield what the examples contradict."""
    if document.kind == "rpc" and not document.examples and not document.is_facts:
        yield Broken("missing-example", "", f"no example of {document.name}")
    for example in document.examples or ():
        if document.kind == "rpc":
            yield from _request(document, example)
        if isinstance(example.response, dict):
            pointer = join_pointer(example.pointer, "response")
            for place, message in islice(faults(document.response, example.response), _MOST):
                yield Broken("example-response", join_pointer(pointer, *place), message)


def _request(document: Document, example: Example) -> Iterator[Broken]:
    if not isinstance(example.request, Mapping):
        return
    pointer = join_pointer(example.pointer, "request")
    method = example.request.get("method", document.name)
    if method != document.name:
        message = f"the example calls {quoted(str(method))}, not {document.name}"
        yield Broken("example-method", join_pointer(pointer, "method"), message)
        return
    params, pointer = example.request.get("params", {}), join_pointer(pointer, "params")
    if isinstance(params, list):
        names = document.request.positional
        if len(params) > len(names) and not document.request.extras:
            yield Broken("example-request", pointer, f"{len(params)} values, where there are {len(names)} parameters")
        places: dict[str, str | int] = {name: at for at, name in enumerate(names)}
        given = {name: value for name, value in zip(names, params, strict=False) if value is not None}
    elif isinstance(params, dict):
        places, given = {}, params
    else:
        return
    yield from _parameters(document, given, pointer, places)


def _parameters(
    document: Document, given: Mapping[str, Any], pointer: str, places: Mapping[str, str | int]
) -> Iterator[Broken]:
    """Yield what is wrong with the parameters of an example; `places` says where each stands, if not at its name."""
    request = document.request
    found = resolve(request)
    known = [member.name for member in (*found.fields, *found.hidden)]
    for name in given:
        if name not in known and not request.extras:
            message = f"there is no parameter {quoted(name)}{suggestion(name, known)}"
            yield Broken("example-request", join_pointer(pointer, name), message)
    values = value_of(request, {name: value for name, value in given.items() if name in known})
    for place, message in islice(faults(request, values), _MOST):
        steps = [places.get(str(step), step) if at == 0 else step for at, step in enumerate(place)]
        yield Broken("example-request", join_pointer(pointer, *steps), f"{place[0]}: {message}" if place else message)


CHECKS: Final = (examples,)
