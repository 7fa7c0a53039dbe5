"""A proxy in front of a node's socket, or of its REST interface with the same certificate, that loses answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self, TypeAlias

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class LosingProxy:
    """Passes on everything, but ends a connection in place of the answer to the command `method`.

    With `tls`, `server` is a port of 127.0.0.1, and `tls` the files of its certificate and key; the proxy listens at
    `port`. Without, both `server` and `listen` are paths of sockets.
    """

    def __init__(
        self,
        server: Path | int,
        method: str,
        *,
        listen: Path | None = None,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self.port = 0
        self.lost = 0
        """How many answers were lost."""
        self._server = server
        self._listen = listen
        self._asked = (f'"method":"{method}"', f"POST /v1/{method} ")[tls is not None].encode()
        self._forwarding: set[asyncio.Task[None] | None] = set()
        self._tls: ssl.SSLContext | None = None
        self._to_server: ssl.SSLContext | None = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
            self._to_server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._to_server.check_hostname = False  # the test's own server, on this machine
            self._to_server.verify_mode = ssl.CERT_NONE

    async def _serve(self, started: Callable[[], None]) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        if self._listen is None:
            listener = await asyncio.start_server(self._forward, "127.0.0.1", 0, ssl=self._tls)
            self.port = listener.sockets[0].getsockname()[1]
        else:
            listener = await asyncio.start_unix_server(self._forward, self._listen)
        started()
        await self._end.wait()
        listener.close()
        await asyncio.gather(*filter(None, self._forwarding))

    async def _connected(self) -> Streams:
        if isinstance(self._server, Path):
            return await asyncio.open_unix_connection(self._server)
        return await asyncio.open_connection("127.0.0.1", self._server, ssl=self._to_server)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_asked = False
        self._forwarding.add(asyncio.current_task())
        try:
            incoming, upstream = await self._connected()
        except OSError:
            writer.transport.abort()
            return

        async def outwards() -> None:
            nonlocal is_asked
            while data := await reader.read(1 << 16):
                is_asked |= self._asked in data
                upstream.write(data)

        async def inwards() -> None:
            while data := await incoming.read(1 << 16):
                if is_asked:
                    self.lost += 1
                    return
                writer.write(data)

        passing = [asyncio.ensure_future(outwards()), asyncio.ensure_future(inwards())]
        ends = asyncio.ensure_future(self._end.wait())
        await asyncio.wait([*passing, ends], return_when=asyncio.FIRST_COMPLETED)
        for task in (*passing, ends):
            task.cancel()
        await asyncio.gather(*passing, ends, return_exceptions=True)
        for side in (writer, upstream):
            side.transport.abort()
            with suppress(OSError):
                await side.wait_closed()

    def __enter__(self) -> Self:
        started = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(started.set)))
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
