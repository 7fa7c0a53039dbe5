"""The commands of `lnoffers`: their options, their help, and the functions that run them.

argparse parses a call within a few milliseconds; more comfortable libraries take longer than the call itself. Two
things are added to it: options and arguments may be mixed, and everything after `--` is an argument.
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final, NoReturn

from lnoffers.service.cli.flags import add_node_options, add_output_options, add_proxy_option, path
from lnoffers.service.errors import OptionsError
from lnoffers.service.options import LOG_LEVELS

_MANY: Final = sys.maxsize


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code.

    Raises:
        OptionsError: if the command line is not valid.
        ServiceError: if the command fails.
        SystemExit: after help is printed.
    """
    program = _Parser(
        prog="lnoffers",
        description="BOLT 12 by command line or JSON-RPC: make, store and decode offers, requests and invoices, and "
        "pay and be paid through a payment backend.",
        allow_abbrev=False,
    )
    program.add_argument("--version", action="store_true", help="print the release and exit")
    parsers = program.add_subparsers(title="commands", metavar="COMMAND", prog=program.prog)
    for name, each in _COMMANDS.items():
        parsers.add_parser(
            name,
            help=each.about,
            description=f"{each.about} {each.more}",
            usage=f"{program.prog} {name} [OPTION...] {each.arguments}".rstrip(),
            allow_abbrev=False,
        )
    command = _COMMANDS.get(arguments[0]) if arguments else None
    if command is not None:
        given = command.parse(parsers.choices[arguments[0]], arguments[1:])
        return _load(command.function)(given)
    if program.parse_args(arguments).version:
        from importlib.metadata import version  # noqa: PLC0415 # 0085: slow

        print(f"lnoffers {version('clnrpc')}")
    else:
        program.print_help()
    return 0


def _load(function: str) -> Callable[[Namespace], int]:
    """Return the function that runs a command, importing its module.

    Commands are imported by name so that each one loads only what it uses. A call to a running server takes about
    70 ms of processor time; importing the other commands would add the database, asyncio and rich to it.
    """
    module, _, name = function.partition(".")
    command: Callable[[Namespace], int] = getattr(import_module(f"lnoffers.service.cli.{module}"), name)
    return command


class _Parser(ArgumentParser):
    """A parser that raises OptionsError where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise OptionsError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """A command: how it is parsed, what its help says, and the function that runs it."""

    function: str
    """The function, as `module.name` in this package. It takes the parsed options and returns the exit code."""
    about: str
    """One sentence for the list of commands and for the command's own help."""
    more: str = ""
    """Further sentences for the command's own help."""
    arguments: str = ""
    """The positional arguments, as usage shows them."""
    arguments_help: str = ""
    least: int = 0
    """The smallest number of arguments."""
    most: int = 0
    """The largest number of arguments."""
    add_options: Callable[[ArgumentParser], None] = lambda _: None

    def parse(self, parser: ArgumentParser, arguments: Sequence[str]) -> Namespace:
        """Return the options, and as `arguments` the positional arguments, that follow the command's name.

        Raises:
            OptionsError: for an unknown option, a wrong value, or a wrong number of arguments.
            SystemExit: after help is printed.
        """
        parser.add_argument("arguments", nargs="*", metavar=self.arguments, help=self.arguments_help or SUPPRESS)
        self.add_options(parser)
        # argparse does not mix options and arguments if there is a `--`.
        end = arguments.index("--") if "--" in arguments else len(arguments)
        given, unknown = parser.parse_known_intermixed_args(arguments[:end])
        if unknown:
            raise OptionsError(f"unknown option {unknown[0]}. Put values that begin with a hyphen behind --.")
        given.arguments += arguments[end + 1 :]
        if not self.least <= len(given.arguments) <= self.most:
            few = len(given.arguments) < self.least
            raise OptionsError(f"too {'few' if few else 'many'} arguments; usage: {parser.usage}")
        return given


LIMITS: Final = {
    "--max-payment": "the most to pay for one invoice, without fees",
    "--max-daily": "the most to pay in 24 hours, with fees",
    "--max-fee": "the highest fee for one payment, which the backend limits otherwise",
}
"""The options that limit what is paid."""


def _add_serve_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--pid-file",
        metavar="PATH",
        type=path,
        help="the file to lock and to write the process id to, instead of lnoffers-NETWORK.pid; relative to the "
        "directory",
    )
    parser.add_argument(
        "--log-file",
        metavar="PATH",
        type=path,
        help="the file to append the log to, instead of standard error; SIGHUP reopens it; relative to the network's "
        "directory",
    )
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        default="info",
        help=f"the lowest level to log: {', '.join(LOG_LEVELS)} (%(default)s)",
    )
    parser.add_argument(
        "--addr",
        metavar="HOST:PORT",
        action="append",
        default=[],
        help="where to accept connections of other nodes, which is nowhere by default; may be repeated",
    )
    parser.add_argument(
        "--peer",
        metavar="ID@HOST:PORT",
        action="append",
        default=[],
        help="a node to keep a connection to; may be repeated",
    )
    parser.add_argument(
        "--via",
        metavar="ID@HOST:PORT",
        action="append",
        default=[],
        help="as --peer, for a node that forwards onion messages: requests go through it first, and new offers name it "
        "as the way to this node; may be repeated",
    )
    parser.add_argument(
        "--rest",
        metavar="HOST:PORT",
        help="where to answer REST calls, over HTTPS and with a rune for each, such as 127.0.0.1:3010; nowhere by "
        "default",
    )
    parser.add_argument(
        "--rest-http", action="store_true", help="answer REST calls without TLS, which only a loopback address allows"
    )
    parser.add_argument(
        "--backend",
        metavar="NAME[:ARGUMENT]",
        default="none",
        help="who pays invoices that answer invoice_requests, and gets the payments for invoices: none, cln:SOCKET, "
        "or the name of another installed backend (%(default)s)",
    )
    for option, what in LIMITS.items():
        parser.add_argument(option, metavar="AMOUNT", help=f"{what}, such as 1000msat, 5sat or 0.001btc")
    parser.add_argument(
        "--retry-for",
        metavar="SECONDS",
        type=int,
        default=60,
        help="how long the node of the backend cln tries to pay an invoice (%(default)s)",
    )
    parser.add_argument(
        "--keep-unpaid",
        metavar="SECONDS",
        type=int,
        default=86_400,
        help="how long to keep invoices that answered requests of other nodes and expired unpaid (%(default)s)",
    )
    add_proxy_option(parser)
    add_node_options(parser)


