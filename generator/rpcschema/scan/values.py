"""What an expression can be, as far as a scan needs to know it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rpcschema.model.nodes import DocumentKind

Library: TypeAlias = Literal["clnrpc", "pyln", "grpc", "raw"]
"""What makes a call; raw is a JSON object, a path of clnrest, or a command line of lightning-cli."""
ITEM: Final = "[]"
"""The step of a path from a list to one of its items."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string, or the parts of one that are constant, with NUL characters for the others."""

    value: str


@dataclass(frozen=True, slots=True)
class Client:
    """An object whose methods are commands."""

    library: Library


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin of pyln-client; its attribute `rpc` is a client."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a client."""

    library: Library
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a command, the payload of a notification or hook, or a part of one."""

    kind: DocumentKind
    name: str
    library: Library
    path: tuple[str, ...] = ()
    """Names of fields, and ITEM for an item of a list."""
    given: frozenset[str] = frozenset()
    """The parameters of the call, by name."""

    def at(self, *steps: str) -> Answer:
        """Return a part of it."""
        return Answer(self.kind, self.name, self.library, (*self.path, *steps), self.given)

    def member(self, key: str) -> Answer:
        """Return a member of an object. That of the envelope of JSON-RPC is the answer itself."""
        return self if self.library == "raw" and not self.path and key == "result" else self.at(key)

    @property
    def field(self) -> str:
        """The path as documents write it: `channels[].status`."""
        return ".".join(self.path).replace(f".{ITEM}", ITEM)


@dataclass(frozen=True, slots=True)
class Row:
    """A tuple or list with known positions."""

    parts: tuple[frozenset[Value], ...]


@dataclass(frozen=True, slots=True)
class Many:
    """Something whose elements can be these."""

    elements: frozenset[Value]


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class of the module, a lambda included."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the module."""

    of: ast.ClassDef


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dictionary that the source writes out."""

    node: ast.Dict | ast.Call
    """`{...}` or `dict(...)`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Whatever callers pass for a parameter of a function of the module."""

    function: ast.AST
    name: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something that is defined in another module, by its full name; that of an attribute begins with a dot."""

    name: str

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The arguments of lightning-cli, as long as none of them is a command."""


Value: TypeAlias = (
    Text
    | Client
    | Plugin
    | Method
    | Answer
    | Row
    | Many
    | Definition
    | Instance
    | Dictionary
    | Parameter
    | Foreign
    | CommandLine
)
Values: TypeAlias = frozenset[Value]
NOTHING: Final[Values] = frozenset()


def step(value: Value, taken: int | None) -> Values:
    """Return an element of a value: the one at a position, or any one."""
    match value:
        case Answer():
            return frozenset({value.at(ITEM)})
        case Many(elements=found):
            return found
        case Row(parts=parts):
            if taken is None:
                return NOTHING.union(*parts)
            return parts[taken] if -len(parts) <= taken < len(parts) else NOTHING
    return NOTHING


def elements(values: Iterable[Value]) -> Values:
    """Return what the elements of these values can be."""
    return NOTHING.union(*(step(value, None) for value in values))
