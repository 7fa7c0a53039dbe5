"""Parse what a client sends: the method, the rune, and the parameters as the node gets them.

A rune can restrict the parameters of a call, and the node compares them as they are written. So a parameter has one
spelling here: escapes in names and texts are resolved where JSON allows it, and no name may occur twice. The command
gets the same bytes as `checkrune`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from clnrpc.runtime.errors import METHOD_NOT_FOUND
from clnrpc.runtime.jsontext import Framer, FramingError, members

Headers: TypeAlias = Collection[tuple[bytes, bytes]]
"""Names in lower case, and values."""

MAX_HEAD_BYTES: Final = 1 << 15
"""The longest head of a request; a rune may have 16,384 characters."""
MAX_BODY_BYTES: Final = 1 << 18
"""The longest body, twice as long as the longest string for `decode`."""
MAX_NESTED: Final = 9_000
"""The most arrays and objects in a body; they take longest to read."""
MAX_DEPTH: Final = 190
"""The most levels of arrays and objects in a body."""
MAX_FIELDS: Final = 1_000
"""The most fields of a form."""

MISSING_RUNE: Final = 1501
LIST_METHODS: Final = "list-methods"

_path: Final = re.compile(r"/v1/([A-Za-z0-9._-]{1,100})").fullmatch
_text: Final = re.compile(rb'"[^"\\]*+(?:(?>\\.[^"\\]*+))*+"', re.DOTALL)
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_ANY: Final = "*/*"
_CHARSETS: Final = ("utf-8", "utf8", "us-ascii")
_is_zero: Final = re.compile(r"0(?:\.0*)?").fullmatch


class RefusedError(Exception):
    """A request that is answered with an error of this package."""

    def __init__(
        self,
        status: int,
        message: str,
        code: int | None = None,
        data: Any = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.headers = headers
        """What the answer has beside the usual ones."""
        self.code = code
        self.message = message
        self.data = data

    def body(self) -> bytes:
        """Return the answer's body: the error object."""
        return msgspec.json.encode({"code": self.code, "message": self.message, "data": self.data})


