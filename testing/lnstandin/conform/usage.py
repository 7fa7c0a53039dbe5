"""The parameters of a command as `help` shows them: `name required [optional] [optional] ...`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_DEPRECATED: Final = "(DEPRECATED!) "


@dataclass(frozen=True, slots=True)
class Usage:
    """What `help` shows of a command: the names of its parameters in their order, and those that are required."""

    name: str
    parameters: tuple[str, ...]
    required: frozenset[str]


def parse_usage(line: str) -> Usage:
    """Return the usage in a line of `help`. A parameter may be shown with its values: `subcommand=start|stop`."""
    name, *words = line.replace(_DEPRECATED, "").split()
    names = {word.strip("[]").partition("=")[0]: not word.startswith("[") for word in words}
    return Usage(name, tuple(names), frozenset(each for each, required in names.items() if required))


def read_help(answer: Any) -> Mapping[str, Usage]:
    """Return the usage of each command, by name, in an answer to `help`."""
    lines: Iterable[str] = (entry["command"] for entry in answer["help"])
    return {usage.name: usage for usage in map(parse_usage, lines)}


def is_for_developers(name: str) -> bool:
    """Return whether a command or parameter exists only on nodes that run with `--developer`."""
    return name == "dev" or name.startswith(("dev-", "dev_"))
