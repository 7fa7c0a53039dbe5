"""Read HTTP/1.1 responses, without any I/O.

It accepts what servers and proxies send to a POST: a status line, fields, and a body of a stated length or in chunks.
Whatever else a response may be by RFC 9112, such as a body that ends with the connection, is an error, because a part
of it could pass for the whole.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from typing import Final, NamedTuple

MAX_HEAD_BYTES: Final = 1 << 16
"""The most bytes before a body, and in a line between chunks."""

_status_line: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?").fullmatch
_field_line: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*").fullmatch
_length: Final = re.compile(r"[0-9]{1,19}").fullmatch
_chunk_line: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?").fullmatch

_Steps = Generator[None, None, "HttpResponse"]


class HttpError(ValueError):
    """The bytes are not an HTTP response that can be read; the text says why, and quotes none of them."""


class HttpResponse(NamedTuple):
    """A response."""

    status: int
    fields: Mapping[str, str]
    """By name in lower case; the values of repeated fields are joined by commas."""
    body: bytes
    is_last: bool
    """Whether the connection takes no further request."""


class HttpReader:
    """Reads the responses of one connection, one after the other, from pieces of any size."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._steps = self._response()

    def feed(self, data: bytes) -> HttpResponse | None:
        """Return the response that `data` completes; None if more is needed. Raises HttpError."""
        self._buffer += data
        try:
            next(self._steps)
        except StopIteration as end:
            response: HttpResponse = end.value
            self._steps = self._response()
            # Nobody has asked for what follows, so it would be taken for the response to the next request.
            return response._replace(is_last=True) if self._buffer else response
        return None

    def _response(self) -> _Steps:
        while True:
            version, status, fields = yield from self._head()
            if status == 101 or not 100 <= status < 200:  # others only announce the response
                break
        body = yield from self._body(status, fields)
        options = [each.strip().lower() for each in fields.get("connection", "").split(",")]
        return HttpResponse(status, fields, body, is_last=version == b"0" or "close" in options)

    def _head(self) -> Generator[None, None, tuple[bytes, int, dict[str, str]]]:
        start, *lines = (yield from self._until(b"\r\n\r\n")).split(b"\r\n")
        matched = _status_line(start)
        if matched is None:
            raise HttpError("it does not begin as HTTP/1.1")
        fields: dict[str, str] = {}
        for line in lines:
            field = _field_line(line)
            if field is None:
                raise HttpError("it has a malformed header field")
            name, value = field[1].decode().lower(), field[2].decode("latin-1")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return matched[1], int(matched[2]), fields

    def _body(self, status: int, fields: Mapping[str, str]) -> Generator[None, None, bytes]:
        if status in (204, 304):
            return b""
        if (coding := fields.get("transfer-encoding")) is not None:
            if coding.lower() != "chunked" or "content-length" in fields:
                raise HttpError("its length is ambiguous, or its transfer coding unknown")
            return (yield from self._chunks())
        lengths = {each.strip() for each in fields.get("content-length", "").split(",")}
        if len(lengths) != 1 or not _length(length := lengths.pop()):
            raise HttpError("it does not state its length")
        return (yield from self._take(int(length)))

    def _chunks(self) -> Generator[None, None, bytes]:
        body = bytearray()
        while True:
            line = _chunk_line((yield from self._until(b"\r\n")))
            if line is None:
                raise HttpError("it has a malformed chunk")
            if not (size := int(line[1], 16)):
                break
            body += yield from self._take(size, already=len(body))
            if (yield from self._take(2)) != b"\r\n":
                raise HttpError("it has a malformed chunk")
        while (yield from self._until(b"\r\n")):
            pass  # trailing fields
        return bytes(body)

    def _until(self, end: bytes) -> Generator[None, None, bytes]:
        """Take the bytes before `end`, and `end` itself; return the former."""
        searched = 0
        while (at := self._buffer.find(end, searched)) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise HttpError(f"its head is longer than {MAX_HEAD_BYTES} bytes")
            searched = max(0, len(self._buffer) - len(end) + 1)
            yield
        found = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return found

    def _take(self, size: int, already: int = 0) -> Generator[None, None, bytes]:
        """Take `size` bytes of a body of which `already` bytes were taken."""
        if already + size > self._max_bytes:
            raise HttpError(f"it is longer than {self._max_bytes} bytes")
        while len(self._buffer) < size:
            yield
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found
