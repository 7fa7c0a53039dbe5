"""The base of the generated asyncio client.

Only this module and its transport import asyncio, which would take half of a blocking client's start-up time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar

from ..command import Command
from ..errors import ClientError, RpcError, TransportError, timed_out
from ..values.decode import decode_plain
from .address import check_socket_arguments, is_url
from .aiounix import AsyncUnixTransport
from .caller import Caller, Settings
from .exchange import Params, decode_response, encode_params
from .refusals import named
from .transports import CONNECTIONS, AsyncTransport, Limit
from .version import GETINFO

if TYPE_CHECKING:
    from .hooks import CallHooks, CallRecord

P = ParamSpec("P")
Response = TypeVar("Response")


class BaseAsyncClient(Caller):
    """A client for a node, over its Unix socket or its REST interface (clnrest), for asyncio.

    `node` is a lightning directory (`~/.lightning`), the directory of a network, a socket, or the URL of a REST
    interface. A directory is searched at each connection, so the node may start later. With a URL, `rune` authorizes
    the calls: its text, or a Path to a file that contains it. `ca` is the path of a PEM file with the certificate of
    the authority that signed the server's (the node's `ca.pem`), or with the server's own; without it the system's
    authorities apply. `server_name` is the name that the certificate must have, if it is not the URL's host.

    Calls may be concurrent, and each awaits its own response: on a socket all share one connection, and over HTTPS each
    has one of at most `connections`. A call may be cancelled at any time. The node may still carry it out, its response
    is dropped, and later calls get a new connection. The client connects with the first call, and again if the node was
    restarted. `timeout` limits each call, in seconds (None: no limit). Calls raise RpcError (the node refused the call)
    or a ClientError (there is no usable response).

    A client belongs to the event loop that used it first, until the client or that loop is closed; a call in another
    loop raises RuntimeError. A forked child process gets its own connections in its own event loop.

    `retries` is how often a command that only reads is repeated after its connection failed, with growing pauses;
    `timeout` covers them. No other command is ever repeated. The hooks in `on_call` observe all calls.

    Before the first call of a command's method, the client asks the node for its version, and other such calls wait. It
    gives a VersionWarning if its types are those of another release; a node that does not return a version causes none.
    """

    _rpc_transport: AsyncTransport

    def __init__(
        self,
        node: str | os.PathLike[str],
        *,
        rune: str | os.PathLike[str] | None = None,
        ca: str | os.PathLike[str] | None = None,
        server_name: str | None = None,
        timeout: float | None = None,
        connections: int = CONNECTIONS,
        retries: int = 0,
        on_call: Sequence[CallHooks] = (),
    ) -> None:
        settings = Settings(timeout, retries=retries, on_call=tuple(on_call))
        super().__init__(settings, has_filters=not is_url(node))
        if is_url(node):
            from .aiorest import AsyncRestTransport
            from .restnode import RestNode

            self._rpc_transport = AsyncRestTransport(RestNode.of(node, rune, ca, server_name), connections)
        else:
            check_socket_arguments(rune, ca, server_name)
            self._rpc_transport = AsyncUnixTransport(os.path.expanduser(node))

    async def rpc_call(self, method: str, params: Params = None) -> Any:
        """Call any command, even one without a method, and return its result as plain JSON values.

        Parameters are passed by name (a mapping) or, over a socket, by position (a sequence).
        """
        return decode_plain(method, await self._rpc_exchange(method, encode_params(params), self._rpc_limit()))

    def rpc_send(self, name: str, /, *values: Any) -> Coroutine[Any, Any, Any]:
        """Call the command `name`; return a coroutine of its response class.

        `values` are the values of its parameters, in order, without extensions; None means not sent. Deprecation
        warnings and errors in parameters are raised immediately, so at the line that makes the call, even if a task
        awaits it.
        """
        return self._rpc_receive(*self._rpc_prepare(name, values))

    async def rpc_pages(
        self, method: Callable[P, Coroutine[Any, Any, Response]], *positional: P.args, **parameters: P.kwargs
    ) -> AsyncGenerator[Response, None]:
        """Read a long list in pages: `client.rpc_pages(client.listforwards, limit=100, status="failed")`.

        `method` is a method of this client that has the parameters `index`, `start` and `limit`. A page has at most
        `limit` elements (default: 1000), in the order of their creation; the other parameters filter. Each page is a
        call of its own, so the list may change meanwhile. Empty pages are left out. Raises TypeError for `index` and
        `start`, which the pages choose.
        """
        from .pages import Pages

        pages = Pages(parameters)
        call: Callable[..., Coroutine[Any, Any, Response]] = method  # with other arguments than these
        while (is_page := pages.take(page := await call(*positional, **pages.arguments()))) is not None:
            if is_page:
                yield page

    async def rpc_changes(
        self,
        subsystem: str,
        *indexes: Literal["created", "updated", "deleted"],
        since: Mapping[str, int] | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Yield the response of `wait` for each change of a list: `async for change in client.rpc_changes("invoices")`.

        `subsystem` is as for `wait`, and so are `indexes`; without any, all three are followed, each on a call of its
        own. Changes count from now on, or, for the indexes in `since`, after that number. A response may stand for
        several changes that came between two calls: its number in the field of the index's name is that of the last.
        The client's timeout does not apply. Close the iterator (`contextlib.aclosing`) to end the calls.
        """
        client, waits = self.rpc_with(timeout=None), dict[asyncio.Task[Any], str]()

        def follow(index: str, last: int) -> None:
            waits[asyncio.ensure_future(client.rpc_send("wait", subsystem, index, last + 1))] = index

        try:
            for each in indexes or ("created", "updated", "deleted"):
                known = (since or {}).get(each)
                if known is None:
                    known = getattr(await self.rpc_send("wait", subsystem, each, 0), each)
                follow(each, known)
            while True:
                for wait in (await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED))[0]:
                    index = waits.pop(wait)
                    change = wait.result()
                    follow(index, getattr(change, index))
                    yield change
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def rpc_close(self) -> None:
        """Close the connections. Pending calls fail; a later call opens a new one."""
        await self._rpc_transport.close()

    def _rpc_limit(self) -> Limit:
        """Return when a call that begins now times out."""
        seconds = self._rpc_settings.timeout
        return Limit(seconds, None if seconds is None else asyncio.get_running_loop().time() + seconds)

    async def _rpc_exchange(self, method: str, params: bytes, limit: Limit) -> bytes:
        """Call a command with the settings of this client; return the JSON text of its result.

        Raises RpcError, as the class of its code, or a ClientError.
        """
        if not (hooks := self._rpc_settings.on_call):
            return await self._rpc_attempt(method, params, limit, None)
        from .hooks import Observed

        with Observed(hooks, method, params) as record:
            raw = await self._rpc_attempt(method, params, limit, record)
            record.response_bytes = len(raw)
        return raw

    async def _rpc_attempt(self, method: str, params: bytes, limit: Limit, record: CallRecord | None) -> bytes:
        """Call a command, again if that is allowed; return the JSON text of its result."""
        settings = self._rpc_settings
        for attempts in count(1):
            if record is not None:
                record.attempts = attempts
            try:
                return await self._rpc_transport.call(method, params, limit, response_filter=settings.filter)
            except RpcError as error:
                raise named(self.rpc_package, error) from None
            except TransportError:
                left = None if limit.end is None else limit.end - asyncio.get_running_loop().time()
                pause = self._rpc_pause(method, attempts, left)
                if pause is None or not await self._rpc_transport.pause(pause):
                    raise
        raise AssertionError  # `count` has no end

    async def _rpc_receive(self, command: Command, params: bytes) -> Any:
        limit = self._rpc_limit()
        async with (
            self._rpc_transport.version_lock
        ):  # always taken, because it is fair: calls go out in the order in which they were made
            if not self._rpc_version.is_settled and command.name != GETINFO:
                await self._rpc_ask_version(limit)
        if limit.end is not None and limit.end <= asyncio.get_running_loop().time():
            raise timed_out(command.name, limit.seconds, sent=False)
        raw = await self._rpc_exchange(command.name, params, limit)
        if command.name == GETINFO and self._rpc_settings.filter is None:
            self._rpc_version.learn(raw, stacklevel=2)
        return decode_response(self.rpc_package, command, raw)

    async def _rpc_ask_version(self, limit: Limit) -> None:
        try:
            response = await self._rpc_transport.call(GETINFO, b"{}", limit)
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
