"""Parse JSON strictly.

Stricter than the standard library: UTF-8 only, no duplicate keys, no NaN or infinity, no lone surrogates, and a limited
depth, so that code that walks the value later may recurse.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from rpcschema.problems import join_pointer

MAX_DEPTH: Final = 60
"""The most levels of nesting; Core Lightning's deepest document has a quarter of it."""
MAX_DIGITS: Final = 400
"""The most digits of a number; reading a longer one takes quadratic time, and nothing needs it."""

_STRING_OR_BRACKET: Final = re.compile(r'"(?:(?>[^"\\]++|\\.))*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """The bytes are not acceptable JSON; `place` is a JSON pointer or "line L column C"."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


def parse(data: bytes) -> Any:
    """Return the JSON value in `data` (UTF-8). Raises JsonError for the first problem."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError(_line_and_column(data[: error.start].decode("utf-8")), "not UTF-8 text") from None
    _refuse_depth(text)
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise JsonError(_line_and_column(text[: error.pos]), f"not JSON: {error.msg}") from None
    for pointer, message in _faults(value, ""):
        raise JsonError(pointer, message)
    return value


def _line_and_column(before: str) -> str:
    return f"line {before.count(chr(10)) + 1} column {len(before) - before.rfind(chr(10))}"


def _refuse_depth(text: str) -> None:
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                place = _line_and_column(text[: token.start()])
                raise JsonError(place, f"nested more than {MAX_DEPTH} levels deep")
        elif token[0] in "]}":
            depth -= 1


class _Repeating(dict[str, Any]):
    """An object with a duplicate key; `key` is the first such key."""

    key: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeating = _Repeating(value)
    count = Counter(key for key, _ in pairs)
    repeating.key = next(key for key in count if count[key] > 1)
    return repeating


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def _faults(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield (pointer, message) for everything that the standard library accepts and we do not."""
    match value:
        case dict():
            for key, entry in value.items():
                if _SURROGATE.search(key):
                    yield pointer, "a key contains half a surrogate pair, so it is not Unicode text"
                yield from _faults(entry, join_pointer(pointer, key))
            if isinstance(value, _Repeating):
                yield join_pointer(pointer, value.key), "the key is given twice"
        case list():
            for at, entry in enumerate(value):
                yield from _faults(entry, join_pointer(pointer, at))
        case str() if _SURROGATE.search(value):
            yield pointer, "the text contains half a surrogate pair, so it is not Unicode text"
        case float() if not math.isfinite(value):
            yield pointer, "the number is NaN, infinite or too large"
