"""`lnoffers serve`: the server, until a signal or the command stop ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from lnoffers.service.files import make_private_directory
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.serving.descriptors import ExhaustionReporter, room_for_connections
from lnoffers.service.serving.listening import locked_pid_file
from lnoffers.service.serving.server import MAX_CONNECTIONS, Server

SERVER_BUSY_SECONDS: Final = 1.0
"""How long a call waits for another process that writes, and with it all other clients."""
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def run_server(options: Options) -> None:
    """Serve until stopped; a line on standard output says when and where clients can connect.

    Raises:
        ServiceError: if it cannot start.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    make_private_directory(options.base_dir)
    with ExitStack() as held:
        held.enter_context(locked_pid_file(options.lock_file))
        node = held.enter_context(Node.open(options))
        node.store.wait_for_others(SERVER_BUSY_SECONDS)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(node, release=held.close))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop: uvloop, which answers sooner, where it is installed; else None, for asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 # it may be missing
    except ModuleNotFoundError:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make


async def _run(node: Node, release: Callable[[], None]) -> None:
    server = Server(node, max_connections=room_for_connections(MAX_CONNECTIONS))
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(ExhaustionReporter())
    for number in _ENDING:
        loop.add_signal_handler(number, server.stop)
    await server.run(lambda: _announce(node), release)
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)  # the loop, about to close, could not be told any more


def _announce(node: Node) -> None:
    if sys.stdout is not None:  # it may have been closed
        # The path's bytes need not be text.
        sys.stdout.buffer.write(b"Listening on %b\n" % os.fsencode(node.options.socket))
        sys.stdout.buffer.flush()
