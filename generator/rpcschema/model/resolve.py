"""Work out what an object can hold, from its declaration and all its conditionals.

An object declares fields at its base, and more of them in `then`, `else`, `oneOf` and `anyOf`. There, `{}` only allows
what is declared elsewhere. `resolve` collects each field from all places that mention it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from rpcschema.model.conditions import Condition, Conjunction, Form, asks_nothing, condition
from rpcschema.model.dump import dump_node
from rpcschema.model.nodes import SchemaNode
from rpcschema.problems import join_pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedField:
    """One field that an object can hold."""

    name: str
    alternatives: tuple[SchemaNode, ...]
    """Its distinct declarations in order of appearance, at least one; branches may disagree."""
    required: bool
    """Whether every object has it."""
    conditions: tuple[Conjunction, ...] = ()
    """When it can be present (any of them suffices); () if it is declared at the base, or on every side of a
    conditional."""
    demands: tuple[Conjunction, ...] = ()
    """When it must be present; () if it is required, or if no conditional alone decides that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An object's fields in order of appearance, and what was left out of them."""

    fields: tuple[ResolvedField, ...]
    hidden: tuple[ResolvedField, ...]
    """Fields that exist but should not be shown."""
    phantoms: tuple[str, ...]
    """Names that are allowed somewhere but declared nowhere."""
    undeclared: tuple[str, ...]
    """Names that are always required but mentioned nowhere else."""
    extras: bool
    """Whether other fields are allowed: the object says so, and no side of a conditional forbids them."""


@dataclass(frozen=True, slots=True)
class _Mention:
    """One place where a field is declared, refined or only allowed."""

    node: SchemaNode
    path: _Path = ()


@dataclass(frozen=True, slots=True)
class _PathStep:
    """One side of a conditional, or one of several alternatives."""

    condition: Condition | Form
    rivals: frozenset[str] | str
    """What decides the choice; steps with the same rivals are sides of one choice."""
    sides: int | None = None
    """The number of sides, if one of them is always taken."""


_Path: TypeAlias = tuple[_PathStep, ...]
"""The way from the base to a position; empty at the base."""


def resolve(node: SchemaNode) -> Resolved:
    """Return the fields of the object that `node` declares, including those of its conditionals."""
    if not (node.fields or node.required or node.branches or node.any_of or node.one_of):  # usually not an object
        return Resolved(fields=(), hidden=(), phantoms=(), undeclared=(), extras=node.extras is True)
    mentions: dict[str, list[_Mention]] = {}
    for name, mention in _mentions(node, ()):
        mentions.setdefault(name, []).append(mention)
    required = _required(node)
    demanded: dict[str, list[_Path]] = {}
    for name, path in _demands(node, ()):
        demanded.setdefault(name, []).append(path)
    visible: list[ResolvedField] = []
    hidden: list[ResolvedField] = []
    phantoms: list[str] = []
    for name, places in mentions.items():
        declarations = _declarations(places)
        if not declarations:
            phantoms.append(name)
            continue
        field = ResolvedField(
            name=name,
            alternatives=distinct(mention.node for mention in declarations),
            required=name in required,
            conditions=_conditions(places, declarations),
            demands=() if name in required else _conjunctions(_covered(demanded.get(name, ()))),
        )
        (hidden if any(mention.node.hidden for mention in places) else visible).append(field)
    return Resolved(
        fields=tuple(visible),
        hidden=tuple(hidden),
        phantoms=tuple(phantoms),
        undeclared=tuple(name for name in required if name not in mentions),
        extras=node.extras is True and not _is_closed(node),
    )


def _is_closed(node: SchemaNode) -> bool:
    """Return whether a conditional forbids other fields, as in documents that declare fields in `then` and `else`."""
    branched = (side for branch in node.branches for side in (branch.then, branch.otherwise) if side is not None)
    sides = (*branched, *node.any_of, *node.one_of)
    return any(side.extras is False or _is_closed(side) for side in sides)


def distinct(nodes: Iterable[SchemaNode]) -> tuple[SchemaNode, ...]:
    """Return `nodes` without those that say the same as an earlier one."""
    given = tuple(nodes)
    if len(given) < 2:  # the usual case, and dumps are slow
        return given
    by_content: dict[str, SchemaNode] = {}
    for node in given:
        by_content.setdefault(json.dumps(dump_node(node)), node)
    return tuple(by_content.values())


