"""The kinds of changes, and what each means: the rules of `rpcschema diff`.

A parameter is what a program sends: to a command, or back from a hook. A field is what it receives: a command's
response, a notification's payload, or what a hook is called with.

The two verdicts answer two questions. Callers: can a program that was written for the old documents fail with a node
that follows the new ones? Implementers: can a node, or whatever else answers as the old documents say, fail a program
that was written for the new ones?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Verdict(IntEnum):
    """How bad a change is. A greater one is worse."""

    SAFE = 0
    """Nothing that worked can fail."""
    RISKY = 1
    """What some programs do can fail, or will fail in a later release."""
    BREAKING = 2
    """Programs that do what the documents allowed can fail."""

    @property
    def word(self) -> str:
        """The word for it in all reports."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of change."""

    name: str
    about: str
    """What has changed, and why the verdicts follow: sentences for the docs."""
    callers: Verdict
    implementers: Verdict


_SAFE, _RISKY, _BREAKING = Verdict
_UNKNOWN: Final = "An older node does not know it, and refuses the call."


def _of_documents() -> Iterator[Rule]:
    for kind in ("command", "notification", "hook"):
        yield Rule(f"{kind}-added", f"A new {kind}. An older node does not have it.", _SAFE, _BREAKING)
        yield Rule(f"{kind}-removed", f"The {kind} is gone.", _BREAKING, _SAFE)
        yield Rule(f"{kind}-deprecated", f"The {kind} works, but a later release will not have it.", _RISKY, _SAFE)
        yield Rule(f"{kind}-deprecation-changed", "It will be removed at another time, or not at all.", _SAFE, _SAFE)
    yield Rule("error-added", "The command can fail in a way that programs do not know yet.", _RISKY, _SAFE)
    yield Rule("error-removed", "The command no longer fails in this way; an older node still does.", _SAFE, _RISKY)


def _of_parameters() -> Iterator[Rule]:
    yield Rule("parameter-added", f"A new optional parameter. {_UNKNOWN}", _SAFE, _BREAKING)
    yield Rule("required-parameter-added", "Calls without it are refused from now on.", _BREAKING, _BREAKING)
    yield Rule("parameter-removed", "Calls with it are refused from now on.", _BREAKING, _SAFE)
    yield Rule("required-parameter-removed", "Calls with it are refused now, without it before.", _BREAKING, _BREAKING)
    yield Rule("parameter-became-required", "Calls without it are refused from now on.", _BREAKING, _SAFE)
    yield Rule("parameter-became-optional", "An older node refuses calls without it.", _SAFE, _BREAKING)
    yield Rule("parameter-type-widened", "More values are accepted than before.", _SAFE, _BREAKING)
    yield Rule("parameter-type-narrowed", "Some values are refused from now on.", _BREAKING, _SAFE)
    yield Rule("parameter-type-changed", "Neither type has all values of the other.", _BREAKING, _BREAKING)
    yield Rule("parameter-values-added", "The list of possible values has got longer.", _SAFE, _BREAKING)
    yield Rule("parameter-values-removed", "A value is refused from now on.", _BREAKING, _SAFE)
    yield Rule("parameter-limits-loosened", "Longer or shorter values are accepted.", _SAFE, _BREAKING)
    yield Rule("parameter-limits-tightened", "Values of some lengths are refused from now on.", _BREAKING, _SAFE)
    yield Rule("parameter-default-changed", "A call without it can have another effect than before.", _RISKY, _RISKY)
    yield Rule("parameter-cases-added", "It can be given in more cases than before.", _SAFE, _BREAKING)
    yield Rule("parameter-cases-removed", "There are cases in which it is refused from now on.", _BREAKING, _SAFE)
    yield Rule("parameter-demands-added", "There are cases in which it must be given from now on.", _BREAKING, _SAFE)
    yield Rule("parameter-demands-removed", "There are cases in which it need not be given now.", _SAFE, _BREAKING)
    yield Rule("parameter-deprecated", "It is accepted, but a later release will refuse it.", _RISKY, _SAFE)
    yield Rule("parameter-deprecation-changed", "It will be removed at another time, or not at all.", _SAFE, _SAFE)
    yield Rule("parameters-reordered", "A value given by position goes to another parameter.", _BREAKING, _BREAKING)
    yield Rule("parameter-rule-added", "Parameters that were accepted together are refused.", _BREAKING, _SAFE)
    yield Rule("parameter-rule-removed", "Parameters that were refused together are accepted.", _SAFE, _BREAKING)


def _of_fields() -> Iterator[Rule]:
    yield Rule("field-added", "A new field that may be absent; programs ignore what they do not know.", _SAFE, _SAFE)
    yield Rule("required-field-added", "A new field; an older node does not send it.", _SAFE, _BREAKING)
    yield Rule("field-removed", "A field that could be absent is never sent any more.", _RISKY, _SAFE)
    yield Rule("required-field-removed", "A field on which programs can rely is gone.", _BREAKING, _SAFE)
    yield Rule("field-became-required", "It is always sent from now on; an older node can omit it.", _SAFE, _BREAKING)
    yield Rule("field-became-optional", "It can be absent; programs relied on it.", _BREAKING, _SAFE)
    yield Rule("field-type-widened", "It can have values that it did not have, such as greater ones.", _RISKY, _SAFE)
    yield Rule("field-type-narrowed", "It has fewer values; an older node sends the others, too.", _SAFE, _BREAKING)
    yield Rule("field-type-changed", "Neither type has all values of the other.", _BREAKING, _BREAKING)
    yield Rule("field-values-added", "It can have a value that programs do not know yet.", _RISKY, _SAFE)
    yield Rule("field-values-removed", "It no longer has this value; an older node sends it.", _SAFE, _BREAKING)
    yield Rule("field-limits-loosened", "It can be longer or shorter than before.", _RISKY, _SAFE)
    yield Rule("field-limits-tightened", "It has fewer lengths; an older node sends the others.", _SAFE, _BREAKING)
    yield Rule("field-default-changed", "Another value is meant if it is absent.", _RISKY, _RISKY)
    yield Rule("field-cases-added", "It can be present in more cases than before.", _SAFE, _SAFE)
    yield Rule("field-cases-removed", "There are cases in which it is never present now.", _RISKY, _SAFE)
    yield Rule("field-demands-added", "There are cases in which it is always sent from now on.", _SAFE, _BREAKING)
    yield Rule("field-demands-removed", "There are cases in which programs cannot rely on it now.", _BREAKING, _SAFE)
    yield Rule("field-deprecated", "It is sent, but a later release will not send it.", _RISKY, _SAFE)
    yield Rule("field-deprecation-changed", "It will be removed at another time, or not at all.", _SAFE, _SAFE)


RULES: Final[Mapping[str, Rule]] = {
    rule.name: rule for of in (_of_documents, _of_parameters, _of_fields) for rule in of()
}
"""All rules by name."""
