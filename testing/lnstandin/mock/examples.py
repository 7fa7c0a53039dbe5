"""The examples of a document as answers: the one whose request is closest to the call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lnstandin.mock.requests import Reader
from rpcschema.model.nodes import Document
from rpcschema.model.validation import is_valid


@dataclass(frozen=True, slots=True)
class Exchange:
    """An example: parameters by name, and the answer."""

    params: Mapping[str, Any]
    answer: dict[str, Any]


def exchanges(document: Document, reader: Reader) -> tuple[Exchange, ...]:
    """Return the examples whose answers are valid by their own document; many released ones are not."""
    return tuple(_exchanges(document, reader))


def closest(known: tuple[Exchange, ...], params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answer of the example that is closest to a call; None without examples.

    It shares the most parameters with the call, and has the fewest others.
    """
    best = max(known, key=lambda each: _likeness(each.params, params), default=None)
    return None if best is None else best.answer


def _exchanges(document: Document, reader: Reader) -> Iterator[Exchange]:
    for example in document.examples or ():
        request, answer = example.request, example.response
        params = request.get("params") if isinstance(request, Mapping) else None
        if isinstance(params, dict | list) and isinstance(answer, dict) and is_valid(document.response, answer):
            yield Exchange(reader.by_name(params), answer)


def _likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return how many parameters are equal, how many have the same name, and how few only one of them has."""
    shared = one.keys() & other.keys()
    return sum(one[name] == other[name] for name in shared), len(shared), -len(one.keys() ^ other.keys())
