"""Encode requests, and parse responses, without any I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec

from ..command import Command, load_type
from ..errors import ProtocolError, RpcError
from ..values.decode import decode
from ..values.encode import encode

if TYPE_CHECKING:
    from .objects import ObjectReader

MAX_RESPONSE_BYTES: Final = 1 << 30
QUOTED_BYTES: Final = 1000
"""The number of bytes that a message quotes of an error that is not JSON-RPC."""

Params: TypeAlias = Mapping[str, Any] | Sequence[Any] | None


def request_id(method: str, number: int) -> str:
    """Return an id for a transport's request number `number`; nodes write it to their log."""
    return f"clnrpc:{method}#{number}"


def encode_request(identity: str, method: str, params: bytes, response_filter: bytes | None = None) -> bytes:
    """Return the bytes of a request; `params` and `response_filter` must be JSON texts."""
    last = b"" if response_filter is None else b',"filter":%b' % response_filter
    return b'{"jsonrpc":"2.0","id":%b,"method":%b,"params":%b%b}' % (encode(identity), encode(method), params, last)


def encode_params(params: Params) -> bytes:
    """Return the JSON text of parameters.

    In a mapping, parameters that are None are left out. In a sequence they become null, so that the positions of the
    others stay the same.
    """
    if isinstance(params, Mapping):
        params = {name: value for name, value in params.items() if value is not None}
    return encode({} if params is None else params)


def decode_response(package: str, command: Command, raw: bytes) -> Any:
    """Decode the JSON text of a result into the command's response class. Raises DecodeError."""
    return decode(load_type(package, command, "response"), raw)


class ResponseObject(NamedTuple):
    """One response: the id of its request, and its outcome.

    The id is None if the node could not read the request.
    """

    identity: str | None
    outcome: bytes | ErrorObject | str
    """The result's JSON text; the error; or, if the response has neither, a message that says so."""

    def result(self, method: str) -> bytes:
        """Return the result's JSON text. Raises RpcError or ProtocolError, which name `method`."""
        if isinstance(self.outcome, bytes):
            return self.outcome
        if isinstance(self.outcome, str):
            raise ProtocolError(f"{method}: {self.outcome}")
        raise RpcError(self.outcome.code, self.outcome.message, self.outcome.data, method=method)


class ErrorObject(msgspec.Struct):
    """The error of a JSON-RPC response."""

    code: int
    message: str
    data: Any = None


class _Envelope(msgspec.Struct):
    """A JSON-RPC response, or a notification, which has no id."""

    id: Any = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw = msgspec.Raw(b"null")
    """Decoded later: lightningd forwards plugins' errors unchecked, and a wrong one must fail only its own call."""


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_error: Final = msgspec.json.Decoder(ErrorObject | None).decode


class ResponseReader:
    """Splits the bytes from a node into responses; skips notifications."""

    def __init__(self) -> None:
        self._objects: ObjectReader | None = None
        """None until a response arrives in several pieces."""

    def feed(self, data: bytes) -> Iterator[ResponseObject]:
        """Yield the responses that `data` completes. Raises ProtocolError for anything but JSON-RPC."""
        for envelope in self._envelopes(data):
            if isinstance(envelope.id, str):
                yield ResponseObject(envelope.id, _outcome(envelope))
            elif envelope.id is None and not isinstance(outcome := _outcome(envelope), bytes):
                yield ResponseObject(None, outcome)

    def _envelopes(self, data: bytes) -> Iterator[_Envelope]:
        if self._objects is None:
            try:  # nearly every response arrives in one piece
                yield _decode_envelope(str(data, "utf-8"))  # msgspec does not check the UTF-8 of skipped bytes
            except _UNREADABLE:
                # Imported here because compiling its patterns takes longer than a call.
                from .objects import ObjectReader

                self._objects = ObjectReader(MAX_RESPONSE_BYTES)
            else:
                return
        try:
            yield from map(_decode_envelope, self._objects.feed(data))
        except _UNREADABLE:
            raise ProtocolError("the response is not JSON-RPC: wrong syntax, or nested too deeply") from None
        except ValueError as error:
            raise ProtocolError(f"the response is not JSON-RPC: {error}") from None


def _outcome(envelope: _Envelope) -> bytes | ErrorObject | str:
    try:
        error: ErrorObject | None = _decode_error(envelope.error)  # annotated for msgspec 0.18
    except (msgspec.DecodeError, RecursionError):
        quoted = bytes(envelope.error)[:QUOTED_BYTES].decode(errors="replace")
        return f"the response has an error without an integer code and a text message: {quoted}"
    if error is not None:
        return error
    if isinstance(envelope.result, msgspec.UnsetType):
        return "the response has neither a result nor an error"
    return bytes(envelope.result)
