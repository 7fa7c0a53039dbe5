"""What a generated package says of its classes, as `typing.get_type_hints` reports it to whoever asks."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from tests.audit.facts import ELEMENT, Facts, Field, Path, closed

ALIASES: Final[Mapping[str, tuple[str, object]]] = {
    "bip340sig": ("Bip340Sig", str),
    "currency": ("Currency", str),
    "feerate": ("Feerate", int | str),
    "hash": ("Hash", str),
    "hex": ("Hex", str),
    "msat": ("Msat", int),
    "msat_or_all": ("MsatOrAll", int | str),
    "msat_or_any": ("MsatOrAny", int | str),
    "outpoint": ("Outpoint", str),
    "pubkey": ("Pubkey", str),
    "sat": ("Sat", int),
    "sat_or_all": ("SatOrAll", int | str),
    "secret": ("Secret", str),
    "short_channel_id": ("ShortChannelId", str),
    "short_channel_id_dir": ("ShortChannelIdDir", str),
    "signature": ("Signature", str),
    "txid": ("Txid", str),
    "u8": ("U8", int),
    "u16": ("U16", int),
    "u32": ("U32", int),
    "u64": ("U64", int),
}
"""Dialect type -> the alias that stands for it in annotations, and the Python type that the alias must be."""

_MARKERS: Final = {alias: type(alias, (), {"dialect": name}) for name, (alias, _) in ALIASES.items()}
"""Stand-ins for the aliases while annotations are evaluated: afterwards an alias of `int` could not be told from it."""

_PLAIN: Final[Mapping[Any, str]] = {
    Any: "any",
    bool: "boolean",
    float: "number",
    int: "integer",
    str: "string",
    types.NoneType: "null",
}


def wrong_aliases(scalars: Any) -> Iterator[str]:
    """Yield a sentence for each alias in the module `scalars` that is not the Python type of its dialect type."""
    for name, (alias, kind) in ALIASES.items():
        if getattr(scalars, alias, None) != kind:
            yield f"{alias}, for {name}, is {getattr(scalars, alias, 'missing')}, not {kind}"


def variants(made: Any) -> Iterator[tuple[Mapping[str, str], type]]:
    """Yield the answers that a class is for: {} for all, or, for each class in a union, the values that lead to it."""
    classes = _alternatives(made)
    for cls in classes:
        yield (_fixed(cls) if len(classes) > 1 else {}), cls


def fields(cls: type) -> Facts:
    """Return all fields of a dataclass, by path."""
    return dict(_members([cls], ()))


def _fixed(cls: type) -> Mapping[str, str]:
    """Return the fields that have one value, by wire name."""
    hints = {wire: _annotations(cls)[name] for name, wire in _wires(cls).items()}
    return {
        wire: get_args(hint)[0]
        for wire, hint in hints.items()
        if get_origin(hint) is Literal and len(get_args(hint)) == 1
    }


def _members(classes: Sequence[Any], path: Path) -> Iterator[tuple[Path, Field]]:
    hints: dict[str, list[Any]] = {}
    always: list[set[str]] = []
    for cls in classes:
        always.append(set())
        wires = _wires(cls)
        for member in dataclasses.fields(cls):
            wire, default = wires[member.name], member.default
            if default is dataclasses.MISSING:
                always[-1].add(wire)
            parts = _alternatives(_annotations(cls)[member.name])
            # Beside such a default, None stands for "not there", and not for JSON's null.
            hints.setdefault(wire, []).extend(
                part for part in parts if default is not None or part is not types.NoneType
            )
    for name, parts in hints.items():
        yield from _field(parts, (*path, name), optional=not all(name in names for names in always))


def _field(parts: list[Any], path: Path, *, optional: bool) -> Iterator[tuple[Path, Field]]:
    yield path, Field(types=_types(parts), optional=optional)
    if objects := [part for part in parts if dataclasses.is_dataclass(part)]:
        yield from _members(objects, path)
    if items := [element for part in parts if get_origin(part) is list for element in get_args(part)]:
        yield from _field([part for item in items for part in _alternatives(item)], (*path, ELEMENT), optional=False)


@cache
def _annotations(cls: type) -> dict[str, Any]:
    """Return the types of the members, with a stand-in for each alias that the class's source writes.

    Raises ValueError if the class has other types than its source says.
    """
    written = _written(cls.__module__)[cls.__name__]
    twin = type(cls.__name__, (), {"__module__": cls.__module__, "__annotations__": written})
    if get_type_hints(twin) != get_type_hints(cls):
        raise ValueError(f"{cls.__module__}.{cls.__name__} is not what its source says")
    return get_type_hints(twin, localns=_MARKERS)


@cache
def _written(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the annotations of each class in a module, as they are written there."""
    return {
        node.name: {
            member.target.id: ast.unparse(member.annotation)
            for member in _running(node)
            if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name)
        }
        for node in ast.parse(inspect.getsource(sys.modules[module])).body
        if isinstance(node, ast.ClassDef)
    }


def _running(written: ast.ClassDef) -> Iterator[ast.stmt]:
    """Yield the statements of a class that run; for type checkers, deprecated fields have others."""
    for statement in written.body:
        yield from statement.orelse if isinstance(statement, ast.If) else (statement,)


def _wires(cls: type) -> dict[str, str]:
    """Attribute -> wire name."""
    renamed: dict[str, str] = dict(getattr(cls, "__wire_names__", ()))
    return {member.name: renamed.get(member.name, member.name) for member in dataclasses.fields(cls)}


def _alternatives(hint: Any) -> list[Any]:
    """Return the members of a union; `hint` itself if it is not a union."""
    if get_origin(hint) in (Union, types.UnionType):
        return [part for member in get_args(hint) for part in _alternatives(member)]
    return [hint]


def _types(parts: list[Any]) -> frozenset[str]:
    found: set[str] = set()
    members: set[str] = set()
    for part in parts:
        if get_origin(part) is Literal:
            members.update(member for member in get_args(part) if isinstance(member, str))
            found.update("boolean" for member in get_args(part) if isinstance(member, bool))
        else:
            found.add(_type(part))
    if members and "string" not in found:
        found.add(closed(members))
    return frozenset(found)


def _type(part: Any) -> str:
    if get_origin(part) is list:
        return "array"
    if get_origin(part) is dict:
        return "map" if get_args(part) == (str, Any) else str(part)
    if dataclasses.is_dataclass(part):
        return "object"
    return getattr(part, "dialect", None) or _PLAIN.get(part, str(part))
