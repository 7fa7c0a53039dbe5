"""The commands of the program and their options. What a command needs is loaded when it runs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lnoffers.service.cli.flags import add_flags, options
from lnoffers.service.cli.parsing import MANY, Command, Parser, path, read
from lnoffers.service.options import LOG_LEVELS


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; its exit code.

    Raises:
        ServiceError: if it cannot be done.
        SystemExit: once help is printed.
    """
    program = Parser(
        prog="lnoffers",
        description="BOLT 12 without a node: offers and invoice_requests, made, stored and decoded, by command line or "
        "JSON-RPC.",
        allow_abbrev=False,
    )
    program.add_argument("--version", action="store_true", help="print the release and exit")
    command, given = read(program, _COMMANDS, arguments)
    if command is not None:
        return command.run(given)
    if given.version:
        from importlib.metadata import version  # noqa: PLC0415 # it takes longer to load than most calls take

        print(f"lnoffers {version('clnrpc')}")
    else:
        program.print_help()
    return 0


def _make(given: Namespace) -> int:
    from lnoffers.service.cli.making import make_node  # noqa: PLC0415 # it loads the store

    make_node(options(given))
    return 0


def _serve(given: Namespace) -> int:
    from lnoffers.service.cli.serving import run_server  # noqa: PLC0415 # it loads asyncio and the store

    run_server(options(given, pid_file=given.pid_file, log_file=given.log_file, log_level=given.log_level))
    return 0


def _serve_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--pid-file",
        metavar="PATH",
        type=path,
        help="the file to lock and to write the process id to, instead of lnoffers-NETWORK.pid; a relative path starts "
        "at the directory",
    )
    parser.add_argument(
        "--log-file",
        metavar="PATH",
        type=path,
        help="the file to append the log to, instead of standard error; SIGHUP opens it again; a relative path starts "
        "at the network's directory",
    )
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        default="info",
        help=f"the least to log: {', '.join(LOG_LEVELS)} (%(default)s)",
    )
    add_flags(parser)


def _call(given: Namespace) -> int:
    from lnoffers.service.cli.calling import make_call  # noqa: PLC0415

    method, *arguments = given.words
    return make_call(method, arguments, keywords=given.keywords, only=given.filter, options=options(given))


def _call_options(parser: ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "-k",
        "--keywords",
        dest="keywords",
        action="store_const",
        const=True,
        help="take the arguments as key=value whatever the first one looks like",
    )
    form.add_argument(
        "-o",
        "--order",
        dest="keywords",
        action="store_const",
        const=False,
        help="take the arguments by position whatever the first one looks like",
    )
    parser.add_argument(
        "-l",
        "--filter",
        metavar="JSON",
        help="the shape of the result, with true in place of each value that is to be shown",
    )
    add_flags(parser)


def _decode(given: Namespace) -> int:
    from lnoffers.service.cli.decoding import print_decoded  # noqa: PLC0415

    return print_decoded(given.words, as_json=given.json, qr=given.qr)


def _decode_options(parser: ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON on a terminal too")
    form.add_argument("--qr", action="store_true", help="for people, wherever the output goes, and with a QR code")


def _open_page(given: Namespace) -> int:
    from lnoffers.service.cli.manual import open_page  # noqa: PLC0415

    open_page(*given.words or [None], only_path=given.path)
    return 0


def _page_options(parser: ArgumentParser) -> None:
    parser.add_argument("--path", action="store_true", help="print where the page is; without a command, its folder")


def _fetch(given: Namespace) -> int:
    from lnoffers.service.cli.fetching import print_fetched  # noqa: PLC0415 # it loads asyncio

    return print_fetched(*given.words, given=given)


def _fetch_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--connect",
        metavar="ID@HOST:PORT",
        action="append",
        default=[],
        help="a node to ask: the issuer, the first node of one of the offer's paths, or one that forwards to these; "
        "may be repeated",
    )
    parser.add_argument("--quantity", metavar="NUMBER", type=int, help="how many items")
    parser.add_argument("--payer-note", metavar="TEXT", help="a note for the issuer")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=60.0, help="how long to wait for an answer (%(default)g)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON on a terminal too")
    form.add_argument("--qr", action="store_true", help="for people, wherever the output goes, and with a QR code")


def _back_up(given: Namespace) -> int:
    from lnoffers.service.cli.upkeep import back_up_store  # noqa: PLC0415 # it loads the store

    back_up_store(Path(*given.words), options(given))
    return 0


def _check_store(given: Namespace) -> int:
    from lnoffers.service.cli.upkeep import check_store  # noqa: PLC0415 # it loads the store

    return check_store(options(given))


_COMMANDS: Final = {
    "init": Command(
        run=_make,
        about="Make a node: a directory with a new secret and an empty store.",
        more="Prints who it is and where its files are. To bring a node back, put its hsm_secret there instead.",
        add_options=add_flags,
    ),
    "serve": Command(
        run=_serve,
        about="Answer JSON-RPC on a Unix socket, as lightningd does, until stopped.",
        more="Makes a node first, as init does, where there is none.",
        add_options=_serve_options,
    ),
    "call": Command(
        run=_call,
        about="Make one call and print its result, or its error, as JSON.",
        more="Goes to the running server, or, with none running, does the work in this process on the same store. "
        "Makes no node.",
        words="METHOD [ARGUMENT...]",
        explained="the command, as help lists it, and its parameters: all by position, or all as key=value, which the "
        "first one decides; behind -- nothing is taken for an option",
        least=1,
        most=MANY,
        add_options=_call_options,
    ),
    "decode": Command(
        run=_decode,
        about="Show what strings say and whether they are valid. Needs no directory and no network.",
        more="On a terminal that is for people to read; into a pipe or a file goes JSON.",
        words="STRING...",
        explained="a BOLT 12 string (lno1..., lnr1..., lni1..., lnp1...), a BOLT 11 invoice (lnbc...) or a rune, as "
        "it was pasted: also after lightning: or in a bitcoin: link",
        least=1,
        most=MANY,
        add_options=_decode_options,
    ),
    "man": Command(
        run=_open_page,
        about="Open the manual page of a command of the service; without one, list the pages.",
        words="[COMMAND]",
        explained="a command, as help lists it",
        most=1,
        add_options=_page_options,
    ),
    "fetch": Command(
        run=_fetch,
        about="Ask the issuer of an offer for an invoice, check it, and show what is to be paid, to whom, until when.",
        more="Needs no directory and no server. The key that asks is thrown away.",
        words="OFFER [AMOUNT]",
        explained="the offer (lno1...), and the amount to pay (1000msat, 1sat) if it names none or you give more",
        least=1,
        most=2,
        add_options=_fetch_options,
    ),
    "backup": Command(
        run=_back_up,
        about="Copy the store to a new file, as it is at this moment, whether or not a server runs.",
        more="The secret, without which it is of no use, is not in it.",
        words="FILE",
        explained="the copy; a file that exists is not overwritten",
        least=1,
        most=1,
        add_options=add_flags,
    ),
    "check-store": Command(
        run=_check_store,
        about="See whether the store is sound: the database, and each record in it. Changes nothing.",
        more="Prints what is wrong, a line each.",
        add_options=add_flags,
    ),
}
