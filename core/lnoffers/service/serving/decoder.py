"""The process that decodes what takes long, so that nobody else waits for it.

A string of 131,072 characters may take a second to decode. A thread would not help: only one thread runs Python at a
time. The process starts with the first long string and ends when there was none for a while, or with the server. It
decodes one string at a time, in the order in which they came. That is fair, since a connection has one call at a time
here: its next one queues up behind those of the others.

The process inherits nothing but one end of a socket pair. It has neither the store nor the secret: recovery data, which
only a key of the node opens, comes back to be opened here. If it ends, is killed, takes too long or too much memory,
its call gets an error, and the next one a new process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.emergency import SealedError
from lnoffers.service.dispatching import INTERNAL_ERROR, STOPPING, to_raise
from lnoffers.service.serving import decoding_process as process

if TYPE_CHECKING:
    from lnoffers.service.node import Node

LONG_BYTES: Final = 1 << 11
"""Of a message. A shorter one takes a millisecond at most, and the offers and invoices of most wallets are shorter."""
LONG_RUNE_BYTES: Final = 1 << 9
"""Of a message, without its bech32 string: a rune takes as long as a bech32 string of twice its length or more."""
DECODE_SECONDS: Final = 60.0
"""How long a string may take, on a machine that is busy otherwise."""
IDLE_SECONDS: Final = 60.0
"""After how long without a string the process ends."""

_ENDED: Final = (
    "This string could not be decoded: the process that decodes long strings ended before it was done. "
    "Try again; if that fails too, the machine may be short of memory"
)
_TOO_SLOW: Final = (
    f"This string could not be decoded within {DECODE_SECONDS:g} seconds. Try again when the machine is less busy"
)

_BECH32: Final = re.compile(rb"ln[0-9a-z+]+|LN[0-9A-Z+]+")
"""What may be an offer, an invoice and so on. A rune is none: bytes that are text have both cases in base64."""

logger = logging.getLogger(__name__)


def takes_long(message: bytes) -> bool:
    """Return whether a call may be one that decodes a long string. This is cheap, and the process looks again."""
    if len(message) <= LONG_RUNE_BYTES or b'"decode"' not in message:
        return False
    if len(message) > LONG_BYTES:
        return True
    bech32 = max(map(len, _BECH32.findall(message)), default=0)
    return len(message) - bech32 > LONG_RUNE_BYTES


class Decoder:
    """The process, between its first string and `close`. Make it within the event loop."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._loop = asyncio.get_running_loop()
        self._free = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._peer: socket.socket | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ended = False

    async def answer(self, message: bytes) -> Answer | None:
        """Return the response to a call; None if the call is neither decode nor check for decode.

        Raises:
            RpcError: if the process cannot answer.
        """
        async with self._free:
            if self._ended:
                raise to_raise(STOPPING)
            self._keep_running()
            answered = False
            try:
                async with asyncio.timeout(DECODE_SECONDS):
                    answer = await self._exchange(message)
                answered = True
            except (OSError, EOFError) as error:
                if self._ended:
                    raise to_raise(STOPPING) from None
                slow = isinstance(error, TimeoutError)
                why = "took too long" if slow else "ended"
                logger.warning("The process that decodes long strings %s, at a message of %d bytes", why, len(message))
                raise RpcError(GENERIC, _TOO_SLOW if slow else _ENDED) from None
            finally:
                if answered:
                    self._idle = self._loop.call_later(IDLE_SECONDS, self.close)
                else:
                    self.close()  # it may be in the middle of a string that nobody waits for any more
        return answer

    def end(self) -> None:
        """Give up the string at hand, those that wait, and all that come: the server stops."""
        self._ended = True
        if self._process is not None:
            self._process.kill()  # which ends the wait for its answer

    def close(self) -> None:
        """End the process."""
        self._keep_running()
        if self._peer is not None:
            self._peer.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._peer = self._process = None

    def _keep_running(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _running(self) -> socket.socket:
        """Return the socket of the running process; start another one if it has ended since the last string."""
        if self._peer is not None and self._process is not None and self._process.poll() is None:
            return self._peer
        self.close()
        return self._start()

    def _start(self) -> socket.socket:
        self._peer, theirs = socket.socketpair()
        self._peer.setblocking(False)
        developer = ["--developer"] if self._node.options.developer else []
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 # nothing of it comes from outside
                [sys.executable, "-P", "-m", process.__name__, str(os.getpid()), *developer],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},  # what this process would load, no more
                start_new_session=True,  # a Ctrl-C is for the server alone
            )
        return self._peer

    async def _exchange(self, message: bytes) -> Answer | None:
        peer = self._running()
        request = process.TIME.pack(self._node.clock.now()) + message
        await self._loop.sock_sendall(peer, process.frame(process.REQUEST, request))
        while True:
            size, kind = process.HEADER.unpack(await self._read(peer, process.HEADER.size))
            content = await self._read(peer, size)
            match kind:
                case process.ANSWER | process.LAST_ANSWER:
                    return Answer(content, close=kind == process.LAST_ANSWER)
                case process.OPEN:
                    await self._loop.sock_sendall(peer, self._opened(content))
                case process.LOG:
                    logger.info("%s", content.decode())
                case process.BUG:
                    logger.error("A call ended in a bug\n%s", content.decode())
                    raise to_raise(INTERNAL_ERROR)
                case _:
                    return None

    async def _read(self, peer: socket.socket, size: int) -> bytes:
        data = bytearray(size)
        left = memoryview(data)
        while left:
            count = await self._loop.sock_recv_into(peer, left)
            if not count:
                raise EOFError
            left = left[count:]
        return bytes(data)

    def _opened(self, sealed: bytes) -> bytes:
        """Return the content of this node's recovery data, as a frame."""
        try:
            return process.frame(process.OPENED, self._node.unseal(sealed))
        except SealedError as error:
            return process.frame(process.SEALED, str(error).encode())