def _add_call_options(parser: ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "-k",
        "--keywords",
        dest="keywords",
        action="store_const",
        const=True,
        help="read all arguments as key=value, whatever the first one looks like",
    )
    form.add_argument(
        "-o",
        "--order",
        dest="keywords",
        action="store_const",
        const=False,
        help="read all arguments by position, whatever the first one looks like",
    )
    parser.add_argument(
        "-l",
        "--filter",
        metavar="JSON",
        help="the shape of the result, with true for each value to return",
    )
    add_node_options(parser)


def _add_man_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--path", action="store_true", help="print the path of the page; without a command, that of the folder"
    )


def _add_fetch_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--connect",
        metavar="ID@HOST:PORT",
        action="append",
        default=[],
        help="a node to ask: the issuer, the first node of one of the offer's paths, or one that forwards to these; "
        "may be repeated",
    )
    add_proxy_option(parser)
    parser.add_argument("--quantity", metavar="NUMBER", type=int, help="how many items")
    parser.add_argument("--payer-note", metavar="TEXT", help="a note for the issuer")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=60.0, help="how long to wait for an answer (%(default)g)"
    )
    add_output_options(parser)


def _add_pay_by_hand_options(parser: ArgumentParser) -> None:
    parser.add_argument("--failed", action="store_true", help="record that the invoice is not paid and will not be")
    parser.add_argument(
        "--compared",
        action="store_true",
        help="record that you have compared a store that was restored from a backup with what you have paid since",
    )
    add_output_options(parser)
    add_node_options(parser)


_COMMANDS: Final = {
    "init": _Command(
        function="maintenance.init",
        about="Make a node: a directory with a new secret and an empty store.",
        more="Prints the node's id and its files. To restore a node, copy its hsm_secret into the directory instead.",
        add_options=add_node_options,
    ),
    "serve": _Command(
        function="serve.serve",
        about="Answer JSON-RPC on a Unix socket, as lightningd does, until stopped.",
        more="Makes a node first, as init does, if there is none.",
        add_options=_add_serve_options,
    ),
    "call": _Command(
        function="call.call",
        about="Make one call and print its result, or its error, as JSON.",
        more="Uses the running server. If none is running, works in this process on the same store. Makes no node.",
        arguments="METHOD [ARGUMENT...]",
        arguments_help="the command, as help lists it, and its parameters: all by position or all as key=value, as "
        "the first one decides; after -- nothing is read as an option",
        least=1,
        most=_MANY,
        add_options=_add_call_options,
    ),
    "decode": _Command(
        function="decode.decode_strings",
        about="Show the contents of strings and whether they are valid. Needs no directory and no network.",
        more="Prints for people on a terminal, and JSON into a pipe or file.",
        arguments="STRING...",
        arguments_help="a BOLT 12 string (lno1..., lnr1..., lni1..., lnp1...), a BOLT 11 invoice (lnbc...) or a rune, "
        "as pasted: also after lightning: or in a bitcoin: link",
        least=1,
        most=_MANY,
        add_options=add_output_options,
    ),
    "man": _Command(
        function="man.show_page",
        about="Open the manual page of a command of the service; without a command, list the pages.",
        arguments="[COMMAND]",
        arguments_help="a command, as help lists it",
        most=1,
        add_options=_add_man_options,
    ),
    "fetch": _Command(
        function="fetch.fetch",
        about="Ask the issuer of an offer for an invoice, validate it, and show the amount, the payee and the expiry.",
        more="Needs no directory and no server. Uses a new key and discards it.",
        arguments="OFFER [AMOUNT]",
        arguments_help="the offer (lno1...), and the amount to pay (1000msat, 1sat) if the offer has none or you pay "
        "more",
        least=1,
        most=2,
        add_options=_add_fetch_options,
    ),
    "pay-by-hand": _Command(
        function="pay_by_hand.pay_by_hand",
        about="List the invoices that wait for you to pay them, if the server does not pay by itself.",
        more="With an invoice, records that you begin to pay it; with its preimage too, that it is paid. Uses the "
        "running server. If none is running, works in this process on the same store.",
        arguments="[INVOICE [PREIMAGE]]",
        arguments_help="the invoice (lni1...) or its payment hash, and the preimage that your wallet shows when it is "
        "paid",
        most=2,
        add_options=_add_pay_by_hand_options,
    ),
    "backup": _Command(
        function="maintenance.backup",
        about="Copy the store in its present state to a new file, whether or not a server is running.",
        more="The copy does not contain the secret, without which it is of no use.",
        arguments="FILE",
        arguments_help="the copy; an existing file is not overwritten",
        least=1,
        most=1,
        add_options=add_node_options,
    ),
    "check-store": _Command(
        function="maintenance.check_store",
        about="Check the database and each record in it. Changes nothing.",
        more="Prints one line for each fault.",
        add_options=add_node_options,
    ),
}
