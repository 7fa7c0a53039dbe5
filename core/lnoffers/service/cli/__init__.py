"""The program `lnoffers`: serve, call, decode.

Exit codes: 0 fine; 1 an RPC error or a string that is not valid; 2 it could not work, and says why on standard error.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from lnoffers.service.cli.flags import Flags
from lnoffers.service.errors import ServiceError


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 # it takes longer to load than most calls take

    return f"lnoffers {version('clnrpc')}"


app = App(
    name="lnoffers",
    help="BOLT 12 without a node: make, store and decode invoice_requests, by command line or JSON-RPC.",
    version=_version,
)


@app.command
def serve(*, flags: Flags | None = None) -> int:
    """Answer JSON-RPC on a Unix socket, as lightningd does, until stopped.

    A new directory gets a new secret.
    """
    from lnoffers.service.cli.serving import run_server  # noqa: PLC0415 # it loads asyncio and SQLAlchemy

    run_server((flags or Flags()).options())
    return 0


@app.command
def call(
    method: str,
    /,
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True)],
    keywords: Annotated[bool, Parameter(name=["-k", "--keywords"], negative="")] = False,
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
    """
    from lnoffers.service.cli.calling import make_call  # noqa: PLC0415

    return make_call(method, arguments, keywords=keywords, options=(flags or Flags()).options())


@app.command
def decode(string: str, /, *strings: str) -> int:
    """Show what BOLT 12 strings say, as JSON, and whether they are valid. Needs no directory and no network.

    Parameters
    ----------
    string:
        An invoice_request, lnr1...
    strings:
        More of them.
    """
    from lnoffers.service.cli.decoding import print_decoded  # noqa: PLC0415

    return print_decoded([string, *strings])


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Do what the command line says; its exit code."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except BrokenPipeError:
        # Whoever read our output is gone, and what Python still holds of it must not fail again as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except (CycloptsError, ServiceError, OSError) as error:
        print(f"lnoffers: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code or 0
