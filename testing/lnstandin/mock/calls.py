"""A record of calls and their answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, overload

from clnrpc.runtime.errors import RpcError

MOST: Final = 10_000
"""The most calls that are kept; older ones are forgotten."""


class _Any:
    """The type of ANY."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "ANY"


ANY: Final[Any] = _Any()
"""A parameter that is given, whatever its value."""


@dataclass(frozen=True, slots=True)
class Call:
    """One exchange.

    Attributes:
        method: the command.
        params: by name, as the node reads them: "10sat" for an `msat` is 10000. If the call was refused for its
            parameters, as they were given; those by position are named "0", "1" and so on.
        answer: the result; None if there is none.
        error: the error that was answered; None if there is none.
        note: why the answer did not arrive whole: "dropped", "half" or "restarted"; "" if it did.
    """

    method: str
    params: Mapping[str, Any]
    answer: Any = None
    error: RpcError | None = None
    note: str = ""

    def matches(self, method: str, params: Mapping[str, Any]) -> bool:
        """Return whether this is a call of `method` with all of `params`, and perhaps others."""
        return method in ("*", self.method) and has_params(self.params, params)

    def __str__(self) -> str:
        """Return the exchange in one line."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        outcome = f"error {self.error.code}: {self.error.message}" if self.error else repr(self.answer)
        return f"{self.method}({given}) -> {self.note or outcome}"


def has_params(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether all of the wanted parameters are given, with equal values; ANY equals all of them."""
    return all(name in given and wanted[name] == given[name] for name in wanted)


class Calls(Sequence[Call]):
    """The latest calls, oldest first. Any thread may read it."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=MOST)
        self._lock = Lock()

    def add(self, call: Call) -> None:
        """Record a call."""
        with self._lock:
            self._calls.append(call)

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()

    def of(self, method: str, **params: Any) -> tuple[Call, ...]:
        """Return the calls of a command with these parameters, and perhaps others."""
        return tuple(call for call in self if call.matches(method, params))

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | Sequence[Call]:
        return self._snapshot()[index]

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._snapshot())

    def __str__(self) -> str:
        """Return the exchanges, one a line."""
        return "\n".join(map(str, self))

    def _snapshot(self) -> list[Call]:
        with self._lock:
            return list(self._calls)
