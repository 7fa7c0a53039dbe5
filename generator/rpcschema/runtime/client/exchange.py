"""The two halves of a call as a client sees them, without any I/O: request to bytes, and bytes to reply."""

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

MAX_ANSWER_BYTES: Final = 1 << 30
SHOWN_BYTES: Final = 1000
"""How much of an error that is none of JSON-RPC is quoted."""

Params: TypeAlias = Mapping[str, Any] | Sequence[Any] | None


def request_id(method: str, number: int) -> str:
    """Return the id of a transport's `number`-th request; a node's log shows it."""
    return f"clnrpc:{method}#{number}"


def encode_request(identity: str, method: str, params: bytes, only: bytes | None = None) -> bytes:
    """Return the bytes of a request whose parameters, and filter if there is one, are JSON text already."""
    last = b"" if only is None else b',"filter":%b' % only
    return b'{"jsonrpc":"2.0","id":%b,"method":%b,"params":%b%b}' % (encode(identity), encode(method), params, last)


def encode_params(params: Params) -> bytes:
    """Return the JSON text of parameters.

    Those by name that are None are left out; those by position stay, as null keeps a place there.
    """
    if isinstance(params, Mapping):
        params = {name: value for name, value in params.items() if value is not None}
    return encode({} if params is None else params)


def decode_response(package: str, command: Command, raw: bytes) -> Any:
    """Return a result as the command's response class. Raises DecodeError."""
    return decode(load_type(package, command, "response"), raw)


class ResponseObject(NamedTuple):
    """One answer: the id of its request, and what it says.

    The id is None if the node could not read the request.
    """

    identity: str | None
    outcome: bytes | ErrorObject | str
    """The result's JSON text; or the error; or, if the answer holds neither, a text that says so."""

    def result(self, method: str) -> bytes:
        """Return the result's JSON text to the caller of `method`. Raises RpcError or ProtocolError."""
        if isinstance(self.outcome, bytes):
            return self.outcome
        if isinstance(self.outcome, str):
            raise ProtocolError(f"{method}: {self.outcome}")
        raise RpcError(self.outcome.code, self.outcome.message, self.outcome.data, method=method)


class ErrorObject(msgspec.Struct):
    """The error of a JSON-RPC answer."""

    code: int
    message: str
    data: Any = None


class _Envelope(msgspec.Struct):
    """A JSON-RPC answer, or a notification, which has no id."""

    id: Any = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw = msgspec.Raw(b"null")
    """Not looked into here: lightningd passes on what a plugin answers, and one plugin's slip is no other call's."""


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_error: Final = msgspec.json.Decoder(ErrorObject | None).decode


class ResponseReader:
    """Cuts what a node sends into replies; notifications are passed over."""

    def __init__(self) -> None:
        self._objects: ObjectReader | None = None
        """Not before something comes in pieces."""

    def feed(self, data: bytes) -> Iterator[ResponseObject]:
        """Yield the replies that are complete with `data`. Raises ProtocolError for anything but JSON-RPC."""
        for envelope in self._envelopes(data):
            if isinstance(envelope.id, str):
                yield ResponseObject(envelope.id, _outcome(envelope))
            elif envelope.id is None and not isinstance(outcome := _outcome(envelope), bytes):
                yield ResponseObject(None, outcome)

    def _envelopes(self, data: bytes) -> Iterator[_Envelope]:
        if self._objects is None:
            try:  # nearly every answer comes whole
                yield _decode_envelope(str(data, "utf-8"))  # of bytes msgspec would not check what it passes over
            except _UNREADABLE:
                # Its patterns take longer to compile than a call takes.
                from .objects import ObjectReader

                self._objects = ObjectReader(MAX_ANSWER_BYTES)
            else:
                return
        try:
            yield from map(_decode_envelope, self._objects.feed(data))
        except _UNREADABLE:
            raise ProtocolError("the answer is no JSON-RPC: its syntax is wrong, or it is nested too deeply") from None
        except ValueError as error:
            raise ProtocolError(f"the answer is no JSON-RPC: {error}") from None


def _outcome(envelope: _Envelope) -> bytes | ErrorObject | str:
    try:
        error: ErrorObject | None = _decode_error(envelope.error)  # msgspec 0.18 does not tell type checkers
    except (msgspec.DecodeError, RecursionError):
        shown = bytes(envelope.error)[:SHOWN_BYTES].decode(errors="replace")
        return f"the answer is an error without JSON-RPC's integer code and text message: {shown}"
    if error is not None:
        return error
    if isinstance(envelope.result, msgspec.UnsetType):
        return "the answer has neither a result nor an error"
    return bytes(envelope.result)