def too_long() -> RefusedError:
    """Return the error for a body that is longer than allowed."""
    return RefusedError(413, f"The body is longer than {MAX_BODY_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the path and the headers of a valid request say. `rune` may be any text."""

    method: str
    rune: str
    status: int
    """The status of its answer if the call succeeds."""
    is_form: bool = False


def read_head(verb: str, path: str, headers: Headers) -> Head:
    """Parse the path and the headers of a request.

    Raises:
        RefusedError: if there is no such path, the verb is another one, the rune is missing, the head or body is too
            long, its length is given in two ways, or the form of the body or of the answer is not supported.
    """
    if _values(headers, b"transfer-encoding") and _values(headers, b"content-length"):
        # A proxy may take another part of the stream for the body. RFC 9112, 6.3: the connection cannot go on.
        message = "The request has both headers transfer-encoding and content-length"
        raise RefusedError(400, message, headers=[(b"connection", b"close")])
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
        raise RefusedError(431, f"The headers are longer than {MAX_HEAD_BYTES} bytes")
    found = _path(path)
    if found is None:
        raise RefusedError(404, "Path not found", METHOD_NOT_FOUND)
    method, lists = found[1], found[1] == LIST_METHODS and verb == "GET"
    if verb != "POST" and not lists:
        raise RefusedError(405, f"Only POST calls a command, not {verb}", headers=[(b"allow", b"POST")])
    rune = _only(headers, b"rune")
    if not rune:
        raise RefusedError(403, "Not authorized: Missing rune", MISSING_RUNE)
    accepted = ",".join(_values(headers, b"accept"))
    if accepted and not _accepts_json(accepted):
        raise RefusedError(406, f"Unsupported accept header: {accepted}")
    if lists:
        return Head(method="help", rune=rune, status=200)
    length = _only(headers, b"content-length")
    if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:
        raise too_long()
    return Head(method=method, rune=rune, status=201, is_form=_has_form(headers))


def _has_form(headers: Headers) -> bool:
    """Return whether a body is a form; otherwise it is JSON.

    Raises:
        RefusedError: if it is something else, or in an encoding or character set that is not read.
    """
    encoding = ",".join(_values(headers, b"content-encoding"))
    if encoding and any(each.strip().lower() != "identity" for each in encoding.split(",")):
        message = f"Unsupported content-encoding header: {encoding}"
        raise RefusedError(415, message, headers=[(b"accept-encoding", b"identity")])
    content_type = _only(headers, b"content-type") or _JSON
    media_type, parameters = _media_type(content_type)
    if media_type not in (_JSON, _FORM, _ANY):
        raise RefusedError(406, f"Unsupported content-type header: {content_type}")
    if parameters.get("charset", "utf-8").lower() not in _CHARSETS:
        raise RefusedError(415, f"Unsupported charset {parameters['charset']}: send UTF-8")
    return media_type == _FORM


def _accepts_json(accepted: str) -> bool:
    """Return whether a client that sends this header Accept reads JSON: the range that is closest to it decides."""
    found = [_media_type(each) for each in accepted.split(",")]
    for media_type in (_JSON, "application/*", _ANY):
        weights = [parameters.get("q", "1") for name, parameters in found if name == media_type]
        if weights:
            return not all(map(_is_zero, weights))
    return False


def read_parameters(body: bytes, *, is_form: bool) -> bytes:
    """Return the parameters in a body as the text of a JSON object, each name once and without null values.

    Raises:
        RefusedError: if the body is not a JSON object or a form, or contains a name twice.
    """
    found: dict[bytes, bytes] = {}
    for name, value in _fields(body) if is_form else _members(body):
        if name in found:
            raise RefusedError(406, f"The parameter {name.decode()} is given twice")
        found[name] = value
    return b"{%b}" % b",".join(b'"%b":%b' % each for each in found.items() if each[1] != b"null")


def _members(body: bytes) -> Sequence[tuple[bytes, bytes]]:
    if not body.strip():
        return ()
    framer = Framer(MAX_BODY_BYTES, max_depth=MAX_DEPTH, max_nested=MAX_NESTED)
    try:
        framer.feed(body)
        messages = [*framer]
    except FramingError as error:
        raise RefusedError(400, f"The body is not the JSON object of the parameters: {error}") from None
    if len(messages) != 1 or framer.has_begun:
        raise RefusedError(400, "The body is not one whole JSON object")
    try:
        return members(_text.sub(_plain, messages[0]) if b"\\" in body else messages[0])
    except msgspec.DecodeError:
        raise RefusedError(400, "The body contains half of a surrogate pair, which is no text") from None


def _plain(text: re.Match[bytes]) -> bytes:
    """Return a text in JSON with no more escapes than necessary."""
    return msgspec.json.encode(msgspec.json.decode(text[0])) if b"\\" in text[0] else text[0]


def _fields(body: bytes) -> Sequence[tuple[bytes, bytes]]:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise RefusedError(400, f"The form is not UTF-8, or has more than {MAX_FIELDS} fields") from None
    return [(msgspec.json.encode(name)[1:-1], msgspec.json.encode(value)) for name, value in fields]


def _media_type(value: str) -> tuple[str, dict[str, str]]:
    """Return a media type and its parameters, names in lower case."""
    media_type, *parameters = value.split(";")
    pairs = [each.partition("=") for each in parameters]
    return media_type.strip().lower(), {name.strip().lower(): text.strip(' \t"') for name, _, text in pairs}


def _values(headers: Headers, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == wanted]


def _only(headers: Headers, wanted: bytes) -> str:
    """Return the value of a header; "" if it is missing."""
    values = _values(headers, wanted)
    if len(values) > 1:
        raise RefusedError(400, f"The request has {len(values)} headers {wanted.decode()}: one is allowed")
    return values[0] if values else ""
