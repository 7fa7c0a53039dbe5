"""Split a stream into JSON objects at their closing brackets, before msgspec parses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_BLANKS: Final = re.compile(rb"[ \t\n\r]*+")
_TEXT: Final = re.compile(rb'[^"\\]*+(?:(?>\\.[^"\\]*+))*+', re.DOTALL)
_WHOLE_TEXTS: Final = re.compile(rb'[^"{}\[\]]*+(?:(?>"[^"\\]*+(?:(?>\\.[^"\\]*+))*+"[^"{}\[\]]*+))*+', re.DOTALL)
"""Everything up to the next bracket, or up to a text (JSON string) whose end has not arrived.

These patterns are possessive, so none backtracks. Repeated groups are atomic: before Python 3.11.5, a possessive
repetition could end within a group.
"""

_QUOTE, _BACKSLASH = b'"\\'


class ObjectReader:
    """Splits a stream into JSON objects, in linear time for pieces of any size.

    It looks only at brackets and quotes; the caller, who parses the objects, checks the rest of the syntax.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        """The current object, and the bytes after it."""
        self._at = 0
        """The position up to which brackets are counted."""
        self._depth = 0
        self._is_in_text = False

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the objects that `data` completes.

        Raises ValueError for anything but an object, invalid UTF-8 (UnicodeDecodeError), or an object longer than
        `max_bytes`.
        """
        self._buffer += data
        while self._find_end():
            text = self._buffer[: self._at]
            del self._buffer[: self._at]
            self._at = 0
            yield text.decode()
        if len(self._buffer) > self._max_bytes:
            raise ValueError(f"it is longer than {self._max_bytes} bytes")

    def _find_end(self) -> bool:
        """Go to the end of the object; return False if it has not arrived."""
        if self._depth == 0:
            del self._buffer[: _end(_BLANKS, self._buffer, 0)]
            if self._buffer and not self._buffer.startswith(b"{"):
                raise ValueError("a JSON object should begin here")
        while True:
            self._at = _end(_TEXT if self._is_in_text else _WHOLE_TEXTS, self._buffer, self._at)
            if self._at == len(self._buffer) or (sign := self._buffer[self._at]) == _BACKSLASH:  # half an escape
                return False
            self._at += 1
            if sign == _QUOTE:
                self._is_in_text = not self._is_in_text
                continue
            self._depth += 1 if sign in b"{[" else -1
            if self._depth == 0:
                return True


def _end(pattern: re.Pattern[bytes], buffer: bytearray, at: int) -> int:
    matched = pattern.match(buffer, at)
    return matched.end() if matched else at
