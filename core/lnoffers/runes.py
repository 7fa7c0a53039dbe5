"""Runes, the access tokens of Core Lightning's RPC: parse and describe them. Nothing here verifies one.

A rune is base64 (the URL alphabet) of an authentication code of 32 bytes and the text of its restrictions. Restrictions
are joined by `&`, and all of them must hold. A restriction is one or more alternatives joined by `|`, and one of them
must hold. An alternative is a field's name, a condition of one character, and a value. In a value, a backslash escapes
the next character. If the first restriction has an empty name, it is not a condition but the rune's id, optionally
followed by `-` and a version.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from string import punctuation
from types import MappingProxyType
from typing import Final

from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.typecheck import trusted, typechecked

_CODE_LENGTH: Final = 32
_PUNCTUATION: Final = re.escape(punctuation.replace("_", "")).encode()
_ALTERNATIVE: Final = re.compile(rb"([^%b]*+)([!=/^$~<>{}#])((?:(?>[^\\|&]++|\\.))*+)([|&]?)" % _PUNCTUATION, re.DOTALL)
"""Its name, its condition, its value with escapes, and the separator behind it."""
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(rb"([\\|&])")


class RuneError(ValueError):
    """A text is not a rune."""


@typechecked
@dataclass(frozen=True, slots=True)
class Alternative:
    """One condition: the field's name, the condition's character, the value without escapes.

    Name and value should be UTF-8, but need not be.
    """

    name: bytes
    condition: str
    value: bytes

    def __bytes__(self) -> bytes:
        """Return the alternative as written in a rune's text."""
        return self.name + self.condition.encode() + _TO_ESCAPE.sub(rb"\\\1", self.value)


@typechecked
@dataclass(frozen=True, slots=True)
class Rune:
    """A parsed rune.

    Attributes:
        code: the authentication code, 32 bytes. Only the node that made the rune can verify it.
        restrictions: the alternatives of each restriction, including the id.
    """

    code: bytes
    restrictions: tuple[tuple[Alternative, ...], ...]

    @classmethod
    @typechecked
    def parse(cls, text: str) -> Rune:
        """Parse a rune.

        Raises:
            RuneError: if the text is not base64, too short, or its restrictions are malformed.
        """
        data = _from_base64(text)
        if len(data) < _CODE_LENGTH or b"\0" in data[_CODE_LENGTH:]:
            raise RuneError("too short for a rune, or with a byte that none can hold")
        return cls(data[:_CODE_LENGTH], _read_restrictions(data[_CODE_LENGTH:]))

    @property
    def identity(self) -> Alternative | None:
        """The alternative that contains the id, or None."""
        first = self.restrictions[0][0] if self.restrictions else None
        return first if first is not None and not first.name else None

    @property
    def conditions(self) -> tuple[tuple[Alternative, ...], ...]:
        """The restrictions without the id."""
        return self.restrictions if self.identity is None else self.restrictions[1:]

    def __bytes__(self) -> bytes:
        """Return the readable form: the code in hex, a colon, the restrictions."""
        written = (b"|".join(map(bytes, alternatives)) for alternatives in self.restrictions)
        return self.code.hex().encode() + b":" + b"&".join(written)


@typechecked
def describe(rune: Rune, *, now: int) -> dict[str, Json]:
    """Return the result of `decode` for a rune, in Core Lightning's order. Text that is not UTF-8 makes it invalid.

    `now` is Unix time in seconds; the sentences about times need it.
    """
    text = bytes(rune)
    try:
        string = text.decode()
    except UnicodeDecodeError:
        return {
            "type": "rune",
            "hex": text.hex(),
            "warning_rune_invalid_utf8": "Rune contains invalid UTF-8 strings",
            "valid": False,
        }
    shown: dict[str, Json] = {"type": "rune"}
    if rune.identity is not None:
        unique_id, dash, version = rune.identity.value.decode().partition("-")
        shown |= {"unique_id": unique_id, **({"version": version} if dash else {})}
    return shown | {
        "string": string,
        "restrictions": [
            {
                "alternatives": [_plain(alternative) for alternative in alternatives],
                "summary": " OR ".join(_summary(alternative, now) for alternative in alternatives),
            }
            for alternatives in rune.conditions
        ],
        "valid": True,
    }


@typechecked
def is_text(rune: Rune) -> bool:
    """Return whether all of the rune's text is UTF-8."""
    try:
        bytes(rune).decode()
    except UnicodeDecodeError:
        return False
    return True


