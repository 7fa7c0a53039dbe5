"""The arguments of a client's method: the type hints of the request class, slightly widened.

Where the class has a list or a dict, the method accepts any sequence or mapping, and an amount may be text with a unit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from rpcschema.python.classes import Plan
from rpcschema.python.source import literal


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a method, as source."""

    name: str
    hint: str
    """The type hint, without None."""
    required: bool


def arguments(plan: Plan, module: str) -> tuple[Argument, ...]:
    """Return the arguments for the request of `plan`, in the document's order; extensions are not offered.

    `module` is the source of its classes.
    """
    if plan.request is None:
        return ()
    hints = declared_hints(module, plan.request.name)
    return tuple(
        Argument(each.name, accepted_hint(hints[each.name]), each.required)
        for each in plan.request.attributes
        if not each.is_extension
    )


def declared_hints(module: str, name: str) -> dict[str, ast.expr]:
    """Return the hints of the members of the class `name` in the source `module`."""
    classes = (statement for statement in ast.parse(module).body if isinstance(statement, ast.ClassDef))
    body = next(each.body for each in classes if each.name == name)
    return {ast.unparse(part.target): part.annotation for part in body if isinstance(part, ast.AnnAssign)}


def accepted_hint(declared: ast.expr) -> str:
    """Return the hint of an argument, without None, for a member whose hint is `declared`."""
    choices = dict.fromkeys(_choices(declared))
    return " | ".join(choice for choice in choices if choice != "None") or "None"


def _choices(declared: ast.expr) -> Iterator[str]:
    match declared:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _choices(left)
            yield from _choices(right)
        case ast.Subscript(value=ast.Name("list"), slice=element):
            yield f"Sequence[{accepted_hint(element)}]"
        case ast.Subscript(value=ast.Name("dict"), slice=ast.Tuple([key, value])):
            yield f"Mapping[{accepted_hint(key)}, {accepted_hint(value)}]"
        case ast.Subscript(value=ast.Name("Literal"), slice=members):
            values = ast.literal_eval(members)
            yield f"Literal[{', '.join(map(literal, values if isinstance(values, tuple) else (values,)))}]"
        case ast.Name("Msat" | "Sat" as amount):
            yield amount
            yield "str"
        case _:
            yield ast.unparse(declared)
