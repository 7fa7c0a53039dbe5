"""The table of error codes: their names, which commands return them, and what each means for the call.

Documents list errors as prose, and not always the right ones. A table in TOML names the codes, in the words of its
author, and says where a document is wrong:

    [[code]]
    code = 207
    name = "PAY_INVOICE_EXPIRED"
    class = "InvoiceExpiredError"
    meaning = "The invoice has expired."
    advice = "Ask for a new one."

    [[command]]
    names = ["pay"]
    adds = [213]
    drops = [202]
    source = "Where the program returns them."

    [[outcome]]
    commands = ["pay"]
    codes = [207]
    outcome = "failed"
    reason = "It is checked before anything is sent."

- A code with `any = true` can be returned by every command. Documents need not list it.
- An outcome without `commands` is that of every command. One that names the command takes precedence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

OUTCOMES: Final = ("failed", "unknown", "done", "retry")
"""What an error can mean for its call: the members of `Outcome` in `runtime.errors`."""

_is_constant: Final = re.compile(r"[A-Z][A-Z0-9_]*").fullmatch
_is_class: Final = re.compile(r"[A-Z][A-Za-z0-9]*Error").fullmatch


class ErrorTableError(ValueError):
    """A table of error codes cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code that commands return."""

    code: int
    name: str
    """The constant's name."""
    class_name: str
    """The exception's name."""
    meaning: str
    """A sentence."""
    advice: str = ""
    """A sentence on what a caller can do."""
    of_any_command: bool = False