def _from_base64(text: str) -> bytes:
    """Decode base64. As in Core Lightning, padding may be missing and bits left over are ignored."""
    quartets = len(text) - (len(text) % 4 or 4) if text else 0
    symbols = text[:quartets] + text[quartets:].rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", symbols) or len(symbols) % 4 == 1:
        raise RuneError("no base64")
    return urlsafe_b64decode(symbols + "=" * (-len(symbols) % 4))


def _read_restrictions(text: bytes) -> tuple[tuple[Alternative, ...], ...]:
    restrictions: list[tuple[Alternative, ...]] = []
    alternatives: list[Alternative] = []
    position, more = 0, False
    while position < len(text) or more:
        alternative, position, end = _read_alternative(text, position)
        alternatives.append(alternative)
        more = end == b"|"
        if not more:
            if any(not alternative.name for alternative in alternatives) and (
                restrictions or len(alternatives) > 1 or alternatives[0].condition != "="
            ):
                raise RuneError("an id that is not alone, not first, or not an equality")
            restrictions.append(tuple(alternatives))
            alternatives = []
    return tuple(restrictions)


_alternative = trusted(Alternative)  # a rune may hold thousands


def _read_alternative(text: bytes, position: int) -> tuple[Alternative, int, bytes]:
    """Return the alternative that starts at `position`, the position after it, and the separator that follows."""
    found = _ALTERNATIVE.match(text, position)
    if found is None:
        raise RuneError("a restriction without a condition")
    name, condition, value, separator = found.groups()
    if not separator and found.end() < len(text):
        raise RuneError("a backslash with nothing behind it")
    return _alternative(name, condition.decode(), _ESCAPED.sub(rb"\1", value)), found.end(), separator


def _plain(alternative: Alternative) -> str:
    return f"{alternative.name.decode()}{alternative.condition}{alternative.value.decode()}"


# The sentence for each condition: the field's name, its meaning, the value, and the value quoted unless it is a number.
_SENTENCES: Final = MappingProxyType(
    {
        "!": "{name} ({field}) is missing",
        "=": "{name} ({field}) equal to {shown}",
        "/": "{name} ({field}) unequal to {shown}",
        "^": "{name} ({field}) starts with '{value}'",
        "$": "{name} ({field}) ends with '{value}'",
        "~": "{name} ({field}) contains '{value}'",
        "<": "{name} ({field}) less than {number}",
        ">": "{name} ({field}) greater than {number}",
        "{": "{name} ({field}) sorts before '{value}'",
        "}": "{name} ({field}) sorts after '{value}'",
        "#": "[comment: {name}{value}]",
    }
)
_FIELDS: Final = MappingProxyType(
    {
        "time": "in seconds since 1970",
        "id": "of commanding peer",
        "method": "of command",
        "pnum": "number of command parameters",
        "rate": "max per minute",
    }
)
_NUMERIC: Final = ("time", "pnum", "rate")


def _summary(alternative: Alternative, now: int) -> str:
    name, value = alternative.name.decode(), alternative.value.decode()
    number = _with_distance(value, now) if name == "time" else value
    return _SENTENCES[alternative.condition].format(
        name=name,
        field=_field(name),
        value=value,
        shown=number if name in _NUMERIC else f"'{value}'",
        number=number,
    )


def _field(name: str) -> str:
    if name in _FIELDS:
        return _FIELDS[name]
    if name.startswith("parr"):
        return f"array parameter #{name[4:]}"
    if name.startswith("pname"):
        return f"object parameter '{name[5:]}'"
    return "unknown condition?"


# What C's atol reads; more digits would overflow anyway.
_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]{1,20})")


def _with_distance(value: str, now: int) -> str:
    """Return a time (Unix seconds) and its distance from `now`; only the time if it is zero or not a number."""
    found = _INTEGER.match(value)
    time = min(int(found[2]), 2**63 - 1) if found else 0
    if not time:
        return value
    if found and found[1] == "-":
        time = 2**64 - time
    return f"{value} ({_distance(abs(now - time))} {'ago' if now > time else 'from now'})"


def _distance(seconds: int) -> str:
    """Return a duration in its largest unit and the next one, in Core Lightning's words. A month has 30 days."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return f"{seconds} seconds"
    if minutes < 60:
        return f"{minutes} minutes {seconds % 60} seconds"
    if hours < 48:
        return f"approximately {hours} hours {minutes % 60} minutes"
    if days < 60:
        return f"approximately {days} days {hours % 24} hours"
    if days < 730:
        return f"approximately {days // 30} months {days % 30} days"
    return f"approximately {days // 30} months"
