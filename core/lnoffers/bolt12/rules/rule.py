"""What a rule is, how rules are made, and the loop that holds a message to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.features import first_unknown_bit
from lnoffers.bolt12.message import Field, Message
from lnoffers.bolt12.rule_names import RuleName

M = TypeVar("M", bound=Message)
M_contra = TypeVar("M_contra", bound=Message, contravariant=True)


class Fault(NamedTuple):
    """What is wrong, and, if the rule is about no field of its own, in the record of which type."""

    message: str
    type: int = -1  # where the rule's own field says it


@dataclass(frozen=True, slots=True)
class Rule(Generic[M_contra]):
    """One rule for messages of a kind.

    Attributes:
        given: the number of the field without which the rule has nothing to say; None if it always has.
        name: as `Bolt12Error.rule` gives it.
        field: the field that the error names; None if the fault says which.
        check: the fault of a message that breaks the rule, None for one that keeps it.
    """

    given: int | None
    name: RuleName
    field: Field[Any] | None
    check: Callable[[M_contra], Fault | None]


def enforce(rules: Iterable[Rule[M]], message: M) -> None:
    """Raise Bolt12Error for the first rule that the message breaks."""
    present = message.known_types
    for rule in rules:
        if rule.given is None or rule.given in present:
            fault = rule.check(message)
            if fault is not None:
                raise _error(rule, fault, message)


def _error(rule: Rule[M], fault: Fault, message: M) -> Bolt12Error:
    if rule.field is not None:
        type_, name = rule.field.number, rule.field.name
    else:
        type_, name = fault.type, str(fault.type)
    return Bolt12Error(fault.message, rule=rule.name, field=name, offset=message.offset_of(type_))


def when(
    given: Field[Any] | None, name: RuleName, field: Field[Any], broken: Callable[[M], bool], message: str
) -> Rule[M]:
    """Require, if `given` is there (or always), that the message is not `broken`."""
    fault = Fault(message)
    return check(given, name, field, lambda each: fault if broken(each) else None)


def check(
    given: Field[Any] | None, name: RuleName, field: Field[Any] | None, find: Callable[[M], Fault | None]
) -> Rule[M]:
    """Require, if `given` is there (or always), that `find` finds no fault."""
    return Rule(None if given is None else given.number, name, field, find)


def required(name: RuleName, field: Field[Any], message: str) -> Rule[Message]:
    """Require the field to be there."""
    fault = Fault(message)
    return check(None, name, field, lambda each: None if field.number in each.known_types else fault)


def forbidden(name: RuleName, field: Field[Any], message: str) -> Rule[Message]:
    """Forbid the field."""
    fault = Fault(message)
    return check(field, name, field, lambda _: fault)


def known_features(name: RuleName, field: Field[bytes], known: frozenset[int]) -> Rule[Message]:
    """Forbid even bits of the field that are not known."""

    def find(message: Message) -> Fault | None:
        bit = first_unknown_bit(getattr(message, field.name), known)
        return None if bit is None else Fault(f"unknown feature bit {bit}")

    return check(field, name, field, find)
