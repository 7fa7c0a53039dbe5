"""Arrange a decoded string for people: blocks of labelled rows, with amounts and times in a readable form.

Only the names of the fields decide (`…_msat` is an amount, `warning_…` a warning). So a new field needs no code here,
and all seven types that `decode` returns are handled alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Final

from lnoffers.bolt12 import CHAINS, Json
from lnoffers.service.escaping import escape

_BLOCKS: Final = {
    "warning_": "Warnings",
    "offer_": "Offer",
    "invreq_": "Invoice request",
    "invoice_": "Invoice",
    "": "",  # the signature of the message above; a proof has two, its own and its invoice's
    "proof_": "Proof",
    "unknown_": "Unknown records",
}
"""The title of each block by the prefix of its fields, in the order of printing."""
_TIMES: Final = {"absolute_expiry", "created_at", "basetime", "recurrence_basetime"}
_LIFETIMES: Final = {"expiry": "created_at", "invoice_relative_expiry": "invoice_created_at"}
"""Durations, and the time from which each one runs."""
_TEXTS: Final = {"alternatives", "currency", "description", "domain", "issuer", "name", "note", "payer_note"}
"""Texts that people wrote. They are printed whole even if they look like hex."""
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")
_AMOUNT: Final = "_msat"
_CHAIN_LABELS: Final = ("chain", "chains")
_NETWORKS: Final = {chain.hex(): network for network, chain in CHAINS.items()}
"""The network by its chain hash in messages."""
_UNITS: Final = (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_WHOLE_HEX_DIGITS: Final = 66
"""The length of a public key. Longer hex is shortened: only programs need it, and they read JSON."""


class Tone(Enum):
    """The meaning of a text, which decides its colour."""

    PLAIN = "plain"
    GOOD = "good"
    CAREFUL = "careful"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """A label with a value, or with rows of its own. Both texts are safe to print."""

    label: str
    value: str = ""
    rows: tuple[Line, ...] = ()
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under a title. The title may be empty."""

    title: str
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The type of a string, whether it is valid, and its contents."""

    title: str
    verdict: str
    tone: Tone
    blocks: tuple[Block, ...]


def summarize(decoded: Mapping[str, Json], now: int) -> Summary:
    """Return a summary of a decoded string. `now` is Unix time in seconds, to tell whether it has expired."""
    verdict, tone = _verdict(decoded, now)
    rows: dict[str, list[Line]] = {prefix: [] for prefix in _BLOCKS}
    for name, value in decoded.items():
        if name not in ("type", "valid"):
            prefix = next((prefix for prefix in _BLOCKS if prefix and name.startswith(prefix)), "")
            rows[prefix] += _rows(name, name.removeprefix(prefix), value, decoded, now)
    blocks = tuple(Block(_BLOCKS[prefix], tuple(found)) for prefix, found in rows.items() if found)
    return Summary(escape(str(decoded["type"])), verdict, tone, blocks)


def _verdict(decoded: Mapping[str, Json], now: int) -> tuple[str, Tone]:
    if decoded["valid"] is not True:
        return "not valid", Tone.BAD
    if _has_expired(decoded, now):
        return "valid, but expired", Tone.CAREFUL
    unsigned = decoded["type"] == "bolt12 invoice_request" and "signature" not in decoded
    return ("valid, unsigned" if unsigned else "valid"), Tone.GOOD


def _has_expired(decoded: Mapping[str, Json], now: int) -> bool:
    """Return whether the string has expired.

    An invoice has its own expiry, which may be later than its offer's. A proof is about a payment and never expires.
    """
    ends = (_end(decoded, name) for name in (*_LIFETIMES, "offer_absolute_expiry"))
    end = next((end for end in ends if end is not None), None)
    return end is not None and end < now and "proof_preimage" not in decoded


def _end(decoded: Mapping[str, Json], name: str) -> int | None:
    """Return the time (Unix seconds) at which a field lets the string expire, or None if it does not."""
    value, start = decoded.get(name), decoded.get(_LIFETIMES.get(name, ""), 0)
    return value + start if isinstance(value, int) and isinstance(start, int) else None


def _rows(name: str, label: str, value: Json, decoded: Mapping[str, Json], now: int) -> Iterator[Line]:
    """Yield the row of one field. `label` is the field's name without the prefix of its block."""
    words = _words(label)
    if name.startswith("warning_"):
        yield Line(words, escape(str(value)), tone=Tone.BAD)
    elif name == "offer_amount" and isinstance(value, int):
        minor_unit = decoded.get("currency_minor_unit")
        decimals = minor_unit if isinstance(minor_unit, int) else None
        yield Line(words, format_currency(value, str(decoded.get("offer_currency", "")), decimals))
    elif name in _LIFETIMES and isinstance(value, int):
        end = _end(decoded, name)
        until = f", until {format_time(end, now)}" if end is not None and _LIFETIMES[name] in decoded else ""
        yield Line(words, format_duration(value) + until)
    else:
        yield _row(words, label, value, now)


