"""The fields that a raw document declares, by an understanding of the dialect that shares nothing with the generator's.

- Fields stand in `properties`, at the base and in `then`, `else`, `anyOf` and `oneOf`, at any depth; several
  declarations of one path are one field, which can have the types of any of them.
- `{}` only allows what is declared elsewhere; a name that is `{}` everywhere (a phantom) is no field.
- A field is always there if the base requires it, or every side of a conditional, or every alternative.
- A field without a type is one that can hold anything.
- Where a field tells answers apart, the conditionals that test for one value of it are all the cases that there are of
  such answers, whatever else they test.

Source: Core Lightning, doc/schemas and the meta-schema there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from tests.audit.facts import ELEMENT, Facts, Field, Path, closed

Raw: TypeAlias = Mapping[str, Any]

_SHAPE: Final = frozenset({"type", "untyped", "oneOf", "anyOf", "properties", "items"})
_RENAMED: Final = {"hexstr": "hex", "outputdesc": "map", "string_map": "map"}
"""An older name, and objects whose members have names of the caller's choice."""
_NOTHING: Final[Raw] = {}


def fields(half: Raw, known: Raw = _NOTHING) -> Facts:
    """Return all fields of a request or response by path, including nested ones and the elements of arrays.

    With `known`, those of answers that are told apart by these values of top-level fields, e.g. {"type": "bolt12
    offer"}. Names that are required and declared nowhere have no type and are not among them; `undeclared` has those.
    """
    found = dict(_members([half], (), known, hidden=False))
    return found | {(name,): replace(found[name,], types=frozenset({closed([known[name]])})) for name in known}


def undeclared(half: Raw) -> Iterator[Path]:
    """Yield the paths that are always required and mentioned nowhere else."""
    for path, objects in _objects([half], ()):
        mentioned = {name for each in objects for name, _ in _mentions(each, _NOTHING)}
        yield from ((*path, name) for name in sorted(_always(objects, _NOTHING) - mentioned))


def declarations(half: Raw) -> Counter[Path]:
    """Return how often pages must show each path: without elements, and without hidden fields and what is in them."""
    return Counter(_declared(half, ()))


def _members(objects: Sequence[Raw], path: Path, known: Raw, *, hidden: bool) -> Iterator[tuple[Path, Field]]:
    """Yield the fields of an object that is declared by each of `objects`."""
    always = _always(objects, known)
    for name, schemas in _by_name(objects, known).items():
        if any(schemas):
            is_hidden = hidden or any(schema.get("hidden", False) for schema in schemas)
            yield from _field(schemas, (*path, name), optional=name not in always, hidden=is_hidden)


def _field(schemas: Sequence[Raw], path: Path, *, optional: bool, hidden: bool) -> Iterator[tuple[Path, Field]]:
    shapes = _shapes(schemas)
    yield path, Field(types=_types(shapes), optional=optional, hidden=hidden)
    if objects := [shape for shape in shapes if _is_object(shape)]:
        yield from _members(objects, path, _NOTHING, hidden=hidden)
    if items := _items(shapes):
        yield from _field(items, (*path, ELEMENT), optional=False, hidden=hidden)


def _objects(objects: Sequence[Raw], path: Path) -> Iterator[tuple[Path, Sequence[Raw]]]:
    """Yield the declarations of every object at or inside one."""
    yield path, objects
    for name, schemas in _by_name(objects, _NOTHING).items():
        yield from _objects_in(_shapes(schemas), (*path, name))


def _objects_in(shapes: Sequence[Raw], path: Path) -> Iterator[tuple[Path, Sequence[Raw]]]:
    if objects := [shape for shape in shapes if _is_object(shape)]:
        yield from _objects(objects, path)
    if items := _items(shapes):
        yield from _objects_in(_shapes(items), (*path, ELEMENT))


def _by_name(objects: Iterable[Raw], known: Raw) -> Mapping[str, list[Raw]]:
    mentions: dict[str, list[Raw]] = {}
    for each in objects:
        for name, schema in _mentions(each, known):
            mentions.setdefault(name, []).append(schema)
    return mentions


