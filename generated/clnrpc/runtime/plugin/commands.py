"""The commands of a plugin: methods of a `Service`, which lightningd's clients call."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from ..command import Command
from ..errors import GENERIC, RpcError
from ..server.bind import BadParameter
from ..server.dispatch import Answer, Dispatcher
from ..server.stubs import is_filled, is_stub

INTERNAL_ERROR: Final = "Internal error of the plugin, see the log"


def filled_commands(owner: type) -> dict[str, Command]:
    """Return the commands whose methods are overridden in a class, by name; none if it is no Service."""
    commands: Mapping[str, Command] = getattr(owner, "rpc_service_commands", {})
    return {name: command for name, command in commands.items() if is_filled(owner, command.method)}


class Commands:
    """Answers the calls of a plugin's commands.

    `report` is called with the name of a method that raised an unexpected exception, while it is handled. `hide` gets
    the name of a command and each error whose bad token the caller does not see.
    """

    def __init__(
        self, service: object, report: Callable[[str], None], hide: Callable[[str, BadParameter], None]
    ) -> None:
        self.commands: Final = filled_commands(type(service))
        self._report = report
        self._service = type(service)
        self._dispatcher = Dispatcher(
            service, self.commands, hidden=hide, package=getattr(service, "rpc_service_package", "")
        )

    def answer(self, name: str, message: bytes) -> bytes | Awaitable[bytes]:
        """Return the response to a call, a whole message."""
        method = self.commands[name].method
        try:
            answer = self._dispatcher.answer(message)
            return _whole(answer) if isinstance(answer, Answer) else self._later(method, message, answer)
        except Exception:  # noqa: BLE001 # the author's code may raise anything
            return self._failed(method, message)

    def check(self, params: bytes) -> None:
        """Raise the error that a call of a command would raise; `params` are those of `check`."""
        self._dispatcher.check(params)

    def described(self) -> list[dict[str, Any]]:
        """Return the commands for the manifest."""
        return [self._described(command) for command in self.commands.values()]

    def _described(self, command: Command) -> dict[str, Any]:
        usage = command.usage.partition(" ")[2]
        title, _, text = _documentation(self._service, command.method).partition("\n")
        entry: dict[str, Any] = {"name": command.name, "usage": usage, "description": title}
        if text := text.strip():
            entry["long_description"] = text
        if command.deprecated is not None:
            entry["deprecated"] = list(command.deprecated) or True
        return entry

    async def _later(self, method: str, message: bytes, answer: Awaitable[Answer]) -> bytes:
        try:
            return _whole(await answer)
        except Exception:  # noqa: BLE001
            return self._failed(method, message)

    def _failed(self, method: str, message: bytes) -> bytes:
        self._report(method)
        return self._dispatcher.refuse(message, RpcError(GENERIC, INTERNAL_ERROR)).data


def _whole(answer: Answer) -> bytes:
    """Return all of an answer: lightningd reads nothing else of the plugin until it is complete."""
    return answer.data if answer.rest is None else answer.data + b"".join(answer.rest)


def _documentation(service: type, method: str) -> str:
    """Return the text of a command's document, which the stub has as its docstring."""
    for owner in service.__mro__:
        declared = vars(owner).get(method)
        if declared is not None and is_stub(declared):
            return inspect.getdoc(declared) or ""
    return ""
