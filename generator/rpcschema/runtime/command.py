"""What the runtime knows of a command: its names, its parameters in order, and its classes.

A client creates hundreds of `Command` and `Parameter` when it starts. Named tuples take half as long as frozen
dataclasses.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Array:
    """The type of an array whose elements have a type."""

    items: Type


@dataclass(frozen=True, slots=True)
class Object:
    """The type of an object whose members are declared."""

    members: tuple[tuple[str, Type], ...]
    """The wire name and type of each."""


Type: TypeAlias = "str | Array | Object"
"""A type of the dialect ("msat", "array", ...), "" if the document gives none or several; or a type with its content.
"""


class Parameter(NamedTuple):
    """One parameter of a command, in the terms of its document."""

    name: str
    """The wire name."""
    type: Type
    required: bool = False
    deprecated: tuple[str, ...] | None = None
    """The first release that deprecates it and the last that supports it; empty if the document names none."""
    extension: bool = False
    """Whether Core Lightning lacks it: it has no position, and clients for nodes do not offer it."""
    renamed: str = ""
    """The name in Python, if it differs."""

    @property
    def attribute(self) -> str:
        """Return its name in Python."""
        return self.renamed or self.name


class Command(NamedTuple):
    """A command. Its parameters are in positional order; extensions have no position."""

    name: str
    """The wire name, e.g. "fundchannel_start"."""
    stem: str
    """The beginning of its class names, e.g. "FundchannelStart"."""
    parameters: tuple[Parameter, ...] = ()
    extras: bool = False
    """Whether other parameters are allowed."""
    renamed: str = ""
    """The name in Python, if it differs."""
    at_most_one: tuple[tuple[str, ...], ...] = ()
    """Groups of parameters of which at most one may be given (`oneOfMany`). Nodes enforce this and the next two rules.
    """
    all_or_none: tuple[tuple[str, ...], ...] = ()
    """Groups of parameters that are given together or not at all (`pairedWith`)."""
    needs: tuple[tuple[str, str], ...] = ()
    """Pairs of parameters: the first may be given only together with the second (`dependentUpon`)."""
    deprecated: tuple[str, ...] | None = None
    """As for a parameter."""
    read_only: bool = False
    """Whether it changes nothing, so that a client may repeat it."""

    @property
    def method(self) -> str:
        """Return its name in Python: of the method of clients and services, and of the module of its classes."""
        return self.renamed or self.name

    @property
    def request(self) -> str:
        """Return the name of the request's class in `<package>.types`."""
        return f"{self.stem}Request"

    @property
    def response(self) -> str:
        """Return the name of the response's class in `<package>.types`."""
        return f"{self.stem}Response"

    @property
    def usage(self) -> str:
        """The command as `help` prints it: optional parameters in brackets, then those without a position as
        `[NAME=...]`.

        A space follows the name even if there are no parameters.
        """
        shown = [each.name if each.required else f"[{each.name}]" for each in self.parameters if not each.extension]
        shown += [f"[{each.name}=...]" for each in self.parameters if each.extension]
        return f"{self.name} {' '.join(shown)}"


def load_type(package: str, command: Command, which: Literal["request", "response"]) -> type[Any]:
    """Return the dataclass of a command's request or response, e.g. `load_type("clnrpc", command, "response")`.

    It is a union of classes for a response that is one of several things.
    """
    return load_class(package, command.method, command.request if which == "request" else command.response)


@cache
def load_class(package: str, module: str, name: str) -> type[Any]:
    """Return a class of `<package>.types`.

    Each document has a module, which is imported when its command is first used: a client that calls three commands
    loads three modules of 150.
    """
    found: type[Any] = getattr(importlib.import_module(f"{package}.types.{module}"), name)
    return found
