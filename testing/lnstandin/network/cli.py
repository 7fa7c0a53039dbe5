"""`lnstandin network`: start a network, and keep it running until a signal."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from lnoffers.service.errors import ServiceError
from lnoffers.service.payments.backend import BackendError
from lnstandin.network.network import CHANNEL_SAT, MOST_NODES, Network
from lnstandin.play.faults import MEANINGS, Faults


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("count", metavar="N", type=_count, help=f"how many nodes, up to {MOST_NODES}")
    parser.add_argument(
        "--dir", metavar="DIR", type=Path, help="keep the nodes' files here, to go on with later (default: temporary)"
    )
    parser.add_argument("--channel", metavar="SAT", type=int, default=CHANNEL_SAT, help="the size of each channel")
    parser.add_argument("--rest", action="store_true", help="answer REST, too; print its address and a rune")
    names = ", ".join(MEANINGS)
    parser.add_argument("--faults", default="", help=f"what goes wrong, as lose=0.1,delay=50ms: {names}")


def run(given: Namespace) -> int:
    """Run a network until SIGINT or SIGTERM, and return 0. A signal during the start ends it at once.

    Print a line for each node: its id, its socket, and with REST the URL and a rune.

    Raises:
        ServiceError: if it cannot be started.
    """
    try:
        Faults.parse(given.faults)
    except BackendError as error:
        raise BackendError(f"--faults: {error}") from None
    network: Network | None = None
    came: list[int] = []

    def interrupt(number: int, _: object) -> None:
        came.append(number)
        if network is not None:
            network.interrupt()

    endings = {signal.SIGINT, signal.SIGTERM}
    for ending in endings:  # handled, not blocked: the nodes' processes would inherit the mask
        signal.signal(ending, interrupt)
    network = Network(
        given.count,
        directory=given.dir,
        processes=True,
        channel_sat=given.channel,
        faults=given.faults,
        rest=given.rest,
    )
    if came:  # before there was a network
        network.interrupt()
    try:
        with network:
            signal.pthread_sigmask(signal.SIG_BLOCK, endings)
            if not came:
                _show(network)
                signal.sigwait(endings)
    except ServiceError:
        if not came:
            raise
    return 0


def _show(network: Network) -> None:
    """Print a line for each node."""
    for node in network.nodes:
        print(node.id, node.socket, *([node.rest, node.rune] if node.rest else []))
    sys.stdout.flush()


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_NODES:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_NODES}")
    return int(text)
