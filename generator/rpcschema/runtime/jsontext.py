"""JSON as text, for servers: cut messages out of a stream, and split objects and arrays without decoding them.

Ordinary decoders lose order, duplicates and spelling, but Core Lightning's checks depend on them: a parameter given
twice is an error, an escaped name is an unknown name, and an error quotes the token as written. The syntax is strict
(RFC 8259, UTF-8): text is refused once it can no longer become a JSON object, whatever follows.

Each step is one compiled regular expression. All are possessive (`*+`), so none backtracks, and none is recursive.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, TypeAlias

MAX_BYTES: Final = 4 << 20
"""The longest message."""
MAX_DEPTH: Final = 200
"""The most levels of arrays and objects; decoding the values is recursive and fails at about 1000."""
MAX_NUMBER: Final = 1000
"""The most characters of a number (Python reads integers up to 4300 digits)."""


class FramingError(ValueError):
    """No further message can be read from this stream; `text` is what came after the last message."""

    def __init__(self, why: str, text: bytes) -> None:
        super().__init__(why)
        self.text = text


class MalformedInput(FramingError):
    """The text can no longer become a JSON object."""


class LimitExceeded(FramingError):
    """The message may be valid JSON, but it is longer or nested deeper than allowed."""


class JsonType(StrEnum):
    """The type of a JSON value."""

    OBJECT = "object"
    ARRAY = "array"
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"


def _many(part: bytes) -> bytes:
    """Return a possessive repetition of `part`. (Before Python 3.11.5, `(?:...)*+` alone could end within a part.)"""
    return b"(?:(?>" + part + b"))*+"


_WS: Final = rb"[ \t\n\r]*+"
_PLAIN_TEXT: Final = rb'[^"\\\x00-\x1f]*+'
_TEXT: Final = _PLAIN_TEXT + _many(rb'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})' + _PLAIN_TEXT)
_STRING: Final = b'"' + _TEXT + b'"'
_LONG_NUMBER: Final = rb"[-+.0-9Ee]{%d}" % (MAX_NUMBER + 1)
_NUMBER: Final = b"(?!" + _LONG_NUMBER + rb")-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[Ee][-+]?[0-9]++)?(?![-+.0-9Ee])"
_SCALAR: Final = b"|".join((_STRING, _NUMBER, b"true", b"false", b"null"))


def _members_of(value: bytes) -> bytes:
    return _many(_STRING + _WS + b":" + _WS + value + _WS + b"(?:," + _WS + rb'(?=")|(?=\}))')


def _elements_of(value: bytes) -> bytes:
    return _many(value + _WS + b"(?:," + _WS + rb"(?=[^\]])|(?=\]))")


def _value_of(levels: int) -> bytes:
    """Return the pattern of any value with at most `levels` levels of arrays and objects."""
    if not levels:
        return b"(?:" + _SCALAR + b")"
    inner = _value_of(levels - 1)
    return b"(?:" + _SCALAR + rb"|\{" + _WS + _members_of(inner) + rb"\}|\[" + _WS + _elements_of(inner) + rb"\])"


_blanks: Final = re.compile(_WS).match
_text: Final = re.compile(_TEXT).match
_long_number: Final = re.compile(_LONG_NUMBER).match
_other_scalar: Final = re.compile(b"(?:" + _NUMBER + b"|true|false|null)").match

# Runs of complete members (elements), each with a comma if another follows: they match most of a message.
_RUN_LEVELS: Final = 2
_run_of_members: Final = re.compile(_WS + _members_of(_value_of(_RUN_LEVELS))).match
_run_of_elements: Final = re.compile(_WS + _elements_of(_value_of(_RUN_LEVELS))).match

# What more text can complete to an escape, or to a number or word.
_begun_escape: Final = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3})?").fullmatch
_begun_scalar: Final = re.compile(
    rb"-?(?:0|[1-9][0-9]*+)?|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]*+|(?:\.[0-9]++)?[Ee][-+]?[0-9]*+)"
    rb"|t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?"
).fullmatch

_QUOTE, _COMMA, _COLON, _OBJECT, _END_OBJECT, _ARRAY, _END_ARRAY = b'",:{}[]'
_NOTHING: Final = -1
"""Instead of a byte: the text ends here."""
_Skip: TypeAlias = Callable[[bytearray, int], "re.Match[bytes] | None"]


class Framer:
    """Cuts a stream of JSON objects into messages.

    `feed` it whatever arrives, in pieces of any size, then iterate: each item is the text of one object, without white
    space around it. The work is linear in the bytes fed, and it holds no more than one message and the last piece.

    Iterating raises MalformedInput, after all complete messages, at the first byte after which the stream cannot
    continue with an object. It raises LimitExceeded for a message of more than `max_bytes` bytes or `max_depth` levels,
    with more than `max_nested` arrays and objects (those without others inside need not count), or with a number of
    more than 1000 characters. Nothing more can be read after either.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, max_nested: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._max_nested = max_nested
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._buffer = bytearray()
        self._not_utf8 = b""
        self._start = 0
        """The position where the current message begins."""
        self._at = 0
        """The position up to which it was read."""
        self._open = bytearray()
        """The brackets that are open."""
        self._nested = 0
        """The number of brackets opened in the current message."""
        self._step: Callable[[], bool] = self._message
        """The function that reads what must come next; it returns False if that has not arrived completely."""

    @property
    def has_begun(self) -> bool:
        """Whether what was fed last ended within a message."""
        return bool(self._open)

    def feed(self, data: bytes) -> None:
        """Add what has arrived."""
        if self._not_utf8:
            return
        try:
            self._utf8.decode(data)
        except UnicodeDecodeError as error:
            good = max(0, len(data) - len(error.object) + error.start)
            data, self._not_utf8 = data[:good], data[good:]
        self._buffer += data

    def __iter__(self) -> Iterator[bytes]:
        """Yield the messages that are complete."""
        while self._advance():
            message = bytes(self._buffer[self._start : self._at])
            self._start = self._at
            yield message
        del self._buffer[: self._start]
        self._at -= self._start
        self._start = 0

    def _advance(self) -> bool:
        """Read on until a message is complete; return False if more text must arrive first."""
        while self._step():
            if not self._open:
                self._check_size(self._at)
                return True
        if self._not_utf8:
            raise self._malformed()
        self._check_size(len(self._buffer))
        return False

    def _message(self) -> bool:
        sign = self._skip(_blanks)
        self._start = self._at
        self._nested = 0
        return self._enter(sign) if sign == _OBJECT else self._wait_or_refuse(sign)

    def _first_name(self) -> bool:
        sign = self._skip(self._run(_run_of_members))
        if sign == _QUOTE:
            return self._pass(self._text_of_name)
        return self._leave() if sign == _END_OBJECT else self._wait_or_refuse(sign)

    def _next_name(self) -> bool:
        sign = self._skip(_blanks)
        return self._first_name() if sign == _QUOTE else self._wait_or_refuse(sign)

    def _text_of_name(self) -> bool:
        return self._text_ends() and self._pass(self._colon)

    def _colon(self) -> bool:
        sign = self._skip(_blanks)
        return self._pass(self._value) if sign == _COLON else self._wait_or_refuse(sign)

    def _value(self) -> bool:
        return self._begin(self._skip(_blanks))

    def _first_element(self) -> bool:
        sign = self._skip(self._run(_run_of_elements))
        return self._leave() if sign == _END_ARRAY else self._begin(sign)

    def _next_element(self) -> bool:
        sign = self._skip(_blanks)
        return self._wait_or_refuse(sign) if sign == _END_ARRAY else self._first_element()

    def _begin(self, sign: int) -> bool:
        """Read the beginning of any value; a number or word is read whole."""
        if sign == _QUOTE:
            return self._pass(self._text_of_value)
        if sign in (_OBJECT, _ARRAY):
            return self._enter(sign)
        if (scalar := _other_scalar(self._buffer, self._at)) and scalar.end() < len(self._buffer):
            self._at = scalar.end()
            self._step = self._after
            return True
        if _long_number(self._buffer, self._at):
            raise LimitExceeded(f"a number is longer than {MAX_NUMBER} characters", self._text())
        if _begun_scalar(self._buffer, self._at):
            return False
        raise self._malformed()

    def _text_of_value(self) -> bool:
        return self._text_ends() and self._pass(self._after)

    def _after(self) -> bool:
        sign, bracket = self._skip(_blanks), self._open[-1]
        if sign == _COMMA:
            return self._pass(self._next_name if bracket == _OBJECT else self._next_element)
        if sign == (_END_OBJECT if bracket == _OBJECT else _END_ARRAY):
            return self._leave()
        return self._wait_or_refuse(sign)

    def _run(self, run: _Skip) -> _Skip:
        """Return `run`, or `_blanks` if `run` could skip more levels than are allowed."""
        return run if len(self._open) + _RUN_LEVELS <= self._max_depth else _blanks

    def _skip(self, what: _Skip) -> int:
        """Skip what matches; return the byte that follows, or _NOTHING."""
        if matched := what(self._buffer, self._at):
            self._at = matched.end()
        return self._buffer[self._at] if self._at < len(self._buffer) else _NOTHING

    def _pass(self, then: Callable[[], bool]) -> bool:
        """Skip one byte; `then` is the next step."""
        self._at += 1
        self._step = then
        return True

    def _enter(self, bracket: int) -> bool:
        if len(self._open) >= self._max_depth:
            raise LimitExceeded(f"the message is nested deeper than {self._max_depth} levels", self._text())
        self._nested += 1
        if self._max_nested is not None and self._nested > self._max_nested:
            raise LimitExceeded(f"the message has more than {self._max_nested} arrays and objects", self._text())
        self._open.append(bracket)
        return self._pass(self._first_name if bracket == _OBJECT else self._first_element)

    def _leave(self) -> bool:
        self._open.pop()
        return self._pass(self._after if self._open else self._message)

    def _text_ends(self) -> bool:
        """Skip a string's text as far as it has arrived; return whether its closing quote follows."""
        sign = self._skip(_text)
        return sign == _QUOTE or (not _begun_escape(self._buffer, self._at) and self._wait_or_refuse(sign))

    def _wait_or_refuse(self, sign: int) -> bool:
        if sign != _NOTHING:
            raise self._malformed()
        return False

    def _check_size(self, end: int) -> None:
        if end - self._start > self._max_bytes:
            raise LimitExceeded(f"the message is longer than {self._max_bytes} bytes", self._text())

    def _malformed(self) -> MalformedInput:
        return MalformedInput("this can never become a JSON object", self._text())

    def _text(self) -> bytes:
        return bytes(self._buffer[self._start :]) + self._not_utf8


