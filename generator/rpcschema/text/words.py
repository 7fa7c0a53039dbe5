"""Our own words about values: types, presence, releases, limits, defaults, conditions, and rules for several
parameters.

All of it is Markdown. The dialect's type names stay as they are. `added: pre-v0.10.1` means that nobody wrote down when
it was added, and is not shown.

Source: Core Lightning, doc/schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rpcschema.model.conditions import Clause, Condition, Conjunction, Form, condition
from rpcschema.model.nodes import ABSENT, Deprecated, Request, SchemaNode
from rpcschema.text.prose import code, plain

ALWAYS: Final = "pre-v0.10.1"
"""The `added` of a field that is older than the records."""
_UNCOUNTED: Final = frozenset({"hex", "msat", "sat", "any", "null"})


def type_words(node: SchemaNode, *, plural: bool = False) -> str:
    """Return, for example, "array of objects" or "string or u64"; "" if the type is declared elsewhere."""
    alternatives = node.shapes
    if alternatives:
        names = dict.fromkeys(type_words(shape, plural=plural) for shape in alternatives)
        return " or ".join(filter(None, names))
    name = node.type or ("object" if node.fields is not None else "any" if node.untyped else "")
    words = plain(_plural(name) if plural else name)
    elements = type_words(node.items, plural=True) if node.type == "array" and node.items is not None else ""
    return f"{words} of {elements}" if elements else words


def head_words(node: SchemaNode, presence: str | None = None) -> str:
    """Return the words after a name: type, `presence` ("required", "optional" or None), releases."""
    return ", ".join(filter(None, (type_words(node), presence, *release_words(node.added, node.deprecated))))


def release_words(added: str | None, deprecated: Deprecated | None) -> Iterator[str]:
    """Yield, for example, "added in v23.02", "deprecated in v26.06, removed after v27.03" (the last release to support
    it).
    """
    if added is not None and added != ALWAYS:
        yield f"added in {_named(added)}"
    match deprecated:
        case (since, last, *_):
            yield f"deprecated in {_named(since)}, removed after {_named(last)}"
        case (since,) | str(since):
            yield f"deprecated in {_named(since)}"
        case True:
            yield "deprecated"


def added_words(names: Sequence[str], release: str) -> str:
    """Return a sentence which says that the fields `names`, at least two, were added in `release`."""
    return f"{_listed(names)} were added in {_named(release)}."


def limit_words(node: SchemaNode) -> str:
    """Return sentences on whether Core Lightning lacks `node`, which values it can take, and its default; or ""."""
    return " ".join(_limits(node))


def default_words(node: SchemaNode) -> str:
    """Return a sentence with the default of `node`; "" if it has none."""
    if node.default is ABSENT:
        return ""
    default = f"Default: {_default(node.default)}"
    return default if default.endswith(".") else f"{default}."


def extension_words(thing: str) -> str:
    """Return the sentence about an extension; `thing` is "it" or, say, "this command"."""
    return f"An extension: Core Lightning does not have {thing}."


def by_name_words(names: Sequence[str]) -> str:
    """Return a sentence which says that the parameters `names` have no position."""
    return f"{_listed(names)} can only be given by name."


def presence_words(names: Sequence[str], *, says_required: bool) -> str:
    """Return a sentence which says that the fields `names` are present, or required."""
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'} {'required' if says_required else 'present'}."


def extras_words(things: str, *, others: bool, says_required: bool) -> str:
    """Return a sentence which says that `things` ("fields") of any name are allowed; `others` says whether some are
    declared.
    """
    which = f"Other {things}" if others else f"{things.capitalize()} of any name"
    return f"{which} {'are accepted' if says_required else 'may be present'}."


def alternative_words(nodes: Sequence[SchemaNode], *, exactly: bool) -> str:
    """Return a sentence which says that one of the constraints `nodes` holds."""
    clauses = ", or ".join(condition_words(condition(node)) for node in nodes)
    return f"{'Exactly' if exactly else 'At least'} one of these holds: {clauses}."


def rule_words(request: Request) -> Iterator[str]:
    """Yield a sentence for each rule about several parameters."""
    for group in filter(None, request.one_of_many or ()):
        yield f"At most one of {_listed(group)} can be given."
    for group in filter(None, request.paired_with or ()):
        yield f"{_listed(group)} must be given together or not at all."
    for name, dependents in request.dependent_upon or ():
        if dependents:
            yield f"{_listed(dependents)} can only be given together with {code(name)}."


def condition_words(condition: Condition | Form) -> str:
    """Return a clause that fits after "if".

    For example: `type` is "rune" and `valid` is true; negated: `type` is not "rune" or `valid` is not true.
    """
    if isinstance(condition, Form):
        return f"form {condition.number} of {condition.count} is used"
    if not condition.clauses:
        return f"the condition at {plain(condition.pointer)} {'does not hold' if condition.negated else 'holds'}"
    clauses = (_clause_words(clause, negated=condition.negated) for clause in condition.clauses)
    return " ".join((" or " if condition.negated else " and ").join(clauses).split())


def conjunction_words(conditions: Conjunction) -> str:
    """Return a clause, for example: if `type` is "rune" and `valid` is true."""
    return "if " + " and ".join(map(condition_words, conditions))


def _clause_words(clause: Clause, *, negated: bool) -> str:
    name, no = code(".".join(clause.names)), "not " if negated else ""
    if clause.type is not None:
        return f"{name} is {no}of type {clause.type}"
    if clause.values is None:
        return f"{name} is {'absent' if negated else 'present'}"
    texts = list(map(plain, clause.values))
    if not texts:
        return f"{name} has {'any value' if negated else 'a value that does not exist'}"
    if not negated:
        return f"{name} is {' or '.join(texts)}"
    return f"{name} is not {texts[0]}" if len(texts) == 1 else f"{name} is neither {' nor '.join(texts)}"


def _limits(node: SchemaNode) -> Iterator[str]:
    if node.extension:
        yield extension_words("it")
    if node.enum is not None:
        values = ", ".join(plain(json.dumps(value, ensure_ascii=False)) for value in node.enum)
        yield f"Always {values}." if len(node.enum) == 1 else f"One of {values}." if values else "No value is valid."
    yield from _bounds(node.min_length, node.max_length, "character")
    yield from _bounds(node.min_items, node.max_items, "element")
    if default := default_words(node):
        yield default


def _default(value: object) -> str:
    """Return a default, which may be prose in Markdown or a value."""
    if isinstance(value, str) and value.strip():
        return value.strip().replace("\n", " ")
    return plain(json.dumps(value, ensure_ascii=False))


def _named(release: str) -> str:
    return plain(release.strip() or repr(release))


def _bounds(least: int | None, most: int | None, unit: str) -> Iterator[str]:
    if least is not None and least == most:
        yield f"Exactly {_count(least, unit)}."
    elif least is not None and most is not None:
        yield f"{least} to {_count(most, unit)}."
    elif least is not None:
        yield f"At least {_count(least, unit)}."
    elif most is not None:
        yield f"At most {_count(most, unit)}."


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _plural(name: str) -> str:
    if not name or name in _UNCOUNTED:
        return name
    return f"{name}es" if name.endswith("sh") else f"{name}s"


def _listed(names: Sequence[str]) -> str:
    *others, last = map(code, names)
    return f"{', '.join(others)} and {last}" if others else last
