"""`lnoffers serve`: the server, until a signal or the command stop ends it."""

from __future__ import annotations

import asyncio
import logging
import signal

from lnoffers.service.files import make_private_directory
from lnoffers.service.listening import locked_pid_file
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.server import Server


def run_server(options: Options) -> None:
    """Serve until stopped; a line on standard output says when and where clients can connect.

    Raises:
        ServiceError: if it cannot start.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    make_private_directory(options.base_dir)
    with locked_pid_file(options.pid_file), Node.open(options) as node:
        asyncio.run(_run(node))


async def _run(node: Node) -> None:
    server = Server(node)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    await server.run(lambda: print(f"Listening on {node.options.socket}", flush=True))
