"""The separate process that decodes long strings, so that they do not delay other calls.

A string of 131,072 characters may take a second to decode. A thread would not help: only one thread runs Python at a
time. The process starts with the first long string, and ends with the server or after a minute without long strings. It
decodes one string at a time, in the order of arrival. This is fair, because a connection can have only one call here:
its next one queues up behind those of other connections.

The process inherits only one end of a socket pair. It has neither the store nor the secret. Recovery data can only be
decrypted with a key of the node, so the process sends it back to be decrypted here. If the process dies, or takes too
long or too much memory, the current call gets an error, and the next call starts a new process.
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
"""Messages up to this length are decoded without the process: they take a millisecond at most.

The offers and invoices of most wallets are shorter.
"""
LONG_RUNE_BYTES: Final = 1 << 9
"""The same limit for the part of a message outside of its bech32 string, where a rune may be.

A rune takes at least as long as a bech32 string of twice its length.
"""
DECODE_SECONDS: Final = 60.0
"""How long decoding a string may take; this is generous, for busy machines."""
IDLE_SECONDS: Final = 60.0
"""The process ends after this time without a string."""

_ENDED: Final = (
    "This string could not be decoded: the process that decodes long strings ended before it was done. "
    "Try again; if that fails too, the machine may be short of memory"
)
_TOO_SLOW: Final = (
    f"This string could not be decoded within {DECODE_SECONDS:g} seconds. Try again when the machine is less busy"
)

_BECH32: Final = re.compile(rb"ln[0-9a-z+]+|LN[0-9A-Z+]+")
"""Text that may be an offer, an invoice and so on.

A rune does not match as a whole: bech32 is all in one case, and the base64 of a rune mixes both.
"""

logger = logging.getLogger(__name__)


def takes_long(message: bytes) -> bool:
    """Return whether a call may decode a long string. This is a cheap guess; the process checks it."""
    if len(message) <= LONG_RUNE_BYTES or b'"decode"' not in message:
        return False
    if len(message) > LONG_BYTES:
        return True
    bech32 = max(map(len, _BECH32.findall(message)), default=0)
    return len(message) - bech32 > LONG_RUNE_BYTES


class Decoder:
    """Starts the process when it is needed, and ends it. Create it within the event loop."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._peer: socket.socket | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ended = False

    async def answer(self, message: bytes) -> Answer | None:
        """Return the response to a call; None if the call is neither `decode` nor a `check` of `decode`.

        Raises:
            RpcError: if the process cannot answer.
        """
        async with self._lock:
            if self._ended:
                raise to_raise(STOPPING)
            self._cancel_idle_timer()
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
                    self.close()  # it may still be decoding a string whose caller has left
        return answer

    def end(self) -> None:
        """Refuse the current string, pending ones and all later ones, because the server stops."""
        self._ended = True
        if self._process is not None:
            self._process.kill()  # so that the pending call ends

    def close(self) -> None:
        """End the process; the next string starts a new one."""
        self._cancel_idle_timer()
        if self._peer is not None:
            self._peer.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._peer = self._process = None

    def _cancel_idle_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _socket_of_process(self) -> socket.socket:
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
            self._process = subprocess.Popen(  # noqa: S603 # no part of the command comes from a user
                [sys.executable, "-P", "-m", process.__name__, str(os.getpid()), *developer],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},  # the modules of this process
                start_new_session=True,  # Ctrl-C must reach only the server
            )
        return self._peer

    async def _exchange(self, message: bytes) -> Answer | None:
        peer = self._socket_of_process()
        request = process.TIME.pack(self._node.clock.now()) + message
        await self._loop.sock_sendall(peer, process.frame(process.REQUEST, request))
        while True:
            size, kind = process.HEADER.unpack(await self._read(peer, process.HEADER.size))
            content = await self._read(peer, size)
            match kind:
                case process.ANSWER | process.LAST_ANSWER:
                    return Answer(content, close=kind == process.LAST_ANSWER)
                case process.OPEN:
                    await self._loop.sock_sendall(peer, self._unsealed(content))
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

    def _unsealed(self, sealed: bytes) -> bytes:
        """Return a frame with the decrypted recovery data of this node, or with an error."""
        try:
            return process.frame(process.OPENED, self._node.unseal(sealed))
        except SealedError as error:
            return process.frame(process.SEALED, str(error).encode())
