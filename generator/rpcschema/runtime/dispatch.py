"""One JSON-RPC request -> one answer, as lightningd reads requests and writes answers.

The checks, their order and their texts are lightningd's (common/jsonrpc_io.c, lightningd/jsonrpc.c); the id is echoed
as it was written. Nothing here reads or writes a socket: a server feeds a `Framer`, gives each message to `answer` and
sends what comes back when it sees fit, for example when the transaction is durable in which it ran several calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .bind import bind
from .command import Command, load
from .convert import Converter, content
from .decode import build
from .encode import encode
from .errors import INVALID_PARAMS, INVALID_REQUEST, DecodeError, RpcError, unknown_command
from .jsontext import FramingError, Kind, LimitExceeded, kind, members
from .stubs import is_filled

SHOWN_BYTES: Final = 1000
"""How much of a request that is none is quoted in the answer."""

HOME: Final = __name__.rsplit(".", 2)[0]
"""The package that carries this copy of the runtime."""

_NO_ID: Final = b"null"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back: one JSON-RPC object and the two line feeds that end it.

    If `close`, nothing more can be read from this connection.
    """

    data: bytes
    close: bool = False


class Dispatcher:
    """Answers requests by calling a service, which has methods for `commands` (by wire name).

    Such a method takes the command's request and returns its response, or an awaitable of it; a command whose method is
    a stub is unknown. `converters` gives, per command and parameter, a converter in place of the type's own.
    `developer` shows bad tokens in errors, which otherwise hide them: they may be secrets. `package` is where the
    classes of the requests are found.
    """

    def __init__(
        self,
        service: object,
        commands: Mapping[str, Command],
        *,
        developer: bool = False,
        converters: Mapping[str, Mapping[str, Converter]] | None = None,
        package: str = HOME,
    ) -> None:
        self._service = service
        self._commands = {
            name.encode(): command for name, command in commands.items() if is_filled(service, command.method)
        }
        self._developer = developer
        self._converters = converters or {}
        self._package = package

    def answer(self, message: bytes) -> Answer | Awaitable[Answer]:
        """The answer to one message, as a Framer gives it.

        It is awaitable only if what the service's method returned is: a plain method is done when this returns. An
        RpcError of the method is an answer. Any other exception passes through: it is a bug, which the server may log
        and answer by `refuse`.
        """
        request = dict(reversed(members(message)))  # of duplicates the first counts
        if b"jsonrpc" not in request:
            text = f"JSON-RPC message does not contain \"jsonrpc\" field: '{_quoted(message)}'"
            return _error(_NO_ID, RpcError(INVALID_REQUEST, text), close=True)
        try:
            identity = _identity(request)
        except RpcError as error:
            return _error(_NO_ID, error)
        try:
            result = self._call(request)
        except RpcError as error:
            return _error(identity, error)
        return _later(identity, result) if isinstance(result, Awaitable) else _success(identity, result)

    def refuse(self, message: bytes, error: RpcError) -> Answer:
        """The error answer to a message that `answer` took, but whose outcome does not count.

        For a bug of the service, say, or a transaction that could not be committed.
        """
        return _error(dict(reversed(members(message))).get(b"id", _NO_ID), error)

    def malformed(self, error: FramingError) -> Answer:
        """The answer to what a Framer refused; the connection closes behind it."""
        if isinstance(error, LimitExceeded):
            why = f"Request refused: {error}"
        elif error.text.lstrip().startswith(b"["):
            why = f"JSON-RPC message does not contain \"jsonrpc\" field: '{_quoted(error.text)}'"
        else:
            why = f"Failed to parse RPC JSON response '{_quoted(error.text)}'"
        return _error(_NO_ID, RpcError(INVALID_REQUEST, why), close=True)

    def _call(self, request: Mapping[bytes, bytes]) -> Any:
        if b"method" not in request or b"params" not in request:
            raise RpcError(INVALID_REQUEST, "No params" if b"method" in request else "No method")
        if kind(request[b"method"]) is not Kind.STRING:
            raise RpcError(INVALID_REQUEST, "Expected string for method")
        name = content(request[b"method"])
        command = self._commands.get(name)
        if command is None:
            raise unknown_command(name.decode())
        values = bind(
            command, request[b"params"], developer=self._developer, converters=self._converters.get(command.name)
        )
        request_class = load(self._package, command, "request")
        try:
            arguments = build(request_class, values)
        except DecodeError as error:
            raise RpcError(INVALID_PARAMS, str(error)) from None
        return getattr(self._service, command.method)(arguments)


def _identity(request: Mapping[bytes, bytes]) -> bytes:
    """The id as written; RpcError if there is none to answer to, or the request speaks another JSON-RPC."""
    identity = request.get(b"id")
    if identity is None:
        raise RpcError(INVALID_REQUEST, "No id")
    if kind(identity) in (Kind.OBJECT, Kind.ARRAY):
        raise RpcError(INVALID_REQUEST, "Expected string/primitive for id")
    if request[b"jsonrpc"] != b'"2.0"':
        raise RpcError(INVALID_REQUEST, 'jsonrpc: "2.0" must be specified in the request')
    return identity


async def _later(identity: bytes, result: Awaitable[Any]) -> Answer:
    try:
        return _success(identity, await result)
    except RpcError as error:
        return _error(identity, error)


def _success(identity: bytes, result: Any) -> Answer:
    return Answer(b'{"jsonrpc":"2.0","id":%b,"result":%b}\n\n' % (identity, encode(result)))


def _error(identity: bytes, error: RpcError, *, close: bool = False) -> Answer:
    return Answer(b'{"jsonrpc":"2.0","id":%b,"error":%b}\n\n' % (identity, encode(error.as_json())), close)


def _quoted(text: bytes) -> str:
    return text[:SHOWN_BYTES].decode(errors="replace")