@dataclass(frozen=True, slots=True)
class CommandCodes:
    """How the codes of a command differ from those of its document."""

    command: str
    adds: tuple[int, ...]
    drops: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """What a code means for a call of a command; of any command if that is None."""

    command: str | None
    code: int
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """A table of error codes; without a name if there is no table."""

    name: str = ""
    """The name of its file."""
    codes: tuple[ErrorCode, ...] = ()
    commands: tuple[CommandCodes, ...] = ()
    outcomes: tuple[OutcomeRule, ...] = ()

    def find(self, code: int) -> ErrorCode | None:
        """Return the entry of a code, or None."""
        return next((each for each in self.codes if each.code == code), None)

    def codes_of(self, command: str, documented: Collection[int]) -> tuple[int, ...]:
        """Return the codes that a command returns; its document has those in `documented`."""
        added, dropped = self._differences(command)
        return tuple(dict.fromkeys(code for code in (*documented, *added) if code not in dropped))

    def outcome(self, command: str, code: int) -> OutcomeRule | None:
        """Return the rule for a code of a command, or None."""
        found = {rule.command: rule for rule in self.outcomes if rule.code == code and rule.command in {None, command}}
        return found.get(command, found.get(None))

    def faults(self, command: str, documented: Collection[int]) -> Iterator[tuple[str, str]]:
        """Yield a message and its detail for each contradiction with the document of a command."""
        if not self.name:
            return
        added, dropped = self._differences(command)
        unnamed = [code for code in documented if code not in dropped and self.find(code) is None]
        for message, codes in (
            (f"returns codes that {self.name} does not name", unnamed),
            (f"has codes that {self.name} adds; remove them there", [code for code in added if code in documented]),
            (f"lacks codes that {self.name} drops; remove them there", sorted({*dropped} - {*documented})),
            (f"does not return codes that {self.name} has an outcome for", self._unreturned(command, documented)),
        ):
            if codes:
                yield message, ", ".join(map(str, codes))

    def unmatched(self, commands: Collection[str]) -> Iterator[str]:
        """Yield the commands of the table that do not exist."""
        named = (*(each.command for each in self.commands), *(each.command for each in self.outcomes if each.command))
        yield from (name for name in dict.fromkeys(named) if name not in commands)

    def _unreturned(self, command: str, documented: Collection[int]) -> list[int]:
        """Return the codes that have an outcome for the command, which does not return them."""
        returned = {*self.codes_of(command, documented), *(each.code for each in self.codes if each.of_any_command)}
        return [rule.code for rule in self.outcomes if rule.command == command and rule.code not in returned]

    def _differences(self, command: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        found = [each for each in self.commands if each.command == command]
        added = tuple(code for each in found for code in each.adds)
        return added, tuple(code for each in found for code in each.drops)


NO_CODES: Final = ErrorTable()


def read_error_table(file: Path) -> ErrorTable:
    """Return the table in `file`. Raises ErrorTableError if it cannot be used, OSError if it cannot be read."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # TOMLDecodeError or UnicodeDecodeError
        raise ErrorTableError(f"{file}: not readable as TOML: {error}") from error
    fault = next(_faults(content), None)
    if fault is not None:
        raise ErrorTableError(f"{file}: {fault}")
    return ErrorTable(
        name=file.name,
        codes=tuple(_code(raw) for raw in content.get("code", ())),
        commands=tuple(
            CommandCodes(name, tuple(raw.get("adds", ())), tuple(raw.get("drops", ())))
            for raw in content.get("command", ())
            for name in raw["names"]
        ),
        outcomes=tuple(
            OutcomeRule(command, code, raw["outcome"], raw["reason"])
            for raw in content.get("outcome", ())
            for command in raw.get("commands", (None,))
            for code in raw["codes"]
        ),
    )


def _code(raw: Mapping[str, Any]) -> ErrorCode:
    advice, of_any_command = raw.get("advice", ""), raw.get("any", False)
    return ErrorCode(raw["code"], raw["name"], raw["class"], raw["meaning"], advice, of_any_command)


def _faults(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the reasons why `content` is not a table of error codes."""
    for key, listed in content.items():
        if key not in _SHAPES:
            yield f"unknown key {key}; there are {', '.join(_SHAPES)}"
        elif not isinstance(listed, list):
            yield f"expected tables [[{key}]]"
        else:
            yield from (f"{key} {at}: {fault}" for at, raw in enumerate(listed, 1) for fault in _entry_faults(key, raw))
    yield from _repeated("code", [raw["code"] for raw in content.get("code", ())])
    yield from _repeated("name", [raw["name"] for raw in content.get("code", ())])
    yield from _repeated("class", [raw["class"] for raw in content.get("code", ())])
    known = {raw["code"] for raw in content.get("code", ())}
    rules: list[tuple[str | None, int]] = []
    for key, member in (("command", "adds"), ("outcome", "codes")):
        for at, raw in enumerate(content.get(key, ()), 1):
            if unnamed := [str(code) for code in raw.get(member, ()) if code not in known]:
                yield f"{key} {at}: no [[code]] names {', '.join(unnamed)}"
            if key == "outcome":
                rules += [(command, code) for command in raw.get("commands", (None,)) for code in raw["codes"]]
    yield from _repeated("outcome", [f"{code} of {command or 'any command'}" for command, code in rules])


def _repeated(what: str, values: list[Any]) -> Iterator[str]:
    yield from (f"{what} {value} occurs twice" for value in dict.fromkeys(values) if values.count(value) > 1)


def _entry_faults(kind: str, raw: Any) -> Iterator[str]:
    if not isinstance(raw, dict):
        yield "expected a table"
        return
    shapes = _SHAPES[kind]
    yield from (f"missing: {key}" for key in shapes if key not in raw and key not in _OPTIONAL)
    for key, value in raw.items():
        if key not in shapes:
            yield f"unknown key {key}; there are {', '.join(shapes)}"
        elif not shapes[key][1](value):
            yield f"{key}: expected {shapes[key][0]}"


def _is_code(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _list_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and value != [] and all(map(test, value))


_TEXT: Final = ("a string, not empty", _is_text)
_CODES: Final = ("a list of numbers, not empty", _list_of(_is_code))
_NAMES: Final = ("a list of commands, not empty", _list_of(_is_text))
_OPTIONAL: Final = frozenset({"advice", "any", "adds", "drops", "commands"})
_SHAPES: Final[Mapping[str, Mapping[str, tuple[str, Callable[[Any], Any]]]]] = {
    "code": {
        "code": ("a number", _is_code),
        "name": ("a name in capitals, such as PAY_FAILED", lambda value: _is_text(value) and _is_constant(value)),
        "class": ("the name of a class that ends in Error", lambda value: _is_text(value) and _is_class(value)),
        "meaning": _TEXT,
        "advice": _TEXT,
        "any": ("true or false", lambda value: isinstance(value, bool)),
    },
    "command": {"names": _NAMES, "adds": _CODES, "drops": _CODES, "source": _TEXT},
    "outcome": {
        "commands": _NAMES,
        "codes": _CODES,
        "outcome": (f"one of {', '.join(OUTCOMES)}", OUTCOMES.__contains__),
        "reason": _TEXT,
    },
}
"""The type of each key of each kind of entry: its description and its test."""
