"""The program `lnstandin`. Each command has a module, `lnstandin.COMMAND.cli`, which is imported when it is needed.

Exit codes: 0 success; 1 the command has found something wrong; 2 it could not run, with the reason on standard error.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from lnoffers.service.errors import ServiceError

_COMMANDS: Final[Mapping[str, str]] = {
    "mock": "serve any documents at a unix socket, with scripted, documented or generated answers",
    "conform": "compare rpc-schema documents with a running node",
    "network": "start connected nodes with channels of play money, on regtest",
}
"""The commands, and what each does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of this process, and return the exit code."""
    program = ArgumentParser(
        prog="lnstandin", description="A Lightning node for tests, without lightningd or bitcoind.", allow_abbrev=False
    )
    parsers = program.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, about in _COMMANDS.items():
        parsers.add_parser(name, help=about, description=about, allow_abbrev=False)
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] and given[0] in _COMMANDS:
        command = import_module(f"lnstandin.{given[0]}.cli")
        parser = parsers.choices[given[0]]
        command.add_arguments(parser)
        try:
            exit_code: int = command.run(parser.parse_args(given[1:]))
        except ServiceError as error:
            print(f"lnstandin: {error}", file=sys.stderr)
            return 2
        return exit_code
    program.parse_args(given)
    return 2
