"""Calls of the mock over REST."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from lnstandin.mock.core import Caller, Standin
from lnstandin.mock.rules import Manner


class RestCalls:
    """Carries out the calls of REST."""

    def __init__(self, standin: Standin, restart: Callable[[], Awaitable[None]]) -> None:
        self._standin = standin
        self._restart = restart

    async def call(self, method: str, params: bytes, /) -> bytes | AsyncGenerator[bytes, None]:
        """Return the result of a client's call, or pieces that end with an error if the script cuts the answer off.

        Raises:
            RpcError: if the answer is an error.
        """
        outcome = await self._standin.outcome(method, params, Caller())
        await asyncio.sleep(outcome.step.delay)
        if method == "stop" and outcome.error is None:
            asyncio.get_running_loop().call_soon(self._standin.on_stop)  # REST sends all answers before it ends
        match outcome.step.manner:
            case Manner.HALF:
                return _cut(outcome.answer[: len(outcome.answer) // 2])
            case Manner.DROP:
                return _cut(b"")
            case Manner.RESTART:
                await self._restart()
                return _cut(b"")
        if outcome.error is not None:
            raise outcome.error
        return outcome.answer

    async def check(self, method: str, params: bytes, /) -> bytes:
        """Return the result of checking a call's rune. The client did not make this call.

        Raises:
            RpcError: if the answer is an error.
            ConnectionError: if the script does not let the answer arrive.
        """
        return await self._standin.dispatch(method, params, is_own=True)


async def _cut(beginning: bytes) -> AsyncGenerator[bytes, None]:
    """Return the beginning of an answer, and then fail."""
    if beginning:
        yield beginning
    raise ConnectionError("the script ends the connection here")
