"""The errors of a call: an error response from the node, or no usable response.

`RpcError` is a response: the other side understood the request and refused it. `ClientError` and its subclasses mean
that there is no usable response; if it matters, the message says whether the command was carried out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, TypeVar

INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
GENERIC: Final = -1
"""LIGHTNINGD in Core Lightning's common/jsonrpc_errors.h: an error without its own code."""


class Outcome(StrEnum):
    """What an error means for the call that failed, and for the money that it would have spent.

    It applies to this call only: an earlier one for the same invoice may still pay.
    """

    FAILED = "failed"
    """The call has done nothing, and will do nothing."""
    UNKNOWN = "unknown"
    """The call may have succeeded, or may still succeed: look it up before you repeat it."""
    DONE = "done"
    """What the call asks for was done before."""
    RETRY = "retry"
    """The call has done nothing, and will do nothing; the same call, or another attempt, may succeed later."""


class RpcError(Exception):
    """An error response to a command.

    `code` is a number of JSON-RPC or Core Lightning (common/jsonrpc_errors.h), `message` one readable line, and `data`
    any JSON value, or None. `method` is the command that a client called, and None if a service raises the error.
    `outcome` says what the error means for the call; a client knows it for some codes of some commands. The text
    consists of the method, the code and the message. The client adds no parameters to it, because they may be secret.
    """

    def __init__(
        self,
        code: int,
        message: str,
        data: Any = None,
        *,
        method: str | None = None,
        outcome: Outcome = Outcome.UNKNOWN,
    ) -> None:
        super().__init__(code, message, data)
        self.code = code
        self.message = message
        self.data = data
        self.method = method
        self.outcome = outcome

    def __str__(self) -> str:
        called = "" if self.method is None else f"{self.method}: "
        return f"{called}{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """Return the error object of a JSON-RPC response: code, message and, unless it is None, data."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def unknown_command(name: str) -> RpcError:
    """Return the error for a command that the service does not have."""
    return RpcError(METHOD_NOT_FOUND, f"Unknown command '{name}'")


class ClientError(Exception):
    """A call got no usable response. `outcome` says whether the node may have carried it out."""

    outcome: Outcome = Outcome.UNKNOWN


class TransportError(ClientError, ConnectionError):
    """The connection to the node failed."""


class CannotConnectError(TransportError):
    """Nothing listens at the socket's path; nothing was sent."""

    outcome = Outcome.FAILED


class ConnectionLostError(TransportError):
    """The connection ended before the response; the message says whether the command may have been carried out."""


class RpcTimeoutError(ClientError, TimeoutError):
    """No response came within the client's timeout; the message says whether the command may still be carried out."""


class ProtocolError(ClientError):
    """The node sent something that is not a JSON-RPC response."""


class EncodeError(ClientError, ValueError):
    """JSON cannot represent a value, such as text with a lone surrogate, NaN or an object; nothing was sent."""

    outcome = Outcome.FAILED


class ParameterError(ClientError, ValueError):
    """The command's document does not allow these parameters together; nothing was sent."""

    outcome = Outcome.FAILED


class DecodeError(ClientError, ValueError):
    """A response is not JSON, or not an object though the command's document says so."""


class MissingFieldError(ClientError, AttributeError):
    """A required attribute was read that the node did not send; `name` is the attribute's name.

    It is an AttributeError, so `hasattr`, and `getattr` with a default, work for fields that an older node may not
    send.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, vars(self) | {"name": self.name}  # Python 3.11 leaves out the name


class VersionWarning(UserWarning):
    """The node's release differs from the release of the client's types."""


def cannot_connect(path: str, reason: OSError) -> CannotConnectError:
    """Return the error that names the socket, the reason, and what to do."""
    hint = "is the node running, and is this its lightning-rpc socket (<lightning-dir>/<network>/lightning-rpc)?"
    return CannotConnectError(f"cannot connect to {path}: {reason.strerror or reason}; {hint}")


def queue_is_full(path: str) -> RpcTimeoutError:
    """Return the error for a node whose queue of connections stayed full until the timeout."""
    message = f"cannot connect to {path} in time: the node's connection queue is full; nothing was sent"
    return _with_outcome(RpcTimeoutError(message), sent=False)


def connection_lost(method: str, *, sent: bool) -> ConnectionLostError:
    """Return the error for a connection that the node ended; `sent` says whether the whole request was sent."""
    message = (
        f"{method}: the node closed the connection before it responded; the command may have been carried out"
        if sent
        else f"{method}: the node closed the connection before the request was sent in full; {_NOT_CARRIED_OUT}"
    )
    return _with_outcome(ConnectionLostError(message), sent=sent)


def client_closed(method: str, *, sent: bool) -> ConnectionLostError:
    """Return the error for a pending call of a closed client."""
    outcome = "the command may have been carried out" if sent else _NOT_CARRIED_OUT
    message = f"{method}: the client was closed before the node responded; {outcome}"
    return _with_outcome(ConnectionLostError(message), sent=sent)


def timed_out(method: str, timeout: float | None, *, sent: bool = True) -> RpcTimeoutError:
    """Return the error for a call without a response within `timeout` seconds."""
    outcome = "the command may still be carried out" if sent else _NOT_CARRIED_OUT
    return _with_outcome(RpcTimeoutError(f"{method}: no response within {timeout} seconds; {outcome}"), sent=sent)


def missing_field(source: str, path: str, attribute: str, added: str | None) -> MissingFieldError:
    """Return the error for the field at `path`, added in release `added`, that `source` (a command, say) left out."""
    since = f" (added in {added})" if added else ""
    hint = f"where it may be missing, read it by getattr(..., {attribute!r}, None)"
    return MissingFieldError(f"{source}: the node did not send {path}{since}; {hint}", name=attribute)


_Error = TypeVar("_Error", bound=ClientError)


def _with_outcome(error: _Error, *, sent: bool) -> _Error:
    """Return `error`, which says whether the whole request was sent."""
    error.outcome = Outcome.UNKNOWN if sent else Outcome.FAILED
    return error


_NOT_CARRIED_OUT: Final = "the command was not carried out"
