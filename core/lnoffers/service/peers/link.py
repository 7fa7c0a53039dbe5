"""One open connection to a peer.

Three tasks serve it. The first reads what the peer sends, at most `READ_BYTES` per second; the rest waits in the peer's
own buffers. The second sends queued onion messages, no faster than nodes accept them: this node's own first, then those
that it forwards, so that strangers cannot delay its questions and answers. The third sends a ping if the peer has been
silent for `SILENT_SECONDS`, and closes the connection if no pong arrives. All three end with the connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lnoffers.fetching.peer import Peer, PeerGoneError
from lnoffers.net.address import Address, place_text
from lnoffers.net.connection import Event
from lnoffers.net.messages import NO_PONG, CustomMessage, OnionMessage, Ping, Pong
from lnoffers.service.peers.pace import Pace
from lnoffers.service.tasks import ended_in_bug

READ_BYTES: Final = 1 << 17
"""Bytes per second that are read from one peer."""
READ_BURST: Final = 1 << 19
"""Bytes that are read from one peer at once after a pause."""
ONIONS_A_SECOND: Final = 4
"""The rate at which onion messages of one peer are decrypted; further ones are dropped."""
ONION_BURST: Final = 8
"""Onion messages of one peer that are decrypted at once after a pause."""
SENT_A_SECOND: Final = 3
"""Onion messages per second that are sent to one peer. Core Lightning drops those beyond four per second."""
MAX_QUEUED_BYTES: Final = 1 << 17
"""Bytes of onion messages that wait to be sent to one peer."""
FORWARDS_WAIT: Final = 6
"""Onion messages that wait, two seconds' worth, while another one may be forwarded to the same peer."""
KEPT_WARNINGS: Final = 5
"""How many of a peer's last warnings are kept."""
SILENT_SECONDS: Final = 60.0
"""A peer that sends nothing for so long gets a ping."""
PONG_SECONDS: Final = 30.0
"""How long a pong may take."""


@dataclass(frozen=True, slots=True, eq=False)
class _Queued:
    """A message that waits to be sent; `sent` is done when it has been."""

    message: OnionMessage
    sent: asyncio.Future[None]


