"""Nodes that mean harm: `python -m tests.fetching.hostile MODE` runs one and prints its address."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from lnoffers.bolt12 import CHAINS, KeyPair
from lnoffers.fetching import Address
from lnoffers.net.connection import PeerConnection, Ready
from lnoffers.net.errors import WireError
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import Init, OnionMessage, PeerWarning, Ping, write_message
from tests.fetching.node import key_of

KEY = key_of(1)
ONION = OnionMessage(KEY.public_key, bytes(1_366))
PIECE = 60_000

Mode = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send noise instead of act two."""
    writer.write(os.urandom(PIECE))


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a part of an act, and close."""
    await reader.read(50)
    writer.write(b"\0" * 30)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send nothing at all."""
    await asyncio.sleep(3_600)


async def ready(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> PeerConnection:
    """Behave well until messages can be sent."""
    connection = PeerConnection.respond(KEY, KeyPair(secrets.token_bytes(32)), Init(OFFERED, (CHAINS["regtest"],)))
    while True:
        connection.receive_data(await reader.read(65_536))
        while (event := connection.next_event()) is not None:
            if isinstance(event, Ready):
                return connection
        writer.write(connection.data_to_send())


def flood(*payloads: bytes) -> Mode:
    """Send the same messages without end, and read nothing."""

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = await ready(reader, writer)
        writer.write(connection.data_to_send())
        assert connection._established is not None
        while True:
            for payload in payloads:
                writer.write(connection._established.writer.frame(payload))
            await writer.drain()

    return run


MODES: dict[str, Mode] = {
    "garbage": garbage,
    "cut": cut,
    "silence": silence,
    "gossip": flood(b"\x01\x00" + bytes(PIECE)),
    "pings": flood(write_message(Ping(65_531))),
    "onions": flood(write_message(ONION)),
    "warnings": flood(*(write_message(PeerWarning(str(number).encode() * 10_000)) for number in range(100))),
    "channel": flood(b"\x00\x88" + bytes(200)),
}


async def main(mode: Mode) -> None:
    """Listen, and treat everybody like that."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, WireError):
            await mode(reader, writer)
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    print(Address(KEY.public_key, "127.0.0.1", server.sockets[0].getsockname()[1]), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(MODES[sys.argv[1]]))
