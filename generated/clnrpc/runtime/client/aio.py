"""What the generated asyncio client stands on.

Nothing but this module and its transport imports asyncio, which would be half of a blocking client's start-up time.
"""

from __future__ import annotations

import os
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from ..command import Command
from ..errors import ClientError, RpcError
from ..values.decode import decode_plain
from .aiotransport import AsyncUnixTransport
from .caller import Caller
from .exchange import Params, decode_response, encode_params
from .version import GETINFO


class BaseAsyncClient(Caller):
    """A client of a node's Unix socket, `<lightning-dir>/<network>/lightning-rpc`, for asyncio.

    Calls may be made concurrently: each is sent at once, on the same connection, and awaits its own answer. A call may
    be cancelled at any time. The node may still carry it out, its answer is dropped, and later calls get a connection
    of their own. The client connects at the first call and again when the node was restarted in between. `timeout`
    bounds each call, in seconds (None: as long as it takes). Calls raise RpcError (the node says no) or a ClientError
    (there is no answer).

    A client belongs to the event loop that used it first until it is closed there, or the loop is; a call in another
    raises RuntimeError. A forked child process gets connections of its own in its own event loop.

    Before the first call of a command's method it asks the node for its version, while other such calls wait, and gives
    a VersionWarning if its types are those of another release. A node that does not tell brings no warning.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        super().__init__()
        self._rpc_transport = AsyncUnixTransport(path, timeout)

    async def rpc_call(self, method: str, params: Params = None) -> Any:
        """Call any command, even one without a method, and return its result as plain JSON values.

        Parameters go by name or by position.
        """
        return decode_plain(
            method, await self._rpc_transport.call(method, encode_params(params), only=self._rpc_filter)
        )

    def rpc_send(self, name: str, /, *values: Any) -> Coroutine[Any, Any, Any]:
        """Call the command `name`, and return, when awaited, the value of its response class.

        `values` are those of its parameters, in their order, but for extensions; those that are None are not sent.
        Warnings of what is deprecated, and errors in parameters, come at once and so at the line that makes the call,
        even if a task awaits it.
        """
        return self._rpc_answer(*self._rpc_prepare(name, values))

    async def rpc_close(self) -> None:
        """Close the connections. Pending calls fail, and a later call opens another."""
        await self._rpc_transport.close()

    async def _rpc_answer(self, command: Command, params: bytes) -> Any:
        deadline = self._rpc_transport.deadline()
        async with (
            self._rpc_transport.asking
        ):  # always, as it is fair: calls go out in the order in which they are made
            if not self._rpc_version.is_settled and command.name != GETINFO:
                await self._rpc_ask_version(deadline)
        raw = await self._rpc_transport.call(command.name, params, deadline, only=self._rpc_filter)
        if command.name == GETINFO and self._rpc_filter is None:
            self._rpc_version.learn(raw, stacklevel=2)
        return decode_response(self.rpc_package, command, raw)

    async def _rpc_ask_version(self, deadline: float | None) -> None:
        try:
            answer = await self._rpc_transport.call(GETINFO, b"{}", deadline)
        except RpcError:
            self._rpc_version.learn(None, stacklevel=3)
        except ClientError:
            pass  # the call that follows meets the same trouble, and tells it
        else:
            self._rpc_version.learn(answer, stacklevel=3)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.rpc_close()