def _mentions(schema: Raw, known: Raw) -> Iterator[tuple[str, Raw]]:
    """Yield each place in an object's declaration that names one of its fields."""
    yield from schema.get("properties", {}).items()
    for choice in _choices(schema, known):
        for side in choice:
            yield from _mentions(side, known)


def _always(objects: Iterable[Raw], known: Raw) -> frozenset[str]:
    """Return the names that an object declared by any of `objects` has."""
    return frozenset.intersection(*(_present(each, known) for each in objects))


def _present(schema: Raw, known: Raw) -> frozenset[str]:
    required = frozenset(schema.get("required", ()))
    return required.union(*(_always(choice, known) for choice in _choices(schema, known)))


def _choices(schema: Raw, known: Raw) -> Iterator[Sequence[Raw]]:
    """Yield groups of which one applies: the sides of an `if` that `known` leaves open, its cases, alternatives."""
    cases: list[Raw] = []
    for branch in (schema, *schema.get("allOf", ())):
        if "if" in branch:
            then, otherwise = branch.get("then", _NOTHING), branch.get("else", _NOTHING)
            holds = _holds(branch["if"], known)
            if holds is None and known.keys() & branch["if"].get("properties", {}).keys():
                cases.append(then)
            else:
                yield (then, otherwise) if holds is None else (then,) if holds else (otherwise,)
    yield from (choice for choice in (cases, schema.get("anyOf"), schema.get("oneOf")) if choice)


def _holds(condition: Raw, known: Raw) -> bool | None:
    """Return whether a condition holds; None if `known` does not decide it."""
    verdicts: set[bool | None] = {None if name not in known else True for name in condition.get("required", ())}
    for name, test in condition.get("properties", {}).items():
        verdicts.add(known[name] in test["enum"] if name in known and "enum" in test else None)
    return False if False in verdicts else None if None in verdicts else True


def _shapes(schemas: Sequence[Raw]) -> list[Raw]:
    """Return what `schemas` say a value can be, without refinements of others; alternatives replace their list."""
    said = [schema for schema in schemas if _SHAPE & schema.keys()] or [schema for schema in schemas if schema]
    return list(_alternatives(said or schemas))


def _alternatives(schemas: Iterable[Raw]) -> Iterator[Raw]:
    for schema in schemas:
        alternatives = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        if alternatives and not {"type", "properties"} & schema.keys():
            yield from _alternatives(alternatives)
        else:
            yield schema


def _is_object(shape: Raw) -> bool:
    return shape.get("type") == "object" or ("type" not in shape and "properties" in shape)


def _items(shapes: Iterable[Raw]) -> list[Raw]:
    """Return the declarations of the elements; {} for an array that does not say what is in it."""
    return [shape.get("items", _NOTHING) for shape in shapes if shape.get("type") == "array"]


def _types(shapes: Iterable[Raw]) -> frozenset[str]:
    found: set[str] = set()
    members: set[str] = set()
    for shape in shapes:
        enum = shape.get("enum", ())
        if enum and shape.get("type", "string") == "string" and all(isinstance(member, str) for member in enum):
            members.update(enum)
        elif _is_object(shape):
            found.add("object" if any(schema for _, schema in _mentions(shape, _NOTHING)) else "map")
        else:
            kind: str = shape.get("type", "any")
            found.add(_RENAMED.get(kind, kind))
    if "any" in found:
        return frozenset({"any"})
    if members and "string" not in found:
        found.add(closed(members))
    return frozenset(found)


def _declared(schema: Raw, path: Path) -> Iterator[Path]:
    for name, below in schema.get("properties", {}).items():
        if below.get("hidden", False):
            continue
        if below.keys() - {"required"}:  # else it is `{}`, or part of a constraint
            yield (*path, name)
        yield from _declared(below, (*path, name))
    if "items" in schema:
        yield from _declared(schema["items"], path)
    for choice in _choices(schema, _NOTHING):
        for side in choice:
            yield from _declared(side, path)
