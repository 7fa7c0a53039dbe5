"""Documents with one known difference: kinds of mutations of raw JSON, and what each means.

Nothing here imports the code that it judges.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Raw: TypeAlias = dict[str, Any]


class CannotMutateError(Exception):
    """The document has no place for a mutation of this kind."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A kind of mutation, and what it should be found as."""

    rule: str
    callers: str
    implementers: str
    mutate: Callable[[Raw, random.Random], str]
    """Changes the document in place, and returns the path of the change."""


def mutated(mutation: Mutation, raw: Raw, seed: int) -> tuple[Raw, str]:
    """Return a mutated copy of a document, and the path of the change. Raises CannotMutateError."""
    changed = copy.deepcopy(raw)
    path = mutation.mutate(changed, random.Random(seed))
    return changed, path


def _plain(half: Raw) -> Mapping[str, Raw]:
    """Return the fields of an object that no conditional mentions, and no rule about several of them."""
    mentioned = set[str]()
    for key in ("allOf", "if", "then", "else", "oneOf", "anyOf", "oneOfMany", "pairedWith", "dependentUpon"):
        mentioned |= set(_strings(half.get(key)))
    fields = half.get("properties", {})
    return {name: node for name, node in fields.items() if name not in mentioned and not node.get("hidden") and node}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        yield value


def _chosen(raw: Raw, half: str, draw: random.Random, fits: Callable[[str, Raw, bool], bool]) -> tuple[str, Raw]:
    """Return the name and the declaration of a field for which `fits` (name, declaration, is it required) holds."""
    object_ = raw.get(half, {})
    required = object_.get("required", [])
    found = [(name, node) for name, node in _plain(object_).items() if fits(name, node, name in required)]
    if not found:
        raise CannotMutateError
    return draw.choice(found)


def _add(half: str, *, required: bool) -> Callable[[Raw, random.Random], str]:
    def mutate(raw: Raw, draw: random.Random) -> str:
        object_ = raw[half]
        name, kind = f"new_{draw.randrange(1000)}", draw.choice(["u64", "string", "hash"])
        object_.setdefault("properties", {})[name] = {"type": kind}
        if required:
            object_["required"] = [*object_.get("required", []), name]
        return f"{half}.{name}"

    return mutate


def _remove(half: str, *, required: bool) -> Callable[[Raw, random.Random], str]:
    def mutate(raw: Raw, draw: random.Random) -> str:
        name, _ = _chosen(raw, half, draw, lambda _, __, is_required: is_required == required)
        del raw[half]["properties"][name]
        raw[half]["required"] = [each for each in raw[half].get("required", []) if each != name]
        return f"{half}.{name}"

    return mutate


def _require(half: str, *, required: bool) -> Callable[[Raw, random.Random], str]:
    def mutate(raw: Raw, draw: random.Random) -> str:
        name, _ = _chosen(raw, half, draw, lambda _, __, is_required: is_required != required)
        others = [each for each in raw[half].get("required", []) if each != name]
        raw[half]["required"] = [*others, name] if required else others
        return f"{half}.{name}"

    return mutate


def _retype(half: str, before: str, after: str) -> Callable[[Raw, random.Random], str]:
    def mutate(raw: Raw, draw: random.Random) -> str:
        name, node = _chosen(raw, half, draw, lambda _, node, __: node.get("type") == before and "enum" not in node)
        node["type"] = after
        return f"{half}.{name}"

    return mutate


def _enum(half: str, *, adds: bool) -> Callable[[Raw, random.Random], str]:
    def mutate(raw: Raw, draw: random.Random) -> str:
        name, node = _chosen(raw, half, draw, lambda _, node, __: len(node.get("enum", ())) > 1)
        if adds:
            node["enum"] = [*node["enum"], "another value"]
        else:
            node["enum"] = [*node["enum"]]
            node["enum"].remove(draw.choice(node["enum"]))
        return f"{half}.{name}"

    return mutate


def _deprecate(half: str) -> Callable[[Raw, random.Random], str]:
    def mutate(raw: Raw, draw: random.Random) -> str:
        name, node = _chosen(raw, half, draw, lambda _, node, __: "deprecated" not in node)
        node["deprecated"] = ["v26.06", "v27.03"]
        return f"{half}.{name}"

    return mutate


def _reorder(raw: Raw, draw: random.Random) -> str:
    fields = raw["request"].get("properties", {})
    if len(fields) < 2:
        raise CannotMutateError
    names = [*fields]
    at = draw.randrange(len(names) - 1)
    names[at], names[at + 1] = names[at + 1], names[at]
    raw["request"]["properties"] = {name: fields[name] for name in names}
    return "request"


def _pair(raw: Raw, draw: random.Random) -> str:
    names = [*_plain(raw["request"])]
    if len(names) < 2:
        raise CannotMutateError
    raw["request"]["pairedWith"] = [*raw["request"].get("pairedWith", []), draw.sample(names, 2)]
    return "request"


def _limit(raw: Raw, draw: random.Random) -> str:
    wanted = lambda _, node, __: node.get("type") == "string" and not {"enum", "maxLength"} & {*node}  # noqa: E731
    name, node = _chosen(raw, "request", draw, wanted)
    node["maxLength"] = 64
    return f"request.{name}"


def _error(raw: Raw, _: random.Random) -> str:
    lines = raw.get("errors")
    if not isinstance(lines, list) or not any(str(line).startswith("- ") for line in lines):
        raise CannotMutateError
    raw["errors"] = [*lines, "- 4711: Something new."]
    return ""


MUTATIONS: Final = (
    Mutation("parameter-added", "safe", "breaking", _add("request", required=False)),
    Mutation("required-parameter-added", "breaking", "breaking", _add("request", required=True)),
    Mutation("parameter-removed", "breaking", "safe", _remove("request", required=False)),
    Mutation("required-parameter-removed", "breaking", "breaking", _remove("request", required=True)),
    Mutation("parameter-became-required", "breaking", "safe", _require("request", required=True)),
    Mutation("parameter-became-optional", "safe", "breaking", _require("request", required=False)),
    Mutation("parameter-type-widened", "safe", "breaking", _retype("request", "u32", "u64")),
    Mutation("parameter-type-narrowed", "breaking", "safe", _retype("request", "string", "hex")),
    Mutation("parameter-type-changed", "breaking", "breaking", _retype("request", "string", "boolean")),
    Mutation("parameter-limits-tightened", "breaking", "safe", _limit),
    Mutation("parameter-deprecated", "risky", "safe", _deprecate("request")),
    Mutation("parameters-reordered", "breaking", "breaking", _reorder),
    Mutation("parameter-rule-added", "breaking", "safe", _pair),
    Mutation("field-added", "safe", "safe", _add("response", required=False)),
    Mutation("required-field-added", "safe", "breaking", _add("response", required=True)),
    Mutation("field-removed", "risky", "safe", _remove("response", required=False)),
    Mutation("required-field-removed", "breaking", "safe", _remove("response", required=True)),
    Mutation("field-became-required", "safe", "breaking", _require("response", required=True)),
    Mutation("field-became-optional", "breaking", "safe", _require("response", required=False)),
    Mutation("field-type-widened", "risky", "safe", _retype("response", "hash", "string")),
    Mutation("field-type-narrowed", "safe", "breaking", _retype("response", "u64", "u16")),
    Mutation("field-values-added", "risky", "safe", _enum("response", adds=True)),
    Mutation("field-values-removed", "safe", "breaking", _enum("response", adds=False)),
    Mutation("field-deprecated", "risky", "safe", _deprecate("response")),
    Mutation("error-added", "risky", "safe", _error),
)
