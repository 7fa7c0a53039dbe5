"""The calls of a node of a network, for the report of a test that failed."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any, Final, TypeVar

from clnrpc import RpcError, to_json
from clnrpc.commands import COMMANDS
from clnrpc.runtime.server.stubs import is_filled
from clnrpc.runtime.values.written import FinishedJson

Service = TypeVar("Service")
MOST: Final = 1_000
"""The most calls that are kept; older ones are forgotten."""
LONGEST: Final = 2_000
"""The most characters of an answer that are kept."""


def recording(service: type[Service]) -> tuple[type[Service], deque[str]]:
    """Return a service that records its calls, and the record: a line for each call that was answered."""
    lines: deque[str] = deque(maxlen=MOST)
    methods = {
        command.method: _recorded(name, getattr(service, command.method), lines)
        for name, command in COMMANDS.items()
        if is_filled(service, command.method)
    }
    return type(service.__name__, (service,), methods), lines


def _recorded(name: str, method: Callable[[Any, Any], Any], lines: deque[str]) -> Callable[[Any, Any], Any]:
    def ended(request: Any, outcome: str) -> None:
        lines.append(f"{name} {to_json(request)} -> {outcome[:LONGEST]}")

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


def _text(result: Any) -> str:
    if isinstance(result, Iterator):
        return "a list"  # reading it here would take it from the caller
    return result.decode() if isinstance(result, FinishedJson) else to_json(result)
