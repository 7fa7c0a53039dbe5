"""Rules, the functions that make them, and the loop that checks a message."""

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


class Breach(NamedTuple):
    """A broken rule: the error message and, if the rule names no field, the type of the wrong record."""

    message: str
    type: int = -1  # the rule names the field


@dataclass(frozen=True, slots=True)
class Rule(Generic[M_contra]):
    """A rule for messages of one kind.

    Attributes:
        given: the number of a field; the rule applies only if the message has it. None if it always applies.
        name: as `Bolt12Error.rule` gives it.
        field: the field for the error; None if the breach names it.
        check: returns the breach of a message that breaks the rule, else None.
    """

    given: int | None
    name: RuleName
    field: Field[Any] | None
    check: Callable[[M_contra], Breach | None]


def enforce(rules: Iterable[Rule[M]], message: M) -> None:
    """Check a message against rules, in order.

    Raises:
        Bolt12Error: for the first rule that the message breaks.
    """
    present = message.values
    for rule in rules:
        if rule.given is None or rule.given in present:
            fault = rule.check(message)
            if fault is not None:
                raise _error(rule, fault, message)


def _error(rule: Rule[M], fault: Breach, message: M) -> Bolt12Error:
    if rule.field is not None:
        type_, name = rule.field.number, rule.field.name
    else:
        type_, name = fault.type, str(fault.type)
    return Bolt12Error(fault.message, rule=rule.name, field=name, offset=message.offset_of(type_))


def when(
    name: RuleName, field: Field[Any], broken: Callable[[M], bool], message: str, *, given: Field[Any] | None = None
) -> Rule[M]:
    """Require that a message that has `field`, or `given` in its place, is not `broken`."""
    return check_when(name, field, _finds(broken, message), given=given)


def always(name: RuleName, field: Field[Any], broken: Callable[[M], bool], message: str) -> Rule[M]:
    """Require that a message is not `broken`, whatever fields it has."""
    return check_always(name, field, _finds(broken, message))


def check_when(
    name: RuleName, field: Field[Any], find: Callable[[M], Breach | None], *, given: Field[Any] | None = None
) -> Rule[M]:
    """Require that `find` finds no breach in a message that has `field`, or `given` in its place."""
    return Rule((field if given is None else given).number, name, field, find)


def check_always(name: RuleName, field: Field[Any] | None, find: Callable[[M], Breach | None]) -> Rule[M]:
    """Require that `find` finds no breach in a message, whatever fields it has."""
    return Rule(None, name, field, find)


def _finds(broken: Callable[[M], bool], message: str) -> Callable[[M], Breach | None]:
    breach = Breach(message)
    return lambda each: breach if broken(each) else None


def required(name: RuleName, field: Field[Any], message: str) -> Rule[Message]:
    """Require the field to be present."""
    return always(name, field, lambda each: field.number not in each.values, message)


def forbidden(name: RuleName, field: Field[Any], message: str) -> Rule[Message]:
    """Forbid the field."""
    return when(name, field, lambda _: True, message)


def known_features(name: RuleName, field: Field[bytes], known: frozenset[int]) -> Rule[Message]:
    """Forbid even bits of the field that are not known."""

    def find(message: Message) -> Breach | None:
        bit = first_unknown_bit(getattr(message, field.name), known)
        return None if bit is None else Breach(f"unknown feature bit {bit}")

    return check_when(name, field, find)
