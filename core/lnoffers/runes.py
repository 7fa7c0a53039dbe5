"""Runes, the passes for Core Lightning's RPC: what one allows, and under which conditions. Nothing here checks one.

A rune is base64 (the URL alphabet) of 32 bytes of authentication code and a text of restrictions. Restrictions are
joined by `&` and must all hold; a restriction is alternatives joined by `|`, of which one must hold; an alternative is
a field's name, a condition in one character, and a value, in which a backslash makes the next character plain. A first
restriction with an empty name holds no condition but the rune's id, and perhaps `-` and a version.
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
_ALTERNATIVE: Final = re.compile(rb"([^%b]*+)([!=/^$~<>{}#])((?:[^\\|&]++|\\.)*+)([|&]?)" % _PUNCTUATION, re.DOTALL)
"""Its name, condition, value with escapes, and what stands behind it."""
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(rb"([\\|&])")


class RuneError(ValueError):
    """A text is no rune."""


@typechecked
@dataclass(frozen=True, slots=True)
class Alternative:
    """One condition: the field's name, the condition's character, the value without escapes.

    Name and value are meant to be UTF-8, but nothing makes them so.
    """

    name: bytes
    condition: str
    value: bytes

    def __bytes__(self) -> bytes:
        """As it stands in a rune's text."""
        return self.name + self.condition.encode() + _TO_ESCAPE.sub(rb"\\\1", self.value)


@typechecked
@dataclass(frozen=True, slots=True)
class Rune:
    """A rune taken apart.

    Attributes:
        code: the authentication code, 32 bytes; it proves nothing without the secret of the rune's maker.
        restrictions: the alternatives of each, the first one's id included.
    """

    code: bytes
    restrictions: tuple[tuple[Alternative, ...], ...]

    @classmethod
    @typechecked
    def parse(cls, text: str) -> Rune:
        """Raises RuneError if the text is no base64, too short, or its restrictions are not well formed."""
        data = _from_base64(text)
        if len(data) < _CODE_LENGTH or b"\0" in data[_CODE_LENGTH:]:
            raise RuneError("too short for a rune, or with a byte that none can hold")
        return cls(data[:_CODE_LENGTH], _read_restrictions(data[_CODE_LENGTH:]))

    @property
    def identity(self) -> Alternative | None:
        """The alternative that holds the id, if there is one."""
        first = self.restrictions[0][0] if self.restrictions else None
        return first if first is not None and not first.name else None

    @property
    def conditions(self) -> tuple[tuple[Alternative, ...], ...]:
        """The restrictions without the id."""
        return self.restrictions if self.identity is None else self.restrictions[1:]

    def __bytes__(self) -> bytes:
        """The form for people: the code in hex, a colon, the restrictions."""
        told = (b"|".join(map(bytes, alternatives)) for alternatives in self.restrictions)
        return self.code.hex().encode() + b":" + b"&".join(told)


@typechecked
def describe(rune: Rune, *, now: int) -> dict[str, Json]:
    """What `decode` answers for a rune, in Core Lightning's order; not valid if there is text that is not UTF-8.

    `now`, unix seconds, is for the words about times.
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
    """Whether all of the rune's text is UTF-8."""
    try:
        bytes(rune).decode()
    except UnicodeDecodeError:
        return False
    return True


def _from_base64(text: str) -> bytes:
    """The bytes; padding may be missing, and bits left over are not looked at, as in Core Lightning."""
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
    """The alternative that starts at `position`, where the next one starts, and what stands between them."""
    found = _ALTERNATIVE.match(text, position)
    if found is None:
        raise RuneError("a restriction without a condition")
    name, condition, value, separator = found.groups()
    if not separator and found.end() < len(text):
        raise RuneError("a backslash with nothing behind it")
    return _alternative(name, condition.decode(), _ESCAPED.sub(rb"\1", value)), found.end(), separator


def _plain(alternative: Alternative) -> str:
    return f"{alternative.name.decode()}{alternative.condition}{alternative.value.decode()}"


# How each condition reads, with the field's name, what it is, the value, and the value as it is best shown.
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
    """A time in unix seconds, and how far from `now` that is; just the time if it is zero or no number."""
    found = _INTEGER.match(value)
    time = min(int(found[2]), 2**63 - 1) if found else 0
    if not time:
        return value
    if found and found[1] == "-":
        time = 2**64 - time
    return f"{value} ({_distance(abs(now - time))} {'ago' if now > time else 'from now'})"


def _distance(seconds: int) -> str:
    """A span in its largest unit and the next, a month being 30 days, as Core Lightning says it."""
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
