"""One JSON-RPC request -> one answer, as lightningd reads requests and writes answers.

The checks, their order and their texts are lightningd's (common/jsonrpc_io.c, lightningd/jsonrpc.c); the id is echoed
as it was written. Nothing here reads or writes a socket: a server feeds a `Framer`, gives each message to `answer` and
sends what comes back when it sees fit, for example when the transaction is durable in which it ran several calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeGuard

from ..command import Command, load_type
from ..errors import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    DecodeError,
    RpcError,
    unknown_command,
)
from ..jsontext import FramingError, JsonType, LimitExceeded, json_type, members
from ..values.decode import build_request
from ..values.encode import encode, to_wire
from .bind import BadParameter, Binder, without_first
from .convert import BadToken, Converter, content
from .filter import Filter, apply, parse
from .stubs import is_filled

SHOWN_BYTES: Final = 1000
"""How much of a request that is none is quoted in the answer."""

HOME: Final = __name__.rsplit(".", 3)[0]
"""The package that carries this copy of the runtime."""

CHECK: Final = "check"
"""The command that tests the parameters of another, without calling it."""
CHECKED: Final = "command_to_check"
"""Its parameter: the other's name. All others are for the other command."""

_NO_ID: Final = b"null"
_BEGINNING: Final = b'{"jsonrpc":"2.0","id":%b,"result":'
_END: Final = b"}\n\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back: one JSON-RPC object and the two line feeds that end it.

    If `close`, nothing more can be read from this connection. If there is a `rest`, `data` is only the beginning: each
    of its items belongs behind what was sent before. It works while it is iterated over, and raises what the service
    does; the answer can then not be finished.
    """

    data: bytes
    close: bool = False
    rest: Iterator[bytes] | None = None


class Dispatcher:
    """Answers requests by calling a service, which has methods for `commands` (by wire name).

    Such a method takes the command's request and returns its response, or another `stubs.Reply`; a command whose method
    is a stub is unknown. `converters` gives, per command and parameter, a converter in place of the type's own.
    `developer` shows bad tokens in errors, which otherwise hide them and send people to the log: they may be secrets.
    `hidden`, if given, is called with the command's name and each error that does, so that the log can say more. A
    `filter` is read in any request and has no effect on the answers of `unfiltered` commands. `package` is where the
    classes of the requests are found.

    Before `check` is called, the parameters of the command that it is about are converted, and then given as that
    command's request to the service's method `rpc_check_<method>`, if there is one. It raises what the command itself
    would, and does no more.
    """

    def __init__(
        self,
        service: object,
        commands: Mapping[str, Command],
        *,
        developer: bool = False,
        hidden: Callable[[str, BadParameter], None] | None = None,
        converters: Mapping[str, Mapping[str, Converter]] | None = None,
        unfiltered: Container[str] = (),
        package: str = HOME,
    ) -> None:
        self._service = service
        self._commands = {
            name.encode(): command for name, command in commands.items() if is_filled(service, command.method)
        }
        self._developer = developer
        self._hidden = hidden
        self._converters = converters or {}
        self._binders: dict[str, Binder] = {}
        self._unfiltered = unfiltered
        self._package = package

    def answer(self, message: bytes) -> Answer | Awaitable[Answer]:
        """Return the answer to one message, as a Framer gives it.

        It is awaitable only if what the service's method returned is: a plain method is done when this returns. An
        RpcError of the method is an answer. Any other exception passes through: it is a bug, which the server may log
        and answer by `refuse`.
        """
        return self._answer(message, _members_by_name(message))

    def answer_call_of(self, commands: frozenset[bytes], message: bytes) -> Answer | Awaitable[Answer] | None:
        """Return the answer to a message that calls one of `commands` (names in quotes); None for any other."""
        if not any(name in message for name in commands):  # which takes less time than taking the message apart
            return None
        request = _members_by_name(message)
        return self._answer(message, request) if request.get(b"method") in commands else None

    def _answer(self, message: bytes, request: Mapping[bytes, bytes]) -> Answer | Awaitable[Answer]:
        if b"jsonrpc" not in request:
            text = f"JSON-RPC message does not contain \"jsonrpc\" field: '{_quoted(message)}'"
            return _error(_NO_ID, RpcError(INVALID_REQUEST, text), close=True)
        try:
            identity = _identity(request)
        except RpcError as error:
            return _error(_NO_ID, error)
        try:
            command = self._command_of(request)
            only = self._filter_of(request, command)
            result = self._call(command, request[b"params"])
        except RpcError as error:
            return _error(identity, error)
        if _is_pending(result):
            return _later(identity, result, only, partial(self._told, command, request[b"params"]))
        return _success(identity, result, only)

    def refuse(self, message: bytes, error: RpcError) -> Answer:
        """Return the error answer to a message that `answer` took, but whose outcome does not count.

        For a bug of the service, say, or a transaction that could not be committed.
        """
        return _error(_members_by_name(message).get(b"id", _NO_ID), error)

    def malformed(self, error: FramingError) -> Answer:
        """Return the answer to what a Framer refused; the connection closes after it."""
        if isinstance(error, LimitExceeded):
            why = f"Request refused: {error}"
        elif error.text.lstrip().startswith(b"["):
            why = f"JSON-RPC message does not contain \"jsonrpc\" field: '{_quoted(error.text)}'"
        else:
            why = f"Failed to parse RPC JSON response '{_quoted(error.text)}'"
        return _error(_NO_ID, RpcError(INVALID_REQUEST, why), close=True)

    def _command_of(self, request: Mapping[bytes, bytes]) -> Command:
        if b"method" not in request or b"params" not in request:
            raise RpcError(INVALID_REQUEST, "No params" if b"method" in request else "No method")
        if json_type(request[b"method"]) is not JsonType.STRING:
            raise RpcError(INVALID_REQUEST, "Expected string for method")
        return self._known(content(request[b"method"]))

    def _known(self, name: bytes) -> Command:
        command = self._commands.get(name)
        if command is None:
            raise unknown_command(name.decode())
        return command

    def _filter_of(self, request: Mapping[bytes, bytes], command: Command) -> Filter | None:
        raw = request.get(b"filter")
        if raw is None:
            return None
        try:
            only = parse(raw)
        except BadToken as bad:
            error = BadParameter("filter", bad)
            raise (error.shown(raw) if self._developer else self._hide(command, error)) from None
        return None if command.name in self._unfiltered else only

    def _call(self, command: Command, params: bytes) -> Any:
        try:
            request = self._request(command, params)
            if command.name == CHECK:
                self._check(getattr(request, CHECKED), without_first(params, CHECKED))
            return getattr(self._service, command.method)(request)
        except BadParameter as error:
            raise self._told(command, params, error) from None

    def _told(self, command: Command, params: bytes, error: RpcError) -> RpcError:
        """Return the error as the caller sees it: only developers and callers of `check` see the bad token."""
        if not isinstance(error, BadParameter):
            return error
        shows = self._developer or command.name == CHECK
        return error.shown(params) if shows else self._hide(command, error)

    def _hide(self, command: Command, error: BadParameter) -> BadParameter:
        if self._hidden is not None:
            self._hidden(command.name, error)
        return error

    def _check(self, name: str, params: bytes) -> None:
        """Raise what a call of the command `name` would."""
        command = self._known(name.encode())
        request = self._request(command, params)
        if check := getattr(self._service, f"rpc_check_{command.method}", None):
            check(request)

    def _request(self, command: Command, params: bytes) -> Any:
        binder = self._binders.get(command.name) or self._binder(command)
        values = binder.bind(params)
        try:
            return build_request(load_type(self._package, command, "request"), values)
        except DecodeError as error:
            raise RpcError(INVALID_PARAMS, str(error)) from None

    def _binder(self, command: Command) -> Binder:
        """Return the command's binder, which is built when the command is first called."""
        binder = self._binders[command.name] = Binder(command, self._converters.get(command.name))
        return binder


