"""What is noted of a module: scopes, assignments, functions, classes and calls.

Names are resolved by where they are used: of several assignments to a name, those that can be the last one before the
use count.
"""

from __future__ import annotations

import ast
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Def: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"
ELEMENT: Final = None
"""The step from an iterable to one of its elements; other steps are positions in a tuple."""
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_MOST: Final = 64
"""The most assignments that are looked at for one use of a name."""


@dataclass(slots=True, eq=False)
class Block:
    """A list of statements that run together or not at all."""

    parent: Block | None = None
    is_loop: bool = False
    depth: int = 0

    def inside(self, other: Block) -> bool:
        """Return whether this is `other` or a part of it."""
        block: Block | None = self
        while block is not None and block.depth > other.depth:
            block = block.parent
        return block is other


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """An assignment, definition, import or parameter: what gives a name its value."""

    block: Block
    order: int
    """Its place in the module: later ones have a greater number."""
    value: ast.AST | str
    """An expression, a definition, a parameter, an assignment with a type hint, a handler of exceptions, or the full
    name of what is imported.
    """
    steps: tuple[int | None, ...] = ()
    """What is taken of the value: an element of it, or a position in it."""


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class, function, lambda or comprehension."""

    node: ast.AST
    parent: Scope | None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Names declared as global or nonlocal."""
    stored: dict[str, list[tuple[ast.expr, ast.expr]]] = field(default_factory=dict)
    """The keys and values that statements such as `name["key"] = value` add."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where an expression is."""

    scope: Scope
    block: Block
    order: int


@dataclass(slots=True, eq=False)
class Module:
    """All that was noted of a module."""

    scope: Scope
    places: dict[ast.Name, Place] = field(default_factory=dict)
    owners: dict[ast.AST, ast.ClassDef] = field(default_factory=dict)
    """The class of each method."""
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    functions: dict[ast.arg, Def] = field(default_factory=dict)
    """The function of each parameter."""
    returned: dict[ast.AST, list[ast.expr]] = field(default_factory=dict)
    """What each function returns."""
    yielded: dict[ast.AST, list[ast.expr]] = field(default_factory=dict)
    attributes: dict[tuple[ast.ClassDef | None, str], list[Binding]] = field(default_factory=dict)
    """Assignments to attributes: to those of `self` with its class, to others with None."""
    calls: dict[ast.AST, list[ast.Call]] = field(default_factory=dict)
    """Calls by the functions and classes that their names can mean."""
    own_calls: dict[str, dict[ast.ClassDef, list[ast.Call]]] = field(default_factory=dict)
    """Calls of methods of `self`, by name and class."""
    method_calls: dict[str, list[ast.Call]] = field(default_factory=dict)
    """Calls of other methods, by name."""
    nodes: list[ast.AST] = field(default_factory=list)
    """All expressions that run, in the order of the source; docstrings and decorators are not among them."""

    def reaching(self, name: ast.Name) -> Sequence[Binding]:
        """Return the assignments that can give a name its value where it is used."""
        place = self.places.get(name)
        if place is None:
            return ()
        scope = defining(place.scope, name.id)
        if scope is None:
            return ()
        every = scope.names[name.id]
        return [*_last(every, place)] if scope is place.scope else every[:_MOST]

    def stored(self, name: ast.Name) -> Sequence[tuple[ast.expr, ast.expr]]:
        """Return the keys and values that are added to a dictionary in the scope in which it is used."""
        place = self.places.get(name)
        return () if place is None else place.scope.stored.get(name.id, ())


def defining(scope: Scope, name: str) -> Scope | None:
    """Return the scope whose name this is; None for builtins, and for what a star import may bring."""
    at: Scope | None = scope
    while at is not None:
        is_visible = at is scope or not isinstance(at.node, ast.ClassDef)
        if is_visible and name in at.names and name not in at.elsewhere:
            return at
        at = at.parent
    return None


def _last(bindings: Sequence[Binding], use: Place) -> Iterator[Binding]:
    """Yield those that can be the last one before the use, in bindings sorted by their place."""
    loop = _outermost_loop(use.block)
    at = bisect(bindings, use.order, key=lambda binding: binding.order)
    for binding in reversed(bindings[max(0, at - _MOST) : at + _MOST]):
        if binding.order > use.order:
            if loop is not None and binding.block.inside(loop):
                yield binding
            continue
        yield binding
        if use.block.inside(binding.block):
            return


def _outermost_loop(block: Block | None) -> Block | None:
    found = None
    while block is not None:
        found, block = (block if block.is_loop else found), block.parent
    return found
