"""`lnoffers serve`: run the server until a signal or the command `stop` ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack

from lnoffers.service.cli.flags import node_options
from lnoffers.service.files import make_private_directory
from lnoffers.service.node import Node
from lnoffers.service.serving.descriptors import ExhaustionReporter, room_for_connections
from lnoffers.service.serving.listening import check_length, locked_pid_file
from lnoffers.service.serving.logs import Log, logging_to
from lnoffers.service.serving.server import MAX_CONNECTIONS, Server
from lnoffers.service.system import ENDING_SIGNALS, forbid_core_dumps, must_end

logger = logging.getLogger(__name__)


def serve(given: Namespace) -> int:
    """Serve until stopped and return 0; print one line on standard output as soon as clients can connect.

    Raises:
        ServiceError: if the server cannot start.
    """
    options = node_options(given, pid_file=given.pid_file, log_file=given.log_file, log_level=given.log_level)
    if must_end():
        return 0
    check_length(options.socket)
    forbid_core_dumps()
    make_private_directory(options.network_dir)
    with logging_to(options.log, options.log_level) as log, ExitStack() as held:
        held.enter_context(locked_pid_file(options.lock_file))
        node = held.enter_context(Node.open(options, make=True))
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(node, log, release=held.close))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the constructor of uvloop's event loop, which is faster, if it is installed; else None for asyncio's."""
    try:
        import uvloop  # noqa: PLC0415 # it may be missing
    except ModuleNotFoundError:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make


async def _run(node: Node, log: Log, release: Callable[[], None]) -> None:
    server = Server(node, max_connections=room_for_connections(MAX_CONNECTIONS))
    loop = asyncio.get_running_loop()
    logger.debug("The event loop is that of %s", type(loop).__module__.partition(".")[0])
    loop.set_exception_handler(ExhaustionReporter())
    loop.add_signal_handler(signal.SIGHUP, log.reopen)
    for number in ENDING_SIGNALS:
        loop.add_signal_handler(number, server.stop)
    if not must_end():
        await server.run(lambda: _announce(node), release)
    for number in (*ENDING_SIGNALS, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the loop is about to close and cannot handle them any more


def _announce(node: Node) -> None:
    if sys.stdout is not None:  # it may have been closed
        # A path is bytes and need not be valid text.
        sys.stdout.buffer.write(b"Listening on %b\n" % os.fsencode(node.options.socket))
        sys.stdout.buffer.flush()
