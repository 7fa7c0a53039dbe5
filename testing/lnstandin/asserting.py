"""The classes of the fixtures `cln` and `clnrest`: a mock with assertions about its calls, and its address of REST."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from clnrpc import Client
from lnstandin.mock import Call, Mock


class CheckedMock(Mock):
    """A mock with assertions, and a client of its own.

    In each assertion, `params` are parameters that a call must have, as the node reads them; it may have others. Their
    values can be `lnstandin.mock.ANY`.
    """

    @cached_property
    def client(self) -> Client:
        """A client of the mock, which is closed with it."""
        return Client(self.socket)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.rpc_close()
        super().__exit__(kind, error, traceback)

    def called(self, method: str, /, **params: Any) -> tuple[Call, ...]:
        """Return the calls of a command. Raises AssertionError if there are none."""
        __tracebackhide__ = True  # pytest shows the test's line instead
        return self._counted(None, method, params)

    def called_once(self, method: str, /, **params: Any) -> Call:
        """Return the only call of a command with these parameters. Raises AssertionError if there are not one."""
        __tracebackhide__ = True
        return self._counted(1, method, params)[0]

    def called_times(self, times: int, method: str, /, **params: Any) -> tuple[Call, ...]:
        """Return the calls of a command. Raises AssertionError if there are not so many."""
        __tracebackhide__ = True
        return self._counted(times, method, params)

    def not_called(self, method: str, /, **params: Any) -> None:
        """Raise AssertionError if a command was called with these parameters."""
        __tracebackhide__ = True
        self._counted(0, method, params)

    def _counted(self, times: int | None, method: str, params: dict[str, Any]) -> tuple[Call, ...]:
        """Return the calls; `times` is how many there must be, None for any but none."""
        __tracebackhide__ = True
        calls = self.calls.of(method, **params)
        if times == len(calls) or (times is None and calls):
            return calls
        wanted = f"{method}({', '.join(f'{name}={value!r}' for name, value in params.items())})"
        expected = {None: "at least one call", 0: "no call", 1: "one call"}.get(times, f"{times} calls")
        others = "\n".join(f"  {call}" for call in self.calls.of(method)) or f"  {method} was not called"
        raise AssertionError(f"expected {expected} of {wanted}, and there were {len(calls)}:\n{others}")


@dataclass(frozen=True)
class Rest:
    """The address and the credentials of a mock over REST."""

    url: str
    """https://HOST:PORT."""
    rune: str = field(repr=False)
    """A rune that permits everything."""
    ca: Path
    """The file of the certificate authority, in PEM."""

    @cached_property
    def client(self) -> Client:
        """A client of the mock over REST."""
        return Client(self.url, rune=self.rune, ca=self.ca)
