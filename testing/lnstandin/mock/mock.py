"""The mock as a context manager: `Mock` for synchronous code, `AsyncMock` for code in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from lnstandin.mock import events
from lnstandin.mock.core import NETWORK, Standin
from lnstandin.mock.plugins.host import LogLine, Plugin, PluginHost
from lnstandin.mock.restcalls import RestCalls
from lnstandin.mock.server import Server

T = TypeVar("T")
Payload = Mapping[str, Any]
SOCKET: Final = "lightning-rpc"
REST_CONNECTIONS: Final = 256


class ServedMock(Standin):
    """A stand-in with a socket, a folder, plugins and, if wanted, REST. It runs in one event loop."""

    def __init__(  # noqa: PLR0913 # each is an option of the program
        self,
        schemas: Path | str | None = None,
        *,
        socket: Path | str | None = None,
        rest: tuple[str, int] | None = None,
        rest_http: bool = False,
        seed: int | str = 0,
        release: str | None = None,
        examples: bool = True,
    ) -> None:
        """Create a mock; it is reachable within its `with` statement.

        Args:
            schemas: the folder of the documents; by default this project's.
            socket: where clients connect; by default `<folder>/regtest/lightning-rpc` in a temporary folder.
            rest: the host and the port of REST, 0 for a free one; None: no REST. Needs `clnrpc[rest]`.
            rest_http: whether REST has no TLS; otherwise its certificates are beside the socket (`ca.pem`).
            seed: what generated answers depend on, besides the call.
            release: behave like this release, such as "v24.08".
            examples: whether the documents' examples are answers.

        Raises:
            DocumentsError: if there are no documents in the folder, or `release` names no release.
        """
        super().__init__(schemas, seed=seed, release=release, examples=examples)
        self.rest_address: tuple[str, int] | None = None
        """The host and the port of REST while it is served."""
        self._rest, self._rest_http = rest, rest_http
        self._temporary: TemporaryDirectory[str] | None = None
        if socket is None:
            self._temporary = TemporaryDirectory(prefix="lnstandin-")
            socket = Path(self._temporary.name, NETWORK, SOCKET)
            socket.parent.mkdir()
        self.socket = Path(socket).absolute()
        """Where clients connect."""
        self.folder = self.socket.parent
        self._host = self.plugins = PluginHost(self, self.socket)
        self._server = Server(self, self.socket)
        self._stack = AsyncExitStack()

    @property
    def lightning_dir(self) -> Path:
        """What clients take for the node's `lightning-dir`; the socket is in its folder `regtest`."""
        return self.folder.parent if self.folder.name == NETWORK else self.folder

    @property
    def rest_url(self) -> str:
        """The URL of REST, such as https://127.0.0.1:3010. Raises RuntimeError if it is not served."""
        if self.rest_address is None:
            raise RuntimeError("this mock serves no REST; give it rest=('127.0.0.1', 0)")
        return "{}://{}:{}".format("http" if self._rest_http else "https", *self.rest_address)

    @property
    def plugin_log(self) -> Sequence[LogLine]:
        """What plugins logged, and printed on stderr, oldest first."""
        return list(self._host.log)

    def configure(self, options: Mapping[str, Sequence[str]]) -> None:
        """Set the options of the node's command line, by name: a plugin that is started takes those that it has."""
        self._host.configured = options

    def check_configured(self) -> None:
        """Raise PluginError if no plugin that runs has one of the options of the command line."""
        self._host.check_configured()

    async def _open(self) -> None:
        await self._server.open()
        try:
            if self._rest is not None:
                from lnoffers.service.serving.rest import opened  # noqa: PLC0415 # 0085: slow

                certificates = None if self._rest_http else self.folder
                calls = RestCalls(self, self._server.restart)
                rest = opened(calls.call, *self._rest, certificates, REST_CONNECTIONS, check=calls.check)
                self.rest_address = (await self._stack.enter_async_context(rest)).address
        except BaseException:
            await self._server.close()
            raise

    async def _close(self) -> None:
        await self._host.close()
        await self._stack.aclose()
        await self._server.close()
        self.close()

    async def _notify(self, name: str, payload: Payload | None, *, check: bool) -> int:
        return self._host.notify(name, events.notification(self.documents, self.seed, name, payload, check=check))

    async def _call_hook(self, name: str, payload: Payload | None, *, check: bool) -> dict[str, Any]:
        made = events.hook(self.documents, self.seed, name, payload, check=check)
        response = await self._host.hook(name, made)
        if check:
            events.check_response(self.documents, name, response)
        return response

    def _remove_folder(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()


class Mock(ServedMock):
    """A stand-in for a Core Lightning node, which a thread serves.

        with Mock() as mock, Client(mock.socket) as client:
            mock.on("xpay", invstring=ANY).fail(205, "No route")
            ...
            assert mock.calls.of("xpay", invstring="lni1...")

    Functions of the script run in that thread, one at a time. While one runs, no other call is answered, and it cannot
    call the mock itself; an asynchronous function lets other calls go on while it awaits.
    """

    def __enter__(self) -> Self:
        """Listen. Raises ListenError."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="lnstandin mock", daemon=True)
        self._thread.start()
        try:
            self._run(self._open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._end()

    def restart(self) -> None:
        """End all connections and listen again; rules, calls and plugins stay. Raises ListenError."""
        self._run(self._server.restart())

    def reorder(self, count: int) -> None:
        """Answer the next `count` calls in reverse order, once all of them have arrived."""
        self._loop.call_soon_threadsafe(self._server.reorder, count)

    def start_plugin(self, path: Path | str, options: Payload | None = None) -> Plugin:
        """Start a plugin as lightningd does. Its commands can be called at the socket.

        Raises:
            PluginError: if it cannot be started, disables itself, or does not have one of the options.
        """
        return self._run(self._host.start(Path(path).absolute(), options or {}, startup=True))

    def stop_plugin(self, plugin: Plugin) -> None:
        """Stop a plugin. The end of the mock stops all of them."""
        self._run(self._host.stop(plugin))

    def notify(self, name: str, payload: Payload | None = None, *, check: bool = True) -> int:
        """Send a notification to the plugins that subscribe to it, and return how many do.

        The payload is what documents describe, without the member around it; by default it is generated.

        Raises:
            ScriptError: if there is no such notification, or the payload contradicts its document; not without `check`.
        """
        return self._run(self._notify(name, payload, check=check))

    def call_hook(self, name: str, payload: Payload | None = None, *, check: bool = True) -> dict[str, Any]:
        """Call a hook, and return the response of the last plugin that was called; by default the payload is generated.

        Raises:
            ScriptError: if there is no such hook, or payload or response contradict its document; not without `check`.
            RpcError: if a plugin answers with an error, at which lightningd would end.
        """
        return self._run(self._call_hook(name, payload, check=check))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._remove_folder()


class AsyncMock(ServedMock):
    """A stand-in for a Core Lightning node, in the running event loop: `async with AsyncMock() as mock`.

    Functions of the script may be asynchronous, and use what else runs in that loop. Its methods are those of `Mock`.
    """

    async def __aenter__(self) -> Self:
        """Listen. Raises ListenError."""
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()
        self._remove_folder()

    async def restart(self) -> None:
        """End all connections and listen again; as `Mock.restart`."""
        await self._server.restart()

    def reorder(self, count: int) -> None:
        """Answer the next `count` calls in reverse order, once all of them have arrived."""
        self._server.reorder(count)

    async def start_plugin(self, path: Path | str, options: Payload | None = None) -> Plugin:
        """Start a plugin; as `Mock.start_plugin`."""
        return await self._host.start(Path(path).absolute(), options or {}, startup=True)

    async def stop_plugin(self, plugin: Plugin) -> None:
        """Stop a plugin; as `Mock.stop_plugin`."""
        await self._host.stop(plugin)

    async def notify(self, name: str, payload: Payload | None = None, *, check: bool = True) -> int:
        """Send a notification to plugins; as `Mock.notify`."""
        return await self._notify(name, payload, check=check)

    async def call_hook(self, name: str, payload: Payload | None = None, *, check: bool = True) -> dict[str, Any]:
        """Call a hook; as `Mock.call_hook`."""
        return await self._call_hook(name, payload, check=check)
