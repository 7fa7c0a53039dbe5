"""Serve a service at a Unix socket, in one event loop: the short way, without a store, limits or REST."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import stat
from collections.abc import Awaitable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..errors import GENERIC, RpcError
from ..jsontext import Framer, FramingError
from .bind import BadParameter
from .dispatch import Answer, Dispatcher

_CHUNK: Final = 1 << 16
_BACKLOG: Final = 128
_CONNECT_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


async def serve(dispatcher: Dispatcher, path: Path) -> None:
    """Answer calls at the socket `path` until SIGINT or SIGTERM.

    Raises:
        OSError: if nothing can listen there, or another process does.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    with _bound(path) as unbound:
        listener = await asyncio.start_unix_server(_Connections(dispatcher).serve, sock=unbound, backlog=_BACKLOG)
        try:
            await stopping.wait()
        finally:
            listener.close()


def log_hidden(command: str, error: BadParameter) -> None:
    """Log a bad token that the caller does not see."""
    logger.debug("%s: %s: invalid token %s", command, error.place, error.token.decode(errors="replace"))


class _Connections:
    """Answers the calls of all connections; calls of async methods run beside each other."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its client closes it."""
        framer = Framer()
        pending: set[asyncio.Task[None]] = set()
        try:
            while data := await reader.read(_CHUNK):
                framer.feed(data)
                for message in framer:
                    answer = self._answer(message)
                    if not isinstance(answer, Answer):
                        task = asyncio.create_task(self._send_later(writer, message, answer))
                        pending.add(task)
                        task.add_done_callback(pending.discard)
                    else:
                        await self._send(writer, message, answer)
                        if answer.close:
                            return
            if pending:  # the client may have closed only its own side
                await asyncio.wait(pending)
        except FramingError as error:
            writer.write(self._dispatcher.malformed(error).data)
        except ConnectionError:
            pass  # the client has gone
        finally:
            writer.close()

    def _answer(self, message: bytes) -> Answer | Awaitable[Answer]:
        try:
            return self._dispatcher.answer(message)
        except Exception:  # noqa: BLE001 # a bug in one call must not end the server
            return self._bug(message)

    async def _send_later(self, writer: asyncio.StreamWriter, message: bytes, pending: Awaitable[Answer]) -> None:
        try:
            answer = await pending
        except Exception:  # noqa: BLE001
            answer = self._bug(message)
        with suppress(ConnectionError):
            await self._send(writer, message, answer)

    async def _send(self, writer: asyncio.StreamWriter, message: bytes, answer: Answer) -> None:
        writer.write(answer.data)
        try:
            for piece in answer.rest or ():
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001
            # Half of the answer is sent. Without its end it is not JSON, so no client mistakes it for the whole.
            self._bug(message)
            writer.transport.abort()
        await writer.drain()

    def _bug(self, message: bytes) -> Answer:
        """Log the exception that is being handled, and return the answer to its call."""
        logger.exception("A call ended in a bug")
        return self._dispatcher.refuse(message, RpcError(GENERIC, "Internal error"))


@contextmanager
def _bound(path: Path) -> Generator[socket.socket]:
    """Bind a socket that only its owner can use; a socket without a listener is replaced. Raises OSError."""
    _free(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(os.fspath(path))
        path.chmod(0o600)  # nobody can connect before the socket listens
        made = path.lstat()
        try:
            yield listener
        finally:
            with suppress(FileNotFoundError):
                if os.path.samestat(made, path.lstat()):
                    path.unlink()


def _free(path: Path) -> None:
    """Remove the socket of a process that has ended. Raises OSError if one listens there, or it is no socket."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(f"{path} exists and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise FileExistsError(f"another process listens at {path}")
