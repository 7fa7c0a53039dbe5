"""Read lightningd's messages, write to it, and run what is asynchronous, in one event loop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextvars import Context
from threading import Lock
from typing import Any, ClassVar

from ..client.exchange import MAX_RESPONSE_BYTES
from ..client.objects import ObjectReader
from .stdio import CHUNK, write_all


class Output:
    """The pipe to lightningd, for all threads. Without one, messages are dropped."""

    _writing: ClassVar = Lock()  # a process has one stdout

    def __init__(self) -> None:
        self._sink: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether lightningd gets what is written."""
        return self._sink is not None

    def use(self, sink: int | None) -> None:
        """Write to a file descriptor from now on, or, if it is None, to nothing."""
        with self._writing:  # a thread may be writing
            self._sink = sink

    def write(self, message: bytes) -> None:
        """Write a whole message. Raises BrokenPipeError if lightningd has closed the pipe."""
        with self._writing:
            if self._sink is not None:
                write_all(self._sink, message)


class Tasks:
    """The tasks of asynchronous methods."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> None:
        """Start a task."""
        task = asyncio.get_running_loop().create_task(work, context=context)
        self._running.add(task)  # the event loop does not keep it
        task.add_done_callback(self._running.discard)


async def read_messages(source: int) -> AsyncIterator[str]:
    """Yield lightningd's messages, until it closes the pipe; end the program if the input is not JSON."""
    objects = ObjectReader(MAX_RESPONSE_BYTES)
    while chunk := await _read(source):
        try:
            for message in objects.feed(chunk):
                yield message
        except ValueError as error:
            sys.exit(f"lightningd sent invalid JSON-RPC: {error}")


async def _read(source: int) -> bytes:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(source, readable.set)
    except PermissionError:  # a regular file, which is always readable
        await asyncio.sleep(0)
    else:
        try:
            await readable.wait()
        finally:
            loop.remove_reader(source)
    return os.read(source, CHUNK)
