"""The mock as a context manager: `Mock` for synchronous code, `AsyncMock` for code in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from lnstandin.mock.core import NETWORK, Standin
from lnstandin.mock.server import Server

T = TypeVar("T")
SOCKET: Final = "lightning-rpc"


class _Served(Standin):
    """A stand-in with a socket and a folder."""

    def __init__(
        self,
        schemas: Path | str | None = None,
        *,
        socket: Path | str | None = None,
        seed: int | str = 0,
        release: str | None = None,
        examples: bool = True,
    ) -> None:
        """Create a mock; it is reachable within its `with` statement.

        Args:
            schemas: the folder of the documents; by default this project's.
            socket: where clients connect; by default `<folder>/regtest/lightning-rpc` in a temporary folder.
            seed: what generated answers depend on, besides the call.
            release: behave like this release, such as "v24.08".
            examples: whether the documents' examples are answers.

        Raises:
            DocumentsError: if there are no documents in the folder, or `release` names no release.
        """
        super().__init__(schemas, seed=seed, release=release, examples=examples)
        self._folder: TemporaryDirectory[str] | None = None
        if socket is None:
            self._folder = TemporaryDirectory(prefix="lnstandin-")
            socket = Path(self._folder.name, NETWORK, SOCKET)
            socket.parent.mkdir()
        self._server = Server(self, Path(socket).absolute())

    @property
    def socket(self) -> Path:
        """Where clients connect."""
        return self._server.path

    @property
    def lightning_dir(self) -> Path:
        """The folder that a client or plugin takes for that of the node; the socket is in its folder `regtest`."""
        return self.socket.parent.parent if self.socket.parent.name == NETWORK else self.socket.parent

    def _remove_folder(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


class Mock(_Served):
    """A stand-in for a Core Lightning node, which a thread serves.

    with Mock() as mock, Client(mock.socket) as client:
        mock.on("xpay", invstring=ANY).fail(205, "No route")
        ...
        assert mock.calls.of("xpay", invstring="lni1...")

    Functions of the script run in that thread.
    """

    def __enter__(self) -> Self:
        """Listen. Raises ListenError."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="lnstandin mock", daemon=True)
        self._thread.start()
        try:
            self._run(self._server.open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._server.close())
        self._end()

    def restart(self) -> None:
        """End all connections and listen again; rules and calls stay. Raises ListenError."""
        self._run(self._server.restart())

    def reorder(self, count: int) -> None:
        """Answer the next `count` calls in reverse order, once all of them have arrived."""
        self._loop.call_soon_threadsafe(self._server.reorder, count)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._remove_folder()


class AsyncMock(_Served):
    """A stand-in for a Core Lightning node, in the running event loop: `async with AsyncMock() as mock`.

    Functions of the script may be asynchronous, and use what else runs in that loop.
    """

    async def __aenter__(self) -> Self:
        """Listen. Raises ListenError."""
        await self._server.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._server.close()
        self._remove_folder()

    async def restart(self) -> None:
        """End all connections and listen again; rules and calls stay. Raises ListenError."""
        await self._server.restart()

    def reorder(self, count: int) -> None:
        """Answer the next `count` calls in reverse order, once all of them have arrived."""
        self._server.reorder(count)