# Valid text needs less care: a comma can be skipped like white space, and a scalar ends at a delimiter. The last
# alternative, which is empty, matches at an array or object with another one inside.
_GAP: Final = rb"[ \t\n\r,]*+"
_WITHOUT_ESCAPES: Final = rb'[^"]*+(?<!\\)(?=")'  # most texts, and it takes half the time
_GOOD_TEXT: Final = b"(?:" + _WITHOUT_ESCAPES + rb'|[^"\\]*+' + _many(rb'\\.[^"\\]*+') + b")"
_TO_BRACKET: Final = rb'[^"{}\[\]]*+' + _many(b'"' + _GOOD_TEXT + rb'"[^"{}\[\]]*+')
_FLAT: Final = rb"[{\[]" + _TO_BRACKET + rb"[}\]]"
_GOOD_VALUE: Final = b'("' + _GOOD_TEXT + rb'"|[^"{}\[\]:, \t\n\r]++|' + _FLAT + rb"|(?=[{\[]))"
_member: Final = re.compile(_GAP + b'"(' + _GOOD_TEXT + b')"' + _WS + b":" + _WS + _GOOD_VALUE).match
_element: Final = re.compile(_GAP + _GOOD_VALUE).match
_to_bracket: Final = re.compile(_TO_BRACKET + rb"([{}\[\]])").match


