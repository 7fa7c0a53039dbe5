"""Answer JSON-RPC requests as lightningd does, by calling a service.

`envelope` reads and writes JSON-RPC; here is the call inside of it. Nothing here reads or writes a socket: a server
feeds bytes to a `Framer`, passes each message to `answer`, and sends the result. It may send it later, for example once
the transaction of several calls is durable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeGuard

from ..command import Command, load_type
from ..errors import INVALID_PARAMS, DecodeError, RpcError, unknown_command
from ..jsontext import FramingError, JsonType, elements, json_type, members
from ..values.decode import build_request
from ..values.encode import encode, to_wire
from . import envelope
from .bind import BadParameter, Binder, without_first
from .convert import BadToken, Converter, raw_text
from .filter import Filter, apply, parse
from .stubs import is_filled

HOME: Final = __name__.rsplit(".", 3)[0]
"""The package that contains this copy of the runtime."""

CHECK: Final = "check"
"""The command that checks the parameters of another command without running it."""
CHECKED: Final = "command_to_check"
"""Its parameter for the name of the other command. All further parameters are those of that command."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes to send: one JSON-RPC object and two line feeds.

    If `close` is true, the connection must be closed after it. If there is a `rest`, `data` is only the beginning, and
    each item of `rest` is to be sent after it. Iterating over `rest` calls the service, and raises its errors; then the
    answer cannot be completed.
    """

    data: bytes
    close: bool = False
    rest: Iterator[bytes] | None = None


class Dispatcher:
    """Answers requests by calling a service, which has methods for `commands` (by wire name).

    A method takes the command's request and returns its response, or another `stubs.Reply`. A command whose method is
    a stub is unknown.

    `check` converts the parameters of the other command and passes its request to the service's method
    `rpc_check_<method>`, if there is one. This method raises the errors that the command would raise, and does nothing
    else.

    Args:
        service: the object with the methods.
        commands: the commands, by their names in JSON.
        developer: whether errors contain the bad token. It may be a secret, so by default errors refer to the log.
        hidden: called with the command's name and each error whose token is hidden, to log it.
        converters: converters that replace the one of the parameter's type: command -> parameter -> converter.
        unfiltered: the commands whose answers ignore the request's `filter`; it is still checked.
        package: the package with the classes of the requests.
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
        """Return the answer to one message of a Framer.

        It is awaitable only if the service's method returned an awaitable. If the method raises an RpcError, this is
        the answer. Any other exception is a bug and is raised here; the server can log it and answer with `refuse`.
        """
        return self._answer(message, envelope.members_by_name(message))

    def answer_call_of(self, commands: frozenset[bytes], message: bytes) -> Answer | Awaitable[Answer] | None:
        """Return the answer to a message that calls one of `commands` (names in quotes); None for any other."""
        request = envelope.members_by_name(message)
        return self._answer(message, request) if request.get(b"method") in commands else None

    def _answer(self, message: bytes, request: Mapping[bytes, bytes]) -> Answer | Awaitable[Answer]:
        if not envelope.has_version(request):
            return _error(envelope.NO_ID, envelope.no_version(message), close=True)
        try:
            identity = envelope.identity_of(request)
        except RpcError as error:
            return _error(envelope.NO_ID, error)
        try:
            command = self._known(envelope.method_of(request))
            wanted = self._filter_of(request, command)
            result = self._call(command, request[b"params"])
        except RpcError as error:
            return _error(identity, error)
        if _is_pending(result):
            return _later(identity, result, wanted, partial(self._for_caller, command, request[b"params"]))
        return _success(identity, result, wanted)

    def check(self, params: bytes) -> None:
        """Raise the error that a call would raise, if any; `params` are those of the command `check`."""
        rest = without_first(params, CHECKED)
        try:
            self._check(checked_name(params), rest)
        except BadParameter as error:
            raise error.shown(rest) from None

    def refuse(self, message: bytes, error: RpcError) -> Answer:
        """Return an error as the answer to a message, in place of the result of `answer`.

        Use it for a bug in the service, for example, or for a transaction that could not be committed.
        """
        return _error(envelope.members_by_name(message).get(b"id", envelope.NO_ID), error)

    def malformed(self, error: FramingError) -> Answer:
        """Return the answer to bytes that a Framer refused; the connection must be closed after it."""
        return _error(envelope.NO_ID, envelope.malformed(error), close=True)

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
            wanted = parse(raw)
        except BadToken as bad:
            error = BadParameter("filter", bad)
            raise (error.shown(raw) if self._developer else self._hide(command, error)) from None
        return None if command.name in self._unfiltered else wanted

    def _call(self, command: Command, params: bytes) -> Any:
        try:
            request = self._request(command, params)
            if command.name == CHECK:
                self._check(getattr(request, CHECKED), without_first(params, CHECKED))
            return getattr(self._service, command.method)(request)
        except BadParameter as error:
            raise self._for_caller(command, params, error) from None

    def _for_caller(self, command: Command, params: bytes, error: RpcError) -> RpcError:
        """Return the error for the caller: it contains the bad token only if `developer` is set, or for `check`."""
        if not isinstance(error, BadParameter):
            return error
        shows = self._developer or command.name == CHECK
        return error.shown(params) if shows else self._hide(command, error)

    def _hide(self, command: Command, error: BadParameter) -> BadParameter:
        if self._hidden is not None:
            self._hidden(command.name, error)
        return error

    def _check(self, name: str, params: bytes) -> None:
        """Raise the error that a call of the command `name` would raise, if any."""
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


def checked_name(params: bytes) -> str:
    """Return the name of the command to check. Raises RpcError."""
    given = elements(params)[:1] if json_type(params) is JsonType.ARRAY else dict(members(params)).get(CHECKED.encode())
    if not given:
        raise RpcError(INVALID_PARAMS, f"missing required parameter: {CHECKED}")
    return raw_text(given if isinstance(given, bytes) else given[0])


def _is_pending(result: Any) -> TypeGuard[Awaitable[Any]]:
    return isinstance(result, Awaitable)


def _is_in_pieces(result: Any) -> TypeGuard[Iterator[Any]]:
    return isinstance(result, Iterator)


async def _later(
    identity: bytes, result: Awaitable[Any], wanted: Filter | None, for_caller: Callable[[RpcError], RpcError]
) -> Answer:
    try:
        return _success(identity, await result, wanted)
    except RpcError as error:
        return _error(identity, for_caller(error))


def _success(identity: bytes, result: Any, wanted: Filter | None) -> Answer:
    if _is_in_pieces(result):
        return _in_pieces(identity, (_text(piece, wanted) for piece in result))
    return Answer(envelope.success(identity, _text(result, wanted)))


def _text(result: Any, wanted: Filter | None) -> bytes:
    return encode(result if wanted is None else apply(wanted, to_wire(result)))


def _in_pieces(identity: bytes, pieces: Iterator[bytes]) -> Answer:
    """Return an answer with the first piece of a result, up to the end of its array, and the other pieces as `rest`."""
    first = next(pieces)
    if not first.endswith(b"]}"):  # a filter has removed the array, and with it the other pieces
        return Answer(envelope.success(identity, first))

    def rest() -> Iterator[bytes]:
        for piece in pieces:
            elements = piece.partition(b"[")[2]
            yield b"," + elements.removesuffix(b"]}")
        yield b"]}" + envelope.END

    return Answer(envelope.BEGINNING % identity + first.removesuffix(b"]}"), rest=rest())


def _error(identity: bytes, error: RpcError, *, close: bool = False) -> Answer:
    return Answer(envelope.failure(identity, error), close)
