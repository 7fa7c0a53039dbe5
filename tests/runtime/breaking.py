"""A proxy between client and server that cuts connections, in the middle of messages too, and delays what it passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any, Self, TypeAlias

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class BreakingProxy:
    """Listens at the path of a socket, or at a free port of 127.0.0.1, and forwards to `server`.

    Of each piece that arrives it passes all or a part, and with the probability `cuts` it then ends the connection.
    """

    def __init__(self, server: Path | int, path: Path | None, seed: int, cuts: float = 0.05) -> None:
        self._server = server
        self._path = path
        self._random = Random(seed)
        self._cuts = cuts
        self.port = 0
        self.broken = 0
        """How many connections were cut."""
        self._writers: set[asyncio.StreamWriter] = set()

    async def _serve(self, started: Callable[[], None]) -> None:
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self._path is None:
            listener = await asyncio.start_server(self._forward, "127.0.0.1", 0, backlog=1000)
            self.port = listener.sockets[0].getsockname()[1]
        else:
            listener = await asyncio.start_unix_server(self._forward, self._path, backlog=1000)
        started()
        async with listener:
            await self._end.wait()
            await self._end_connections()  # before the listener: asyncio leaves those open that it is just accepting

    async def _end_connections(self) -> None:
        idle_turns = 0
        while idle_turns < 10:  # in the first turns, accepted connections get their tasks
            await asyncio.sleep(0.01)
            idle_turns = 0 if self._writers else idle_turns + 1
            for writer in self._writers:
                writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        upstream = None
        passing: list[asyncio.Task[None]] = []
        try:
            incoming, upstream = await self._connected()
            pairs = ((reader, upstream), (incoming, writer))
            passing = [asyncio.create_task(self._pass(*pair)) for pair in pairs]
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass
        finally:
            for each in passing:
                each.cancel()
            await asyncio.gather(*passing, return_exceptions=True)
            for side in (writer, upstream):
                if side is not None:
                    side.transport.abort()
            self._writers.discard(writer)

    async def _connected(self) -> Streams:
        if isinstance(self._server, Path):
            return await asyncio.open_unix_connection(self._server)
        return await asyncio.open_connection("127.0.0.1", self._server)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 12):
            if self._random.random() < self._cuts:
                self.broken += 1
                target.write(data[: self._random.randrange(len(data) + 1)])
                await target.drain()
                return
            half = self._random.randrange(len(data) + 1)
            target.write(data[:half])
            await asyncio.sleep(self._random.choice((0, 0, 0.001)))
            target.write(data[half:])
            await target.drain()

    def __enter__(self) -> Self:
        started = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(started.set)))
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
