"""What the conditions of conditionals ask, also in plain English, as Markdown, for people who read docs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rpcschema.model.nodes import Json, Node
from rpcschema.text.prose import code, plain


def asks_nothing(when: Node) -> bool:
    """Whether `when` (an `if`) holds for every object."""
    return when == Node(pointer=when.pointer, extras=when.extras) and when.extras is not False


def condition_text(when: Node, *, negated: bool = False) -> str:
    """What `when` (an `if`) asks for, or its opposite, as a clause that fits after "if".

    For example: `type` is "rune" and `valid` is true; negated: `type` is not "rune" or `valid` is not true.
    """
    clauses = list(_clauses(when, "", negated=negated))
    if not clauses:
        return f"the condition at {plain(when.pointer)} {'does not hold' if negated else 'holds'}"
    return (" or " if negated else " and ").join(clauses)


def _clauses(when: Node, path: str, *, negated: bool) -> Iterator[str]:
    tested = set()
    for field in when.fields or ():
        name, node = path + field.name, field.node
        if node.enum is not None:
            tested.add(field.name)
            yield f"{code(name)} {_one_of(node.enum, negated=negated)}"
        elif node.fields is not None or node.required is not None:
            tested.add(field.name)
            yield from _clauses(node, f"{name}.", negated=negated)
        elif node.type is not None:
            tested.add(field.name)
            yield f"{code(name)} is {'not ' if negated else ''}of type {node.type}"
    for required in when.required or ():
        if required not in tested:
            yield f"{code(path + required)} is {'absent' if negated else 'present'}"


def _one_of(values: tuple[Json, ...], *, negated: bool) -> str:
    if not values:
        return "has any value" if negated else "has a value that does not exist"
    texts = [plain(json.dumps(value, ensure_ascii=False)) for value in values]
    if not negated:
        return f"is {' or '.join(texts)}"
    return f"is not {texts[0]}" if len(texts) == 1 else f"is neither {' nor '.join(texts)}"
