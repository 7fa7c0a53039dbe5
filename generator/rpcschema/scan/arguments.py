"""The parameters that a call passes, by name, as far as its source shows them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rpcschema.scan.values import Dictionary, Values

POSITIONAL: Final = "*"
"""Stands for parameters that are passed by position."""
_PAYLOADS: Final = frozenset({"data", "json", "params", "payload"})
"""Keyword arguments that hold the parameters of a call."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter that a call passes."""

    name: str
    value: ast.expr
    line: int
    """Where it is named."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the parameters of calls, and follows names to the dictionaries that hold them."""

    values: Callable[[ast.AST], Values]
    stored: Callable[[ast.Name], Iterable[tuple[ast.expr, ast.expr]]]
    """The keys and values that statements such as `name["key"] = value` add to a dictionary."""

    def of_call(self, call: ast.Call) -> Iterator[Argument]:
        """Yield the parameters of a call: keywords, members of dictionaries that it passes, and positional ones."""
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg in _PAYLOADS:
                yield from self.of_payload(keyword.value)
            else:
                yield Argument(keyword.arg, keyword.value, keyword.value.lineno)
        for passed in call.args:
            yield from self.of_payload(passed)

    def of_payload(self, node: ast.expr) -> Iterator[Argument]:
        """Yield the members of a dictionary; anything else is passed by position."""
        found = [value.node for value in self.values(node) if isinstance(value, Dictionary)]
        for each in found:
            yield from self._members(each)
        if isinstance(node, ast.Name):
            for key, value in self.stored(node):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield Argument(key.value, value, key.lineno)
        if not found:
            yield Argument(POSITIONAL, node, node.lineno)

    def _members(self, node: ast.Dict | ast.Call) -> Iterator[Argument]:
        if isinstance(node, ast.Call):
            yield from (Argument(each.arg, each.value, each.value.lineno) for each in node.keywords if each.arg)
            return
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield Argument(key.value, value, key.lineno)
            elif key is None:
                for inner in self.values(value):
                    if isinstance(inner, Dictionary) and inner.node is not node:
                        yield from self._members(inner.node)
