"""What a table of faults is made of: for each rule a message that breaks it, and the same with only that mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One rule broken.

    Attributes:
        table: the name of the rule's table in the module of its kind.
        rule: its name.
        field: the field that the error names.
        make: makes a stream, which readers must refuse, or a message, which its builder must, of keyword arguments;
            arguments of None are left out.
        broken: the arguments that break this rule and no other.
        mended: what to change of them for a message that keeps all rules.
        message: what the error says.
        sole: whether the message is good for all other rules; some are there for others to rely on.
    """

    table: str
    rule: str
    field: str
    make: Callable[..., Any]
    broken: dict[str, Any]
    mended: dict[str, Any]
    message: str
    sole: bool = True

    def __str__(self) -> str:
        return f"{self.table} {self.rule} {self.field}"

    def make_broken(self) -> Any:
        return self.make(**self.broken)

    def make_mended(self) -> Any:
        return self.make(**(self.broken | self.mended))
