"""Corrections: how to read a document that a running node contradicts.

A table in TOML holds them. Each entry names a document by `rpc`, `notification` or `hook`, gives the reason and the
version of the node on which it was `seen`, and says what differs:

    [[correction]]
    rpc = "parsefeerate"
    rename = { feerate_str = "feerate" }
    reason = "A node has no parameter of the document's name."
    seen = "v26.06"

- `rename`, `drop`, `required`, `optional` and `order` are about parameters; `order` lists all of them by position, and
  so no extensions, which have none.
- `add` declares parameters and fields in the dialect, by paths such as `request.label` or `response.peers`.
- `enforced` and `unenforced` have rules as documents write them (`oneOfMany`, `pairedWith`, `dependentUpon`). A node
  was seen to enforce the former, even if the document lacks them, and not to enforce the latter.

Each entry expects the document to be wrong in a certain way. If upstream has changed that, the entry no longer applies;
this is an error, so that no entry outlives its reason.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from rpcschema.model.build import KINDS, REQUEST_KEYWORDS
from rpcschema.model.nodes import DocumentKind
from rpcschema.problems import Problem, join_pointer

Raw: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[DocumentKind, str]
Mismatch: TypeAlias = tuple[str, str]
"""FIXED or CHANGED, and the details."""
Edit: TypeAlias = Callable[[Raw, Any], Iterator[Mismatch]]
"""Changes a document in place, and yields what differs from its expectation."""
FIXED: Final = "fixed"
CHANGED: Final = "changed"
_ADVICE: Final = {FIXED: "remove this correction", CHANGED: "try it on a node again"}
_RULES: Final = REQUEST_KEYWORDS - {"enforced"}


@dataclass(frozen=True, slots=True)
class Correction:
    """One entry of a table: what differs in one document."""

    kind: DocumentKind
    name: str
    pointer: str
    """Its position in the table."""
    reason: str
    seen: str
    """The version of the node, as `getinfo` returns it."""
    edits: Mapping[str, Any]
    """What differs, by the keys of `EDITS`, in their order."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Corrections:
    """A table of corrections, read from `file`."""

    file: str = ""
    entries: tuple[Correction, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, key: Key | None) -> tuple[Correction, ...]:
        """Return the corrections of the document with this kind and id."""
        return tuple(entry for entry in self.entries if (entry.kind, entry.name) == key)

    def apply(self, raw: Raw, entries: Iterable[Correction]) -> tuple[Raw, tuple[Problem, ...]]:
        """Return `raw`, a document that is valid by `dialect.json`, with `entries` of this table applied.

        With it comes an error for each entry that no longer applies. The result need not be valid.
        """
        made = copy.deepcopy(raw)
        problems = []
        for entry in entries:
            for edit, value in entry.edits.items():
                for verdict, found in EDITS[edit](made, value):
                    state = f"no longer applies to {entry}, which upstream has {verdict}: {found}"
                    origin = f"on {entry.seen}: {entry.reason}"
                    problems.append(Problem(self.file, entry.pointer, f"{state}; {_ADVICE[verdict]} ({origin})"))
        return made, tuple(problems)

    def unmatched(self, keys: Collection[Key]) -> Iterator[Problem]:
        """Yield an error for each correction of a document that does not exist."""
        for entry in self.entries:
            if (entry.kind, entry.name) not in keys:
                yield Problem(self.file, entry.pointer, f"there is no document {entry}")

    def outdated(self, documents: Mapping[Key, Raw]) -> Iterator[Problem]:
        """Yield an error for each correction that does not fit `documents`."""
        yield from self.unmatched(documents)
        for key, raw in documents.items():
            yield from self.apply(raw, self.of(key))[1]


NONE: Final = Corrections()


def _rename(raw: Raw, names: Mapping[str, str]) -> Iterator[Mismatch]:
    request = raw["request"]
    for old, new in names.items():
        declared = request.get("properties", {})
        if old not in declared:
            yield (FIXED, f"it is called {new}") if new in declared else (CHANGED, f"there is no parameter {old}")
        elif new in declared:
            yield CHANGED, f"there are both {old} and {new}"
        else:
            request["properties"] = {new if name == old else name: node for name, node in declared.items()}
            request["required"] = [new if name == old else name for name in request.get("required", ())]


def _drop(raw: Raw, names: Sequence[str]) -> Iterator[Mismatch]:
    request = raw["request"]
    for name in names:
        if request.get("properties", {}).pop(name, None) is None:
            yield FIXED, f"there is no parameter {name}"
        request["required"] = [other for other in request.get("required", ()) if other != name]


def _add(raw: Raw, nodes: Mapping[str, Any]) -> Iterator[Mismatch]:
    for path, node in nodes.items():
        half, *outer, name = path.split(".")
        holder = raw[half]
        for step in outer:
            holder = holder.get("properties", {}).get(step, {})
        if outer and not holder:
            yield CHANGED, f"there is no {path.rpartition('.')[0]}"
        elif holder.get("properties", {}).get(name):  # `{}` only allows what is declared elsewhere
            yield FIXED, f"it declares {path}"
        else:
            holder.setdefault("properties", {})[name] = copy.deepcopy(node)


