"""Options that several commands share, and the `Options` of a node that result from them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnoffers.service.errors import OptionsError
from lnoffers.service.options import NETWORKS, Options

if TYPE_CHECKING:
    from lnoffers.fetching.dialing import Proxy


def path(text: str) -> Path:
    """Return the path given for an option.

    Raises:
        ArgumentTypeError: if it is empty, as when a shell variable is not set. It would mean the current directory.
    """
    if not text:
        raise ArgumentTypeError("the path is empty; is a variable of the shell not set?")
    return Path(text)


def add_node_options(parser: ArgumentParser) -> None:
    """Add the options of the commands that work on a node's directory; `node_options` reads them."""
    add = parser.add_argument_group("where and how to work").add_argument
    add(
        "--lightning-dir",
        metavar="DIR",
        type=path,
        default=Path("~/.lnoffers"),
        help="the directory, with a subdirectory for each network (%(default)s)",
    )
    add("--network", metavar="NAME", default="bitcoin", help=f"one of {', '.join(NETWORKS)} (%(default)s)")
    add(
        "--rpc-file",
        metavar="PATH",
        type=path,
        default=Path("lightning-rpc"),
        help="the socket; relative to the network's directory (%(default)s)",
    )
    add("--db", metavar="URL", help="the store, instead of a file in the network's directory")
    add("--developer", action="store_true", help="show the bad token in errors about parameters")
    add(
        "--dev-entropy",
        metavar="HEX",
        help="hex to use, in order, instead of random bytes; for tests, never on bitcoin",
    )
    add(
        "--dev-time",
        metavar="SECONDS",
        type=int,
        help="Unix time to use instead of the clock; for tests, never on bitcoin",
    )
    add(
        "--currency-rates",
        metavar="FILE",
        type=path,
        help="JSON file with the price of one bitcoin in other currencies; read again when it changes",
    )
    add(
        "--payment-fronting-node",
        metavar="ID",
        action="append",
        default=[],
        help="id of a node through which payers reach all offers; may be repeated",
    )


def node_options(given: Namespace, **server_only: Any) -> Options:
    """Return the validated options of a node; `server_only` are those that only `serve` has.

    Raises:
        OptionsError: if a value is not valid.
    """
    return Options(
        lightning_dir=given.lightning_dir,
        network=given.network,
        rpc_file=given.rpc_file,
        db=given.db,
        developer=given.developer,
        dev_entropy=None if given.dev_entropy is None else _from_hex("--dev-entropy", given.dev_entropy),
        dev_time=given.dev_time,
        currency_rates=given.currency_rates,
        payment_fronting_nodes=tuple(
            _from_hex("--payment-fronting-node", each) for each in given.payment_fronting_node
        ),
        **server_only,
    )


def add_proxy_option(parser: ArgumentParser) -> None:
    """Add `--proxy`; `proxy` reads it."""
    parser.add_argument(
        "--proxy",
        metavar="HOST:PORT",
        help="a SOCKS5 proxy for all connections to other nodes, such as Tor's, 127.0.0.1:9050; it also resolves their "
        "names",
    )


def proxy(given: Namespace) -> Proxy | None:
    """Return the proxy in the value of `--proxy`; None without one.

    Raises:
        OptionsError: if it is not an address.
    """
    from lnoffers.fetching.dialing import Proxy  # noqa: PLC0415 # 0085: slow
    from lnoffers.net.address import AddressError  # noqa: PLC0415 # 0085: slow

    try:
        return None if given.proxy is None else Proxy.parse(given.proxy)
    except AddressError as error:
        raise OptionsError(f"--proxy {given.proxy!r} is not HOST:PORT: {error}") from error


def add_output_options(parser: ArgumentParser) -> None:
    """Add the options of the commands that print for people on a terminal and JSON elsewhere."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON on a terminal too")
    form.add_argument("--qr", action="store_true", help="print for people, also into a pipe or file, with a QR code")


def _from_hex(option: str, text: str) -> bytes:
    # As an argparse type, this would repeat the text in errors, and entropy determines keys.
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise OptionsError(f"{option} is not hex") from error