class Link:
    """An open connection.

    Args:
        peer: the peer, which has sent its `init`.
        address: the address to which this node connected; None if the peer connected to it.
        custom: the types of applications' messages that are handled; others are ignored, and take no turn.
        turn: held while a message is handled; connections that share it have their messages handled one in each turn of
            the event loop, so that others wait for one message, and not for one of each peer.
        silent_seconds: a peer that sends nothing for so long gets a ping.
        pong_seconds: how long a pong may take.
    """

    def __init__(  # noqa: PLR0913 - one parameter per choice
        self,
        peer: Peer,
        address: Address | None,
        *,
        custom: Container[int] = (),
        turn: asyncio.Lock | None = None,
        silent_seconds: float = SILENT_SECONDS,
        pong_seconds: float = PONG_SECONDS,
    ) -> None:
        self.node_id: Final = peer.node_id
        self.features: Final = peer.init.features
        self.remote: Final = peer.remote
        self.address: Final = address
        self.opened: Final = asyncio.get_running_loop().time()
        self.onions: Final = Pace(ONIONS_A_SECOND, ONION_BURST)
        """The onion messages of the peer that are decrypted."""
        self.throttled = False
        """Whether the last onion message of the peer came too early."""
        self.warnings = 0
        """How many warnings of the peer were logged."""
        self.last_warnings: Final[deque[tuple[float, str]]] = deque(maxlen=KEPT_WARNINGS)
        """The peer's last warnings, each with its time by the clock of the event loop."""
        self.why_ended = ""
        """Why the connection has ended; empty while it is open."""
        self._peer = peer
        self._custom = custom
        self._turn = turn or asyncio.Lock()
        self._silent_seconds = silent_seconds
        self._pong_seconds = pong_seconds
        self._own: deque[_Queued] = deque()
        self._forwards: deque[_Queued] = deque()
        self._queued_bytes = 0
        self._not_empty = asyncio.Event()
        self._send_pace = Pace(SENT_A_SECOND, 1)
        self._has_received = False
        self._ping_lock = asyncio.Lock()
        self._pong: asyncio.Future[int] | None = None
        self._task: asyncio.Task[PeerGoneError] | None = None

    def start(self, receive: Callable[[Link, Event], None], ended: Callable[[Link, PeerGoneError], None]) -> None:
        """Serve the connection: call `receive` with each event, and `ended` once, with the reason why it ended."""
        self._task = asyncio.create_task(self._run(receive))
        self._task.add_done_callback(partial(self._end, ended))

    def send(self, message: OnionMessage) -> asyncio.Future[None] | None:
        """Queue a message of this node for the peer.

        Returns:
            What is done when the message has been sent; None if there was no room.
        """
        return self._add(self._own, message)

    def forward(self, message: OnionMessage) -> bool:
        """Queue a message of another node for the peer; return False if too many wait already."""
        if len(self._own) + len(self._forwards) >= FORWARDS_WAIT:
            return False
        return self._add(self._forwards, message) is not None

    def withdraw(self, sent: asyncio.Future[None]) -> int:
        """Take back a message of this node that has not been sent; return how many waited before it.

        `sent` is what `send` has returned for it.
        """
        place = next(place for place, queued in enumerate(self._own) if queued.sent is sent)
        self._queued_bytes -= len(self._own[place].message.packet)
        del self._own[place]
        return place

    def _add(self, queue: deque[_Queued], message: OnionMessage) -> asyncio.Future[None] | None:
        if self._queued_bytes + len(message.packet) > MAX_QUEUED_BYTES:
            return None
        queued = _Queued(message, asyncio.get_running_loop().create_future())
        queue.append(queued)
        self._queued_bytes += len(message.packet)
        self._not_empty.set()
        return queued.sent

    async def send_custom(self, message: CustomMessage) -> None:
        """Send a message of an application; wait while the peer reads too slowly.

        Raises:
            PeerGoneError: if the connection has ended, or ends meanwhile.
        """
        await self._peer.send(message)

    async def ping(self, ping: Ping) -> int | None:
        """Send a ping and return the number of bytes in the pong; None, without waiting, if it requests no pong.

        Raises:
            PeerGoneError: if no pong arrives in time, or the connection ends.
        """
        async with self._ping_lock:
            try:
                async with asyncio.timeout(self._pong_seconds):
                    if self._pong is not None:  # a pong whose caller was cancelled
                        await asyncio.shield(self._pong)
                    if ping.num_pong_bytes < NO_PONG:
                        self._pong = asyncio.get_running_loop().create_future()
                    await self._peer.send(ping)
                    return None if self._pong is None else await asyncio.shield(self._pong)
            except TimeoutError:
                raise PeerGoneError(f"no pong came within {self._pong_seconds:g} seconds") from None

    def close(self) -> None:
        """Close the connection; `closed` waits for the end."""
        if self._task is not None:
            self._task.cancel()

    async def closed(self) -> None:
        """Wait until the connection has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def until(self, answer: asyncio.Future[Any]) -> None:
        """Wait until there is an answer, or the connection has ended."""
        if self._task is not None:
            await asyncio.wait([answer, self._task], return_when=asyncio.FIRST_COMPLETED)

    def __str__(self) -> str:
        return f"{self.node_id.hex()} ({place_text(*self.remote)})"

    def _end(self, ended: Callable[[Link, PeerGoneError], None], task: asyncio.Task[PeerGoneError]) -> None:
        self._peer.abort()  # if the task was cancelled before it could close the connection
        if task.cancelled():
            reason = PeerGoneError("this node closed the connection")
        elif ended_in_bug("A connection ended in a bug", task):
            reason = PeerGoneError("a bug in this node")
        else:
            reason = task.result()
        self.why_ended = str(reason)
        ended(self, reason)

    async def _run(self, receive: Callable[[Link, Event], None]) -> PeerGoneError:
        reason = PeerGoneError("the connection has ended")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(receive))
                tasks.create_task(self._send_queued())
                tasks.create_task(self._keep_alive())
        except* PeerGoneError as errors:
            reason = next(error for error in errors.exceptions if isinstance(error, PeerGoneError))
        finally:
            if self._pong is not None and not self._pong.done():
                self._pong.set_exception(reason)
                self._pong.exception()  # marks it as retrieved, in case no caller waits for it
            await self._peer.close()
        return reason

    async def _read(self, receive: Callable[[Link, Event], None]) -> None:
        while True:
            event = await self._peer.next_event()
            self._has_received = True
            if isinstance(event, CustomMessage) and event.type not in self._custom:
                continue
            async with self._turn:
                if isinstance(event, Pong) and self._pong is not None:
                    self._pong.set_result(event.byteslen)
                    self._pong = None
                else:
                    receive(self, event)
                await asyncio.sleep(0)  # other connections come first, however many messages have arrived

    async def _send_queued(self) -> None:
        while True:
            await self._not_empty.wait()
            await self._send_pace.spend(1)
            if (message := self._next()) is not None:
                await self._peer.send(message)

    def _next(self) -> OnionMessage | None:
        """Return the next message to send; None if what waited has been withdrawn."""
        queue = self._own or self._forwards
        queued = queue.popleft() if queue else None
        if not self._own and not self._forwards:
            self._not_empty.clear()
        if queued is None:
            return None
        self._queued_bytes -= len(queued.message.packet)
        queued.sent.set_result(None)
        return queued.message

    async def _keep_alive(self) -> None:
        while True:
            self._has_received = False
            await asyncio.sleep(self._silent_seconds)
            if not self._has_received:
                await self.ping(Ping())
