"""The fields of an exported schema, as a tool finds them that ignores conditionals. It shares nothing with the export.

Of an object it sees `properties`, `required` and `anyOf`; the rest only restricts what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.audit.facts import ELEMENT, Facts, Field, Path, closed

Schema = Mapping[str, Any]

_WORDS: Final = re.compile("[A-Z][a-z]*[0-9]*")
_PLAIN: Final = {"Bip340Sig": "bip340sig"}


def fields(schema: Schema) -> Facts:
    """Return all fields by path, those of nested objects and the elements of arrays included."""
    return dict(_members([schema], ()))


def _members(schemas: Sequence[Schema], path: Path) -> Iterator[tuple[Path, Field]]:
    objects = [form for schema in schemas for form in _forms(schema)]
    always = frozenset.intersection(*(frozenset(each.get("required", ())) for each in objects))
    by_name: dict[str, list[Schema]] = {}
    for each in objects:
        for name, schema in each.get("properties", {}).items():
            if schema is not True:  # only allowed
                by_name.setdefault(name, []).append(schema)
    for name, found in by_name.items():
        yield from _field(found, (*path, name), optional=name not in always)


def _field(schemas: Sequence[Schema], path: Path, *, optional: bool) -> Iterator[tuple[Path, Field]]:
    forms = [form for schema in schemas for form in _forms(schema)]
    yield path, Field(types=_types(forms), optional=optional)
    if objects := [form for form in forms if "properties" in form]:
        yield from _members(objects, path)
    if arrays := [form for form in forms if form.get("type") == "array"]:
        yield from _field([form.get("items", {}) for form in arrays], (*path, ELEMENT), optional=False)


def _forms(schema: Schema) -> Iterator[Schema]:
    """Yield what a value can be."""
    references = [part for part in schema.get("allOf", ()) if "$ref" in part]
    if references:  # how draft 7 refers to a type with a description beside it
        yield {**schema, **references[0]}
    elif "anyOf" in schema and "properties" not in schema and "$ref" not in schema:
        for each in schema["anyOf"]:
            yield from _forms(each)
    else:
        yield schema


def _types(forms: Sequence[Schema]) -> frozenset[str]:
    found, members = set(), set()
    for form in forms:
        if "const" in form:
            members.add(form["const"])
        elif "$ref" in form:
            found.add(_type_of(form["$ref"]))
        elif form.get("enum") and all(isinstance(member, str) for member in form["enum"]):
            members |= set(form["enum"])
        elif form.get("type", "object" if "properties" in form else None) == "object":
            declared = [each for each in form.get("properties", {}).values() if each is not True]
            found.add("object" if declared else "map")
        else:
            found.add(form.get("type", "any"))
    if "any" in found:
        return frozenset({"any"})
    return frozenset(found | ({closed(members)} if members and "string" not in found else set()))


def _type_of(reference: str) -> str:
    """Return the dialect's name of a definition, e.g. short_channel_id of ShortChannelId."""
    name = reference.rpartition("/")[2].removesuffix("Parameter")
    return _PLAIN.get(name) or "_".join(_WORDS.findall(name)).lower()
