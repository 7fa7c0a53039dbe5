"""The base of the generated asyncio client.

Only this module and its transport import asyncio, which would take half of a blocking client's start-up time.
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
from .refusals import named
from .version import GETINFO


class BaseAsyncClient(Caller):
    """A client for a node's Unix socket, `<lightning-dir>/<network>/lightning-rpc`, for asyncio.

    Calls may be concurrent: each is sent at once, on the same connection, and awaits its own response. A call may be
    cancelled at any time. The node may still carry it out, its response is dropped, and later calls get a new
    connection. The client connects with the first call, and again if the node was restarted. `timeout` limits each
    call, in seconds (None: no limit). Calls raise RpcError (the node refused the call) or a ClientError (there is no
    usable response).

    A client belongs to the event loop that used it first, until the client or that loop is closed; a call in another
    loop raises RuntimeError. A forked child process gets its own connections in its own event loop.

    Before the first call of a command's method, the client asks the node for its version, and other such calls wait. It
    gives a VersionWarning if its types are those of another release; a node that does not return a version causes none.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        super().__init__()
        self._rpc_transport = AsyncUnixTransport(path, timeout)

    async def rpc_call(self, method: str, params: Params = None) -> Any:
        """Call any command, even one without a method, and return its result as plain JSON values.

        Parameters are passed by name (a mapping) or by position (a sequence).
        """
        return decode_plain(method, await self._rpc_exchange(method, encode_params(params), None))

    def rpc_send(self, name: str, /, *values: Any) -> Coroutine[Any, Any, Any]:
        """Call the command `name`; return a coroutine of its response class.

        `values` are the values of its parameters, in order, without extensions; None means not sent. Deprecation
        warnings and errors in parameters are raised immediately, so at the line that makes the call, even if a task
        awaits it.
        """
        return self._rpc_receive(*self._rpc_prepare(name, values))

    async def rpc_close(self) -> None:
        """Close the connections. Pending calls fail; a later call opens a new one."""
        await self._rpc_transport.close()

    async def _rpc_receive(self, command: Command, params: bytes) -> Any:
        deadline = self._rpc_transport.deadline()
        async with (
            self._rpc_transport.version_lock
        ):  # always taken, because it is fair: calls go out in the order in which they were made
            if not self._rpc_version.is_settled and command.name != GETINFO:
                await self._rpc_ask_version(deadline)
        raw = await self._rpc_exchange(command.name, params, deadline)
        if command.name == GETINFO and self._rpc_filter is None:
            self._rpc_version.learn(raw, stacklevel=2)
        return decode_response(self.rpc_package, command, raw)

    async def _rpc_exchange(self, method: str, params: bytes, deadline: float | None) -> bytes:
        """Return the result's JSON text. Raises RpcError, as the class of its code, or a ClientError."""
        try:
            return await self._rpc_transport.call(method, params, deadline, response_filter=self._rpc_filter)
        except RpcError as error:
            raise named(self.rpc_package, error) from None

    async def _rpc_ask_version(self, deadline: float | None) -> None:
        try:
            response = await self._rpc_transport.call(GETINFO, b"{}", deadline)
        except RpcError:
            self._rpc_version.learn(None, stacklevel=3)
        except ClientError:
            pass  # the call that follows fails for the same reason, and reports it
        else:
            self._rpc_version.learn(response, stacklevel=3)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.rpc_close()
