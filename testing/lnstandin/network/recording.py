"""The calls of a node of a network, for the report of a test that failed.

They are in a file, so that those of a node that was killed can be read, too.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final, TypeVar

from clnrpc import EncodeError, RpcError, to_json
from clnrpc.commands import COMMANDS
from clnrpc.runtime.server.stubs import is_filled
from clnrpc.runtime.values.written import FinishedJson

Service = TypeVar("Service")
Record = Callable[[str], None]
CALLS: Final = "calls"
"""The name of the file in the directory of a node's network."""
MAX_BYTES: Final = 1 << 20
"""The size at which the file is renamed; there is one older file at most."""
LONGEST: Final = 2_000
"""The most characters of parameters, and of an answer, that are kept."""
_LEFT_OUT: Final = "checkrune"
"""REST makes this call before each other one."""


class RecordFile:
    """A file of calls, a line each, which is made with the first one."""

    def __init__(self, file: Path) -> None:
        self._handler = RotatingFileHandler(file, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)

    def add(self, line: str) -> None:
        """Add a line. Any thread may do so."""
        self._handler.handle(logging.makeLogRecord({"msg": line}))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def recorded_calls(file: Path) -> Sequence[str]:
    """Return the lines of a file of calls, oldest first."""
    lines: list[str] = []
    for each in (file.with_name(f"{file.name}.1"), file):
        with suppress(FileNotFoundError):
            lines += each.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines


def recording(service: type[Service], record: Record) -> type[Service]:
    """Return a service that records its calls: a line for each that was answered."""
    methods = {
        command.method: _recorded(name, getattr(service, command.method), record)
        for name, command in COMMANDS.items()
        if name != _LEFT_OUT and is_filled(service, command.method)
    }
    return type(service.__name__, (service,), methods)


def _recorded(name: str, method: Callable[[Any, Any], Any], record: Record) -> Callable[[Any, Any], Any]:
    def ended(request: Any, outcome: str) -> None:
        record(f"{name} {_text(request)} -> {outcome}")

    async def later(request: Any, answer: Awaitable[Any]) -> Any:
        try:
            result = await answer
        except RpcError as error:
            ended(request, f"error {error}")
            raise
        ended(request, _text(result))
        return result

    @wraps(method)
    def call(self: Any, request: Any) -> Any:
        try:
            result = method(self, request)
        except RpcError as error:
            ended(request, f"error {error}")
            raise
        if inspect.isawaitable(result):
            return later(request, result)
        ended(request, _text(result))
        return result

    return call


def _text(value: Any) -> str:
    """Return a request or a response as JSON on one line, shortened. Nothing that a caller sends makes this fail."""
    if isinstance(value, Iterator):
        return "a list"  # reading it here would take it from the caller
    try:
        text = value.decode() if isinstance(value, FinishedJson) else to_json(value)
    except EncodeError:  # JSON has no infinite numbers, but a request can have 1e999
        text = repr(value)
    return text[:LONGEST]
