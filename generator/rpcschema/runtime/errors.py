"""What can go wrong with a call: an error the node answers, or no usable answer at all.

`RpcError` is an answer: the other side understood the request and says no. `ClientError` and its kinds mean that there
is no answer to show; whether the command was carried out is then said in the message.
"""

from __future__ import annotations

from typing import Any, Final

INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
GENERIC: Final = -1
"""LIGHTNINGD in Core Lightning's common/jsonrpc_errors.h: an error without a code of its own."""


class RpcError(Exception):
    """An error that a command answers.

    `code` is JSON-RPC's or Core Lightning's number (common/jsonrpc_errors.h), `message` one line for people, `data` any
    JSON value, or None if there is none. `method` is the command that a client called; it is None where a service
    raises the error. The text names the method, the code and the message. The client adds no parameter to it, because
    parameters may be secrets.
    """

    def __init__(self, code: int, message: str, data: Any = None, *, method: str | None = None) -> None:
        super().__init__(code, message, data)
        self.code = code
        self.message = message
        self.data = data
        self.method = method

    def __str__(self) -> str:
        called = "" if self.method is None else f"{self.method}: "
        return f"{called}{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """Return the error object of a JSON-RPC answer: code, message and, if there is any, data."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def unknown_command(name: str) -> RpcError:
    """Return the answer to a command that the service does not have."""
    return RpcError(METHOD_NOT_FOUND, f"Unknown command '{name}'")


class ClientError(Exception):
    """A call brought no usable answer."""


class TransportError(ClientError, ConnectionError):
    """The connection to the node failed."""


class CannotConnectError(TransportError):
    """Nobody answers at the socket's path; nothing was sent."""


class ConnectionLostError(TransportError):
    """The connection ended before the answer came; the message says whether the command may have been carried out."""


class RpcTimeoutError(ClientError, TimeoutError):
    """No answer came within the client's timeout; the message says whether the command may still be carried out."""


class ProtocolError(ClientError):
    """What came back is no JSON-RPC answer."""


class EncodeError(ClientError, ValueError):
    """A value that JSON cannot say, such as text with a lone surrogate, NaN or an object; nothing was sent."""


class ParameterError(ClientError, ValueError):
    """Parameters that the command's document does not let stand together; nothing was sent."""


class DecodeError(ClientError, ValueError):
    """An answer is no JSON, or not an object where the command's document says that it is one."""


class MissingFieldError(ClientError, AttributeError):
    """An attribute is read that the document requires, and the node left out; `name` is the attribute's name.

    It is an AttributeError, so `hasattr` and `getattr` with a default can ask for what an older node may not send.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, vars(self) | {"name": self.name}  # Python 3.11 would leave out the name


class VersionWarning(UserWarning):
    """The node is of another release than the types of the client."""


def cannot_connect(path: str, reason: OSError) -> CannotConnectError:
    """Return the error that says which socket, why, and what to do."""
    hint = "is the node running, and is this its lightning-rpc socket (<lightning-dir>/<network>/lightning-rpc)?"
    return CannotConnectError(f"cannot connect to {path}: {reason.strerror or reason}; {hint}")


def nobody_accepts(path: str) -> RpcTimeoutError:
    """Return the error for a node whose queue of connections stayed full until the time was up."""
    return RpcTimeoutError(f"cannot connect to {path} in time: the node accepts nobody at present; nothing was sent")


def connection_lost(method: str, *, sent: bool) -> ConnectionLostError:
    """Return the error for a connection that the node ended; `sent`: whether the request's last byte went out."""
    return ConnectionLostError(
        f"{method}: the node closed the connection before it answered; the command may have been carried out"
        if sent
        else f"{method}: the node closed the connection before the request was sent in full; {_NOT_CARRIED_OUT}"
    )


def client_closed(method: str, *, sent: bool) -> ConnectionLostError:
    """Return the error for a call whose client was closed."""
    outcome = "the command may have been carried out" if sent else _NOT_CARRIED_OUT
    return ConnectionLostError(f"{method}: the client was closed before the node answered; {outcome}")


def timed_out(method: str, timeout: float | None, *, sent: bool = True) -> RpcTimeoutError:
    """Return the error for a call that got no answer within `timeout` seconds."""
    outcome = "the command may still be carried out" if sent else _NOT_CARRIED_OUT
    return RpcTimeoutError(f"{method}: no answer within {timeout} seconds; {outcome}")


def missing_field(source: str, path: str, attribute: str, added: str | None) -> MissingFieldError:
    """Return the error for a field at `path`, there since `added`, that `source` (a command, say) did not send."""
    since = f" (added in {added})" if added else ""
    hint = f"where it may be missing, read it by getattr(..., {attribute!r}, None)"
    return MissingFieldError(f"{source}: the node did not send {path}{since}; {hint}", name=attribute)


_NOT_CARRIED_OUT: Final = "the command was not carried out"
