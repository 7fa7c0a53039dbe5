"""The commands of the program and their options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter, UnknownOptionError

from lnoffers.service.cli.flags import Flags
from lnoffers.service.errors import OptionsError


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 # it takes longer to load than most calls take

    return f"lnoffers {version('clnrpc')}"


app = App(
    name="lnoffers",
    help="BOLT 12 without a node: offers and invoice_requests, made, stored and decoded, by command line or JSON-RPC.",
    version=_version,
)


@app.command
def serve(*, pid_file: Path | None = None, flags: Flags | None = None) -> int:
    """Answer JSON-RPC on a Unix socket, as lightningd does, until stopped.

    A new directory gets a new secret.

    Parameters
    ----------
    pid_file:
        The file to lock and to write the process id to, instead of lnoffers-NETWORK.pid; a relative path starts at the
        directory.
    """
    from lnoffers.service.cli.serving import run_server  # noqa: PLC0415 # it loads asyncio and SQLAlchemy

    run_server(replace((flags or Flags()).options(), pid_file=pid_file))
    return 0


@app.command
def call(
    method: str,
    /,
    *arguments: str,
    keywords: Annotated[int, Parameter(name=["-k", "--keywords"], count=True)] = 0,
    order: Annotated[int, Parameter(name=["-o", "--order"], count=True)] = 0,
    filter: Annotated[str | None, Parameter(name=["-l", "--filter"])] = None,  # noqa: A002 # lightning-cli's name
    flags: Flags | None = None,
) -> int:
    """Make one call and print its result, or its error, as JSON.

    Goes to the running server, or, with none running, does the work in this process on the same store.

    Parameters
    ----------
    method:
        The command, as `help` lists it.
    arguments:
        Its parameters: all by position, or all as key=value, which the first one decides. After `--` nothing is taken
        for an option.
    keywords:
        Take the arguments as key=value whatever the first one looks like.
    order:
        Take the arguments by position whatever the first one looks like.
    filter:
        JSON of the shape of the result, with true in place of each value that is to be shown.
    """
    from lnoffers.service.cli.calling import make_call  # noqa: PLC0415

    if keywords and order:
        raise OptionsError("-k and -o contradict each other")
    by_name = True if keywords else False if order else None
    return make_call(method, arguments, keywords=by_name, only=filter, options=(flags or Flags()).options())


@app.command
def backup(file: Path, /, *, flags: Flags | None = None) -> int:
    """Copy the store to a new file, as it is at this moment, whether or not a server runs.

    The secret, without which it is of no use, is not in it.

    Parameters
    ----------
    file:
        The copy. A file that exists is not overwritten.
    """
    from lnoffers.service.cli.upkeep import back_up_store  # noqa: PLC0415 # it loads SQLAlchemy

    back_up_store(file, (flags or Flags()).options())
    return 0


@app.command
def check_store(*, flags: Flags | None = None) -> int:
    """See whether the store is sound: the database, and each record in it. Changes nothing.

    Prints what is wrong, a line each.
    """
    from lnoffers.service.cli.upkeep import check_store  # noqa: PLC0415 # it loads SQLAlchemy

    return check_store((flags or Flags()).options())


@app.command
def decode(
    string: str,
    /,
    *strings: str,
    json: Annotated[bool, Parameter(negative="")] = False,
    qr: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Show what strings say and whether they are valid. Needs no directory and no network.

    On a terminal that is for people to read; into a pipe or a file goes JSON.

    Parameters
    ----------
    string:
        A BOLT 12 string (lno1..., lnr1..., lni1..., lnp1...), a BOLT 11 invoice (lnbc...), a rune.
    strings:
        More of them.
    json:
        JSON on a terminal too.
    qr:
        For people, wherever the output goes, and with a QR code.
    """
    from lnoffers.service.cli.decoding import print_decoded  # noqa: PLC0415

    if json and qr:
        raise OptionsError("--json and --qr contradict each other")
    return print_decoded([string, *strings], as_json=json, qr=qr)


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; its exit code.

    Raises:
        ServiceError: if it cannot be done.
    """
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except UnknownOptionError as error:
        hint = " Values that begin with a hyphen are put behind --." if arguments[:1] == ["call"] else ""
        raise OptionsError(f"{error}{hint}") from error
    except CycloptsError as error:
        raise OptionsError(str(error)) from error
    return code or 0