def _row(words: str, label: str, value: Json, now: int) -> Line:
    """Return the row of a value that does not depend on other fields."""
    if isinstance(value, dict):
        return Line(words, rows=tuple(_row(_words(key), key, item, now) for key, item in value.items()))
    if isinstance(value, list):
        if not value:
            return Line(words, "none")
        return Line(words, rows=tuple(_row(str(number), label, item, now) for number, item in enumerate(value, 1)))
    if isinstance(value, bool):
        return Line(words, "yes" if value else "no")
    if isinstance(value, int):
        return Line(words, _number(label, value, now))
    text = str(value) or "(empty)"
    if label in _CHAIN_LABELS and text in _NETWORKS:
        return Line(words, _NETWORKS[text])
    is_hex = label not in _TEXTS and _HEX.fullmatch(text)
    return Line(words, shorten_hex(text) if is_hex else escape(text))


def _number(label: str, value: int, now: int) -> str:
    if label.endswith(_AMOUNT):
        return format_amount(value)
    return format_time(value, now) if label in _TIMES else str(value)


def _words(label: str) -> str:
    return label.removesuffix(_AMOUNT).replace("_", " ")


def format_amount(msat: int) -> str:
    """Return an amount in sat and msat: `1,500.250 sat (1,500,250 msat)`."""
    sat, rest = divmod(msat, 1000)
    return f"{sat:,}{f'.{rest:03}' if rest else ''} sat ({msat:,} msat)"


def format_currency(amount: int, currency: str, minor_unit: int | None) -> str:
    """Return an amount of a currency: `12.50 EUR`.

    `minor_unit` is the currency's number of decimals (ISO 4217). If it is None, the amount is printed undivided.
    """
    if minor_unit is None:
        return f"{amount:,} of the smallest unit of {escape(currency)}"
    whole, rest = divmod(amount, 10**minor_unit)
    return f"{whole:,}{f'.{rest:0{minor_unit}}' if minor_unit else ''} {escape(currency)}"


def format_time(time: int, now: int) -> str:
    """Return a time (Unix seconds) in the local time zone, and its distance from `now`."""
    try:
        local = datetime.fromtimestamp(time).astimezone()
    except (ValueError, OverflowError, OSError):
        return f"{time}, which no calendar has"
    distance = format_duration(abs(time - now))
    return f"{local:%Y-%m-%d %H:%M:%S %Z} ({f'in {distance}' if time >= now else f'{distance} ago'})"


def format_duration(seconds: int) -> str:
    """Return a duration in its largest unit and the next smaller one, if that is not zero: `2 days 3 hours`."""
    for (unit, size), (smaller, smaller_size) in pairwise(_UNITS):
        if seconds >= size:
            count, rest = divmod(seconds, size)
            more = rest // smaller_size
            return _counted(count, unit) + (f" {_counted(more, smaller)}" if more else "")
    return _counted(seconds, "second")


def shorten_hex(digits: str) -> str:
    """Return hex unchanged, or only its ends if it is long: `a1b2c3d4e5f6a7b8…a1b2c3d4e5f6a7b8 (64 bytes)`."""
    return digits if len(digits) <= _WHOLE_HEX_DIGITS else f"{digits[:16]}…{digits[-16:]} ({len(digits) // 2:,} bytes)"


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