def _mentions(node: SchemaNode, path: _Path) -> Iterator[tuple[str, _Mention]]:
    for field in node.fields or ():
        yield field.name, _Mention(field.node, path)
    for side, way in _sides(node, path):
        yield from _mentions(side, way)
    for key, alternatives in (("anyOf", node.any_of), ("oneOf", node.one_of)):
        for at, alternative in enumerate(alternatives, 1):
            count = len(alternatives)
            step = _PathStep(Form(at, count), join_pointer(node.pointer, key), count)
            yield from _mentions(alternative, (*path, step))


def _demands(node: SchemaNode, path: _Path) -> Iterator[tuple[str, _Path]]:
    """Yield the required names, with the sides of conditionals that require them."""
    for name in node.required or ():
        yield name, path
    for side, way in _sides(node, path):
        yield from _demands(side, way)


def _sides(node: SchemaNode, path: _Path) -> Iterator[tuple[SchemaNode, _Path]]:
    """Yield the sides of the conditionals of `node`, each with its path; `path` leads to `node`."""
    for branch in node.branches:
        if asks_nothing(branch.when):
            if branch.then is not None:
                yield branch.then, path
            continue
        # A lone `then` is one side of a choice whose other sides are the other lone `then`s that test the same names;
        # an `else` completes the choice, and so does the other value of a boolean.
        tested = frozenset((*(field.name for field in branch.when.fields or ()), *(branch.when.required or ())))
        lone_sides = 2 if _tests_a_boolean(branch.when) else None
        rivals, sides = (tested, lone_sides) if branch.otherwise is None else (join_pointer(branch.pointer, "if"), 2)
        if branch.then is not None:
            yield branch.then, (*path, _PathStep(condition(branch.when), rivals, sides))
        if branch.otherwise is not None:
            yield branch.otherwise, (*path, _PathStep(condition(branch.when, negated=True), rivals, sides))


def _tests_a_boolean(when: SchemaNode) -> bool:
    """Return whether `when` tests one boolean for one value and nothing else."""
    return [field.node.enum for field in when.fields or ()] in ([(True,)], [(False,)])


def _declarations(places: list[_Mention]) -> list[_Mention]:
    """Return the mentions that declare the field's type; if none does, those that say anything about it."""
    shaped = [mention for mention in places if _has_shape(mention.node)]
    return shaped or [mention for mention in places if dump_node(mention.node)]


def _has_shape(node: SchemaNode) -> bool:
    return bool(node.type or node.untyped or node.one_of or node.any_of or node.fields or node.items)


def _conditions(places: list[_Mention], declarations: list[_Mention]) -> tuple[Conjunction, ...]:
    if any(not mention.path for mention in declarations):
        return ()
    chosen = {tuple(step.rivals for step in mention.path) for mention in declarations}
    paths = _covered(
        mention.path for mention in places if mention.path and tuple(step.rivals for step in mention.path) in chosen
    )
    return _conjunctions(paths)


def _conjunctions(paths: Collection[_Path]) -> tuple[Conjunction, ...]:
    """Return the conditions of `paths`; () if one of the paths has none."""
    if () in paths:
        return ()
    return tuple(dict.fromkeys(tuple(step.condition for step in path) for path in paths))


def _covered(paths: Iterable[_Path]) -> Collection[_Path]:
    """Return `paths`, with those that take all sides of a choice replaced by the one path that leads to the choice."""
    found = dict.fromkeys(paths)
    for length in range(max(map(len, found), default=0), 0, -1):
        choices: dict[tuple[_Path, object], list[_Path]] = {}
        for path in found:
            if len(path) == length:
                choices.setdefault((path[:-1], path[-1].rivals), []).append(path)
        whole = {path for sides in choices.values() if len(sides) == sides[0][-1].sides for path in sides}
        found = dict.fromkeys(path[:-1] if path in whole else path for path in found)
    return found


def _required(node: SchemaNode) -> dict[str, None]:
    """Return the names that every such object holds, as an ordered set."""
    names = dict.fromkeys(node.required or ())
    for branch in node.branches:
        if asks_nothing(branch.when):
            names |= _required(branch.then) if branch.then is not None else {}
        elif branch.then is not None and branch.otherwise is not None:
            names |= _common([branch.then, branch.otherwise])
    for alternatives in (node.any_of, node.one_of):
        names |= _common(alternatives)
    return names


def _common(nodes: Iterable[SchemaNode]) -> dict[str, None]:
    sets = [_required(node) for node in nodes]
    return reduce(lambda left, right: {name: None for name in left if name in right}, sets) if sets else {}
