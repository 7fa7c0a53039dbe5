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

from clnrpc.runtime.server.convert import BadToken, msat
from lnoffers.net.address import DEFAULT_PORT, Address, AddressError, parse_place
from lnoffers.service.cli.flags import node_options, proxy
from lnoffers.service.errors import OptionsError
from lnoffers.service.files import make_private_directory
from lnoffers.service.node import Node
from lnoffers.service.options import PORTS, REST_PORT
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
    options = node_options(
        given,
        pid_file=given.pid_file,
        log_file=given.log_file,
        log_level=given.log_level,
        keep_unpaid=given.keep_unpaid,
        backend=given.backend,
        max_payment_msat=_amount("--max-payment", given.max_payment),
        max_daily_msat=_amount("--max-daily", given.max_daily),
        max_fee_msat=_amount("--max-fee", given.max_fee),
        retry_for=given.retry_for,
        rest=None if given.rest is None else _place("--rest", given.rest, REST_PORT),
        rest_http=given.rest_http,
        listen=tuple(_place("--addr", text, _default_port(given.network)) for text in given.addr),
        peers=tuple(_address("--peer", text, given.network) for text in given.peer),
        via=tuple(_address("--via", text, given.network) for text in given.via),
        proxy=proxy(given),
    )
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


def _address(option: str, text: str, network: str) -> Address:
    """Return the address in the value of `--peer` or `--via`.

    Raises:
        OptionsError: if it is not one.
    """
    try:
        return Address.parse(text, _default_port(network))
    except AddressError as error:
        raise OptionsError(f"{option} {error}") from error


def _place(option: str, text: str, default_port: int) -> tuple[str, int]:
    """Return the host and the TCP port in the value of `--addr` or `--rest`.

    Raises:
        OptionsError: if it is not valid.
    """
    try:
        return parse_place(text, default_port, lowest_port=0)
    except AddressError as error:
        raise OptionsError(f"{option} {text!r} is not HOST:PORT: {error}") from error


def _amount(option: str, text: str | None) -> int | None:
    """Return the millisatoshi in the value of an option; None without one.

    Raises:
        OptionsError: if it is not an amount.
    """
    try:
        return None if text is None else msat(f'"{text}"'.encode())
    except BadToken as error:
        raise OptionsError(f"{option} {text!r} is not an amount, such as 1000msat, 5sat or 0.001btc") from error


def _default_port(network: str) -> int:
    return PORTS.get(network, DEFAULT_PORT)  # an unknown network is refused with the other options


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the constructor of uvloop's event loop, which is faster, if it is installed; else None for asyncio's."""
    try:
        import uvloop  # noqa: PLC0415 # 0085: optional
    except ModuleNotFoundError:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make


async def _run(node: Node, log: Log, release: Callable[[], None]) -> None:
    interfaces = 1 if node.options.rest is None else 2
    server = Server(node, max_connections=room_for_connections(interfaces * MAX_CONNECTIONS) // interfaces)
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
