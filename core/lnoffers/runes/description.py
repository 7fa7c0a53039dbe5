"""Describe runes as `decode` and `showrunes` do, in Core Lightning's words."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.runes.rune import Alternative, Rune


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


def _plain(alternative: Alternative) -> str:
    return f"{alternative.name.decode()}{alternative.condition}{alternative.value.decode()}"


@typechecked
def english(alternative: Alternative) -> str:
    """Return an alternative as `showrunes` puts it. Bytes that are not UTF-8 become U+FFFD."""
    name, value = (part.decode(errors="replace") for part in (alternative.name, alternative.value))
    return _ENGLISH[alternative.condition].format(name=name, value=value)


_ENGLISH: Final = MappingProxyType(
    {
        "!": "{name} is missing",
        "=": "{name} equal to {value}",
        "/": "{name} unequal to {value}",
        "^": "{name} starts with {value}",
        "$": "{name} ends with {value}",
        "~": "{name} contains {value}",
        "<": "{name} < {value}",
        ">": "{name} > {value}",
        "{": "{name} sorts before {value}",
        "}": "{name} sorts after {value}",
        "#": "comment: {name} {value}",
    }
)

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