def members(raw: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return the members of a valid object as written, in order, with duplicates.

    Each is the name, without its quotes, and the value.
    """
    found: list[tuple[bytes, bytes]] = []
    at = raw.index(b"{") + 1
    while matched := _member(raw, at):
        name, value = matched.groups()
        at = matched.end()
        if not value:
            value = raw[at : (at := _end_of(raw, at))]
        found.append((name, value))
    return tuple(found)


def elements(raw: bytes) -> tuple[bytes, ...]:
    """Return the elements of a valid array as written."""
    found: list[bytes] = []
    at = raw.index(b"[") + 1
    while matched := _element(raw, at):
        value = matched[1]
        at = matched.end()
        if not value:
            value = raw[at : (at := _end_of(raw, at))]
        found.append(value)
    return tuple(found)


def _end_of(raw: bytes, at: int) -> int:
    """Return the position after the bracket that closes the one at `at`."""
    depth = 0
    while matched := _to_bracket(raw, at):
        at = matched.end()
        depth += 1 if matched[1] in b"{[" else -1
        if depth == 0:
            break
    return at


_TYPES: Final = {
    ord("{"): JsonType.OBJECT,
    ord("["): JsonType.ARRAY,
    ord('"'): JsonType.STRING,
    ord("n"): JsonType.NULL,
} | dict.fromkeys(b"tf", JsonType.BOOLEAN)


def json_type(raw: bytes) -> JsonType:
    """Return the type of `raw`, a valid value without white space around it."""
    return _TYPES.get(raw[0], JsonType.NUMBER)