def _required(raw: Raw, names: Sequence[str]) -> Iterator[Mismatch]:
    request = raw["request"]
    for name in names:
        if name not in request.get("properties", {}):
            yield CHANGED, f"there is no parameter {name}"
        elif name in request.get("required", ()):
            yield FIXED, f"{name} is required"
        else:
            request["required"] = [*request.get("required", ()), name]


def _optional(raw: Raw, names: Sequence[str]) -> Iterator[Mismatch]:
    request = raw["request"]
    for name in names:
        if name in request.get("required", ()):
            request["required"] = [other for other in request["required"] if other != name]
        else:
            yield FIXED, f"{name} is not required"


def _order(raw: Raw, names: Sequence[str]) -> Iterator[Mismatch]:
    declared = raw["request"].get("properties", {})
    positional = [name for name, node in declared.items() if not node.get("extension")]
    if set(positional) != set(names):
        yield CHANGED, f"the parameters are {', '.join(positional)}"
    elif positional == names:
        yield FIXED, "the parameters have this order"
    else:
        raw["request"]["properties"] = {name: declared[name] for name in names} | declared


def _enforced(raw: Raw, rules: Mapping[str, Any]) -> Iterator[Mismatch]:
    request = raw["request"]
    for keyword, rule in rules.items():
        if request.setdefault(keyword, rule) == rule:
            request["enforced"] = [*request.get("enforced", ()), keyword]
        else:
            yield CHANGED, f"it has another {keyword}"


def _unenforced(raw: Raw, rules: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Change nothing: a rule is only documentation unless it is enforced."""
    for keyword, rule in rules.items():
        if keyword not in raw["request"]:
            yield FIXED, f"it has no {keyword}"
        elif raw["request"][keyword] != rule:
            yield CHANGED, f"it has another {keyword}"


EDITS: Final[Mapping[str, Edit]] = {
    "rename": _rename,
    "drop": _drop,
    "add": _add,
    "required": _required,
    "optional": _optional,
    "order": _order,
    "enforced": _enforced,
    "unenforced": _unenforced,
}
"""In the order in which they are applied: `order` comes after the edits that add, drop and rename."""


def read_corrections(file: Path) -> Corrections:
    """Return the table in `file`, with its problems."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        return Corrections(problems=(Problem(str(file), "", f"cannot be read: {error.strerror}"),))
    except ValueError as error:  # TOMLDecodeError or UnicodeDecodeError
        return Corrections(problems=(Problem(str(file), "", f"not readable as TOML: {error}"),))
    listed = content.get("correction", [])
    if content.keys() - {"correction"} or not isinstance(listed, list):
        return Corrections(problems=(Problem(str(file), "", "expected tables [[correction]], and nothing else"),))
    faults = [(at, fault) for at, entry in enumerate(listed) for fault in _faults(entry)]
    if faults:
        problems = (Problem(str(file), join_pointer("/correction", at), fault) for at, fault in faults)
        return Corrections(problems=tuple(problems))
    return Corrections(str(file), tuple(_entry(raw, at) for at, raw in enumerate(listed)))


def _entry(raw: Mapping[str, Any], at: int) -> Correction:
    kind = next(kind for kind in KINDS if kind in raw)
    edits = {key: raw[key] for key in EDITS if key in raw}
    return Correction(kind, raw[kind], join_pointer("/correction", at), raw["reason"], raw["seen"], edits)


def _faults(raw: Any) -> Iterator[str]:
    """Yield the reasons why `raw` is not a correction."""
    if not isinstance(raw, dict):
        yield "expected a table"
        return
    if len([kind for kind in KINDS if kind in raw]) != 1:
        yield f"expected exactly one of {', '.join(KINDS)}: the name of a document"
    yield from (f"missing: {key}" for key in ("reason", "seen") if key not in raw)
    if not raw.keys() & EDITS.keys():
        yield f"it corrects nothing: expected one or more of {', '.join(EDITS)}"
    for key, value in raw.items():
        if key not in _SHAPES:
            yield f"unknown key {key}; there are {', '.join(_SHAPES)}"
        elif not _SHAPES[key][1](value):
            yield f"{key}: expected {_SHAPES[key][0]}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_new_names(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _are_nodes(value: Any) -> bool:
    return isinstance(value, dict) and all(
        path.startswith(("request.", "response.")) and isinstance(node, dict) for path, node in value.items()
    )


def _are_rules(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() <= _RULES


_SHAPES: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    **dict.fromkeys((*KINDS, "reason", "seen"), ("a string, not empty", _is_text)),
    **dict.fromkeys(("drop", "required", "optional", "order"), ("a list of parameters", _are_names)),
    "rename": ("a table of new names by old ones", _are_new_names),
    "add": ("a table of schemas by paths that begin with request. or response.", _are_nodes),
    **dict.fromkeys(("enforced", "unenforced"), (f"a table of {', '.join(sorted(_RULES))}", _are_rules)),
}
"""The type of each key of an entry: its description and its test."""
