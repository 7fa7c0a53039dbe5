"""`lnoffers serve`: the server, until a signal or the command stop ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress

from lnoffers.service.cli.startup import ENDING, is_to_end
from lnoffers.service.coredumps import forbid_core_dumps
from lnoffers.service.files import make_private_directory
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.serving.descriptors import ExhaustionReporter, room_for_connections
from lnoffers.service.serving.listening import check_length, locked_pid_file
from lnoffers.service.serving.logs import Log, logging_to
from lnoffers.service.serving.server import MAX_CONNECTIONS, Server

logger = logging.getLogger(__name__)


def run_server(options: Options) -> None:
    """Serve until stopped; a line on standard output says when and where clients can connect.

    Raises:
        ServiceError: if it cannot start.
    """
    if is_to_end():
        return
    check_length(options.socket)
    forbid_core_dumps()
    _wake_without_interrupting()
    make_private_directory(options.network_dir)
    with logging_to(options.log, options.log_level) as log, ExitStack() as held:
        held.enter_context(locked_pid_file(options.lock_file))
        node = held.enter_context(Node.open(options, make=True))
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(node, log, release=held.close))


def _wake_without_interrupting() -> None:
    """Let a thread that is woken run only when the running one pauses, where the system can be told so (Linux).

    Python runs one thread at a time. The event loop and the thread that runs calls wake each other for each call. The
    one that is woken would interrupt the other, find that it cannot run yet, and sleep again.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # a sandbox may forbid it, and it only saves time
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop: uvloop, which answers sooner, where it is installed; else None, for asyncio's own."""
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
    for number in ENDING:
        loop.add_signal_handler(number, server.stop)
    if not is_to_end():
        await server.run(lambda: _announce(node), release)
    for number in (*ENDING, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the loop, about to close, could not be told any more


def _announce(node: Node) -> None:
    if sys.stdout is not None:  # it may have been closed
        # The path's bytes need not be text.
        sys.stdout.buffer.write(b"Listening on %b\n" % os.fsencode(node.options.socket))
        sys.stdout.buffer.flush()
