"""A node of a network within an event loop, and what a test can do with it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from lnoffers.net.address import Address, place_text
from lnoffers.service import Node, Options, Server
from lnoffers.service.clock import Clock
from lnoffers.service.errors import ServiceError
from lnoffers.service.files import make_private_directory
from lnoffers.service.serving.listening import locked_pid_file
from lnstandin.network.recording import CALLS, RecordFile, recording
from lnstandin.network.service import LightningService
from lnstandin.play import Play
from lnstandin.play.channels import Channel
from lnstandin.play.sender import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lnstandin.network.handles import Settings

HOST: Final = "127.0.0.1"
READY_PAUSE: Final = 0.001
"""Seconds between looks whether payments may begin."""


class ShiftedClock(Clock):
    """The operating system's clock, which a test sets forward."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def now(self) -> int:
        return super().now() + self.seconds

    def now_ns(self) -> int:
        """Return the Unix time in nanoseconds."""
        return super().now_ns() + self.seconds * 10**9


def options(settings: Settings) -> Options:
    """Return the options of a node."""
    return Options(
        lightning_dir=settings.directory,
        network="regtest",
        backend=f"play:{settings.faults}" if settings.faults else "play",
        listen=((HOST, 0),),
        rest=None if settings.rest_port is None else (HOST, settings.rest_port),
    )


def give_secret(settings: Settings) -> None:
    """Make the directory of a node, and the secret that the node of this number has in every network."""
    chosen = options(settings)
    make_private_directory(chosen.network_dir)
    if not chosen.secret_file.exists():
        descriptor = os.open(chosen.secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sha256(f"lnstandin node {settings.number}".encode()).digest())


class RunningNode:
    """A node that serves. The methods without an underscore are a test's: their arguments and results are JSON."""

    def __init__(self, server: Server, node: Node, clock: ShiftedClock, serving: asyncio.Task[None]) -> None:
        backend = server.served.payer.backend
        assert isinstance(backend, Play)  # by its options
        self.server: Final = server
        self._node = node
        self._clock = clock
        self._serving = serving
        self._backend = backend

    async def about(self) -> Mapping[str, str]:
        """Return the node's id, the address at which other nodes connect, and the URL of REST, or an empty text."""
        peers, rest = self.server.served.peers, self.server.rest_address
        [(host, port)] = peers.listening
        url = "" if rest is None else f"https://{place_text(*rest)}"
        return {"id": peers.node_id.hex(), "address": str(Address(peers.node_id, host, port)), "rest": url}

    async def connect(self, addresses: Sequence[str]) -> None:
        """Connect to nodes, and repeat the payments that wait for one.

        Raises:
            PeerUnavailableError: if one cannot be reached.
        """
        peers = self.server.served.peers
        await asyncio.gather(*(peers.connect(Address.parse(each)) for each in addresses))
        self._backend.sender.hurry()

    async def hurry(self) -> None:
        """Repeat the payments that wait for an answer."""
        self._backend.sender.hurry()

    async def open_channels(self, channels: Sequence[Mapping[str, Any]]) -> None:
        """Add channels: the fields of `Channel`, with the peer in hex."""
        opened = [Channel(**{**each, "peer": bytes.fromhex(each["peer"])}) for each in channels]
        await self._backend.ledger.open_channels(opened)

    async def advance(self, seconds: int) -> None:
        """Set the clock forward."""
        self._clock.seconds += seconds
        self._node.changes.tell()  # an invoice may have expired

    async def disturb(self, faults: Mapping[str, float]) -> None:
        """Replace some of the faults of `lnstandin.play.faults`."""
        self._backend.wire.faults = replace(self._backend.wire.faults, **faults)  # type: ignore[arg-type] # by the caller

    async def fail_next(self, count: int, code: int, reason: str, *, leaves: bool) -> None:
        """Let the next payments of this node fail."""
        self._backend.sender.failures.extend([Failure(code, reason, leaves)] * count)

    async def hold(self) -> None:
        """Answer no payment to this node."""
        self._backend.wire.may_take.clear()

    async def release(self) -> None:
        """Answer the payments again, and those that wait."""
        self._backend.wire.may_take.set()

    async def ended(self) -> None:
        """Return when the node has ended by itself, as the command `stop` demands."""
        await asyncio.wait([self._serving])

    async def control(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call one of the methods above.

        Raises:
            ServiceError: if it fails.
        """
        call: Callable[..., Awaitable[Any]] = getattr(self, method)
        return await call(**arguments)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningNode]:
    """Run a node until the block ends, or until the command `stop`.

    Raises:
        ServiceError: if it cannot run.
    """
    await asyncio.to_thread(give_secret, settings)
    chosen = options(settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(locked_pid_file(chosen.lock_file))
        node = stack.enter_context(await asyncio.to_thread(Node.open, chosen))
        node.clock = clock = ShiftedClock(settings.clock_seconds)
        record = stack.enter_context(closing(RecordFile(chosen.network_dir / CALLS)))
        commands = recording(LightningService, record.add)
        server, ready = Server(node, commands=commands), asyncio.Event()
        serving = asyncio.create_task(server.run(ready.set))
        stack.push_async_callback(_stop, server, serving)
        await _until_ready(server, ready, serving)
        yield RunningNode(server, node, clock, serving)


async def _until_ready(server: Server, ready: asyncio.Event, serving: asyncio.Task[None]) -> None:
    """Wait until clients can connect, and payments may begin."""
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    while not serving.done() and server.served.payer.halted:
        await asyncio.sleep(READY_PAUSE)
    if serving.done():
        serving.result()
        raise ServiceError("the node ended before it was ready")


async def _stop(server: Server, serving: asyncio.Task[None]) -> None:
    server.stop()
    await asyncio.wait([serving])
    if serving.exception() is not None:
        serving.result()