def _members_by_name(message: bytes) -> Mapping[bytes, bytes]:
    """Return the members of an object, of which the first counts where several have the same name."""
    return dict(reversed(members(message)))


def _identity(request: Mapping[bytes, bytes]) -> bytes:
    """Return the id as written. Raises RpcError if it is missing or no scalar, or for another version of JSON-RPC."""
    identity = request.get(b"id")
    if identity is None:
        raise RpcError(INVALID_REQUEST, "No id")
    if json_type(identity) in (JsonType.OBJECT, JsonType.ARRAY):
        raise RpcError(INVALID_REQUEST, "Expected string/primitive for id")
    if request[b"jsonrpc"] != b'"2.0"':
        raise RpcError(INVALID_REQUEST, 'jsonrpc: "2.0" must be specified in the request')
    return identity


def _is_pending(result: Any) -> TypeGuard[Awaitable[Any]]:
    return isinstance(result, Awaitable)


def _is_in_pieces(result: Any) -> TypeGuard[Iterator[Any]]:
    return isinstance(result, Iterator)


async def _later(
    identity: bytes, result: Awaitable[Any], only: Filter | None, told: Callable[[RpcError], RpcError]
) -> Answer:
    try:
        return _success(identity, await result, only)
    except RpcError as error:
        return _error(identity, told(error))


def _success(identity: bytes, result: Any, only: Filter | None) -> Answer:
    if _is_in_pieces(result):
        return _in_pieces(identity, (_text(piece, only) for piece in result))
    return Answer(_BEGINNING % identity + _text(result, only) + _END)


def _text(result: Any, only: Filter | None) -> bytes:
    return encode(result if only is None else apply(only, to_wire(result)))


def _in_pieces(identity: bytes, pieces: Iterator[bytes]) -> Answer:
    """Return the first piece of a result without the end of its array, and the other pieces as the `rest`."""
    first = next(pieces)
    if not first.endswith(b"]}"):  # a filter has hidden the array, and all that would follow
        return Answer(_BEGINNING % identity + first + _END)

    def rest() -> Iterator[bytes]:
        for piece in pieces:
            elements = piece.partition(b"[")[2]
            yield b"," + elements.removesuffix(b"]}")
        yield b"]}" + _END

    return Answer(_BEGINNING % identity + first.removesuffix(b"]}"), rest=rest())


def _error(identity: bytes, error: RpcError, *, close: bool = False) -> Answer:
    return Answer(b'{"jsonrpc":"2.0","id":%b,"error":%b}\n\n' % (identity, encode(error.as_json())), close)


def _quoted(text: bytes) -> str:
    return text[:SHOWN_BYTES].decode(errors="replace")
