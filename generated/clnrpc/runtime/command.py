"""What generated code knows of a command at run time: its names, its parameters in order, where its classes are.

A client makes hundreds of `Command` and `Parameter` when it starts: named tuples take half as long as frozen
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
    """Each one's name on the wire, and its type."""


Type: TypeAlias = "str | Array | Object"
"""A dialect's type ("msat", "array", ...), "" where the document gives none or several; or also what is inside."""


class Parameter(NamedTuple):
    """One parameter of a command, in the terms of its document."""

    name: str
    """On the wire."""
    type: Type
    required: bool = False
    deprecated: tuple[str, ...] | None = None
    """Releases: the first that deprecates it and the last that supports it; empty if the document names none."""
    extension: bool = False
    """Whether Core Lightning does not have it: it has no position, and clients for nodes do not offer it."""
    renamed: str = ""
    """Its name in Python, if that is another."""

    @property
    def attribute(self) -> str:
        """Return its name in Python."""
        return self.renamed or self.name


class Command(NamedTuple):
    """One command: parameters stand in the order in which they are given by position, but for extensions."""

    name: str
    """On the wire, e.g. "fundchannel_start"."""
    stem: str
    """What the names of its classes begin with, e.g. "FundchannelStart"."""
    parameters: tuple[Parameter, ...] = ()
    extras: bool = False
    """Whether parameters that the document does not name are allowed."""
    renamed: str = ""
    """Its name in Python, if that is another."""
    at_most_one: tuple[tuple[str, ...], ...] = ()
    """Groups of parameters of which at most one may be given (`oneOfMany`). These and the next two are rules
    that nodes enforce.
    """
    all_or_none: tuple[tuple[str, ...], ...] = ()
    """Groups of parameters that are given together or not at all (`pairedWith`)."""
    needs: tuple[tuple[str, str], ...] = ()
    """Pairs of parameters: the first may be given only together with the second (`dependentUpon`)."""
    deprecated: tuple[str, ...] | None = None
    """As of a parameter."""

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
        """The command as `help` prints it: optional parameters in brackets, those without a position last, as
        `[NAME=...]`; the space stays if there are none.
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

    There is one module per document, and it is imported when its command is first used: a client that calls three
    commands loads three modules of 150.
    """
    found: type[Any] = getattr(importlib.import_module(f"{package}.types.{module}"), name)
    return found
