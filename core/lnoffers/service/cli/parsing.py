"""Reading a command line: argparse, but words and options may be mixed, and behind `--` everything is a word.

argparse has read a call within a few milliseconds, where more comfortable libraries take longer than the call itself.
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from lnoffers.service.errors import OptionsError

MANY: Final = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, as help shows it and as it is done."""

    run: Callable[[Namespace], int]
    """Does it, with its options and its `words`; the exit code."""
    about: str
    """A sentence."""
    more: str = ""
    """Further ones."""
    words: str = ""
    """The words behind its name, as usage shows them."""
    explained: str = ""
    """What they are."""
    least: int = 0
    """How many there must be."""
    most: int = 0
    """How many there may be."""
    add_options: Callable[[ArgumentParser], None] = lambda _: None

    def read(self, parser: ArgumentParser, arguments: Sequence[str]) -> Namespace:
        """What stands behind its name.

        Raises:
            OptionsError: for unknown options, their values, or the number of words.
            SystemExit: once help is printed.
        """
        parser.add_argument("words", nargs="*", metavar=self.words, help=self.explained or SUPPRESS)
        self.add_options(parser)
        # argparse itself does not mix words and options where there is a `--`.
        end = arguments.index("--") if "--" in arguments else len(arguments)
        given, unknown = parser.parse_known_intermixed_args(arguments[:end])
        if unknown:
            raise OptionsError(f"unknown option {unknown[0]}. Values that begin with a hyphen are put behind --.")
        given.words += arguments[end + 1 :]
        if not self.least <= len(given.words) <= self.most:
            few = len(given.words) < self.least
            raise OptionsError(f"too {'few' if few else 'many'} words; it is called by: {parser.usage}")
        return given


def path(text: str) -> Path:
    """Return the path that an option names.

    Raises:
        ArgumentTypeError: if it is empty, as by a variable of the shell that is not set. It would mean the current
            directory.
    """
    if not text:
        raise ArgumentTypeError("the path is empty; is a variable of the shell not set?")
    return Path(text)


class Parser(ArgumentParser):
    """Raises where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise OptionsError(message)


def read(program: Parser, commands: dict[str, Command], arguments: Sequence[str]) -> tuple[Command | None, Namespace]:
    """The command that is meant, if any, and what it is given.

    Raises:
        OptionsError: if that is not clear.
        SystemExit: once help is printed.
    """
    parsers = program.add_subparsers(title="commands", metavar="COMMAND", prog=program.prog)
    for name, each in commands.items():
        parsers.add_parser(
            name,
            help=each.about,
            description=f"{each.about} {each.more}",
            usage=f"{program.prog} {name} [OPTION...] {each.words}".rstrip(),
            allow_abbrev=False,
        )
    command = commands.get(arguments[0]) if arguments else None
    if command is None:
        return None, program.parse_args(arguments)
    return command, command.read(parsers.choices[arguments[0]], arguments[1:])
