"""The options that commands working on a directory share, as they stand on the command line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from lnoffers.service.cli.parsing import path
from lnoffers.service.errors import OptionsError
from lnoffers.service.options import NETWORKS, Options


def add_flags(parser: ArgumentParser) -> None:
    """Have a command take the options."""
    add = parser.add_argument_group("where and how to work").add_argument
    add(
        "--lightning-dir",
        metavar="DIR",
        type=path,
        default=Path("~/.lnoffers"),
        help="the directory; each network has its own in it (%(default)s)",
    )
    add("--network", metavar="NAME", default="bitcoin", help=f"one of {', '.join(NETWORKS)} (%(default)s)")
    add(
        "--rpc-file",
        metavar="PATH",
        type=path,
        default=Path("lightning-rpc"),
        help="the socket; a relative path starts at the network's directory (%(default)s)",
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
        help="unix seconds to use instead of the time; for tests, never on bitcoin",
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
        help="id of a node that all offers are to be reached by; may be repeated",
    )


def options(given: Namespace, **of_serve: Any) -> Options:
    """What the options say, checked; `of_serve` are those that only a server has.

    Raises:
        OptionsError: if they cannot be used.
    """
    return Options(
        lightning_dir=given.lightning_dir,
        network=given.network,
        rpc_file=given.rpc_file,
        db=given.db,
        developer=given.developer,
        dev_entropy=None if given.dev_entropy is None else _bytes("--dev-entropy", given.dev_entropy),
        dev_time=given.dev_time,
        currency_rates=given.currency_rates,
        payment_fronting_nodes=tuple(_bytes("--payment-fronting-node", each) for each in given.payment_fronting_node),
        **of_serve,
    )


def _bytes(option: str, text: str) -> bytes:
    # As a type of argparse's this would have the text repeated in errors, and entropy decides keys.
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise OptionsError(f"{option} is not hex") from error
