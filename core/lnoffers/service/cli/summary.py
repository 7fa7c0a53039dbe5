"""What `decode` answers, arranged for people: groups of rows with labels, amounts and times as people read them.

It goes by the names in the answer alone (`…_msat` is an amount, `warning_…` a warning), so that a new field needs
nothing here, and the seven types of answers are one to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lnoffers.bolt12 import CHAINS, Json
from lnoffers.service.cli import formats
from lnoffers.service.escaping import escape

Answer = Mapping[str, Json]

_GROUPS: Final = {
    "warning_": "Warnings",
    "offer_": "Offer",
    "invreq_": "Invoice request",
    "invoice_": "Invoice",
    "": "",  # where the signature of the message above stands: a proof has its own, and its invoice's
    "proof_": "Proof",
    "unknown_": "Unknown records",
}
"""By how names begin, in the order shown."""
_MOMENTS: Final = {"absolute_expiry", "created_at", "basetime", "recurrence_basetime"}
_LIFETIMES: Final = {"expiry": "created_at", "invoice_relative_expiry": "invoice_created_at"}
"""Spans that run from another time."""
_TEXTS: Final = {"alternatives", "currency", "description", "domain", "issuer", "name", "note", "payer_note"}
"""People's own words, which are shown whole even if they look like hex."""
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")
_AMOUNT: Final = "_msat"
_CHAIN_LABELS: Final = ("chain", "chains")
_NETWORKS: Final = {chain.hex(): network for network, chain in CHAINS.items()}
"""By the chain hash that stands in messages."""


class Tone(Enum):
    """What a text means to its reader."""

    PLAIN = "plain"
    GOOD = "good"
    CAREFUL = "careful"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Row:
    """A label and its value; or rows that belong under it. The texts print as they are."""

    label: str
    value: str = ""
    rows: tuple[Row, ...] = ()
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under a title, which may be empty."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a string is, whether it is good, and what it says."""

    title: str
    verdict: str
    tone: Tone
    groups: tuple[Group, ...]


def summarize(answer: Answer, now: int) -> Summary:
    """The answer for people. `now`, unix seconds, tells what has expired."""
    verdict, tone = _verdict(answer, now)
    rows: dict[str, list[Row]] = {prefix: [] for prefix in _GROUPS}
    for name, value in answer.items():
        if name not in ("type", "valid"):
            prefix = next((prefix for prefix in _GROUPS if prefix and name.startswith(prefix)), "")
            rows[prefix] += _rows(name, name.removeprefix(prefix), value, answer, now)
    groups = tuple(Group(_GROUPS[prefix], tuple(found)) for prefix, found in rows.items() if found)
    return Summary(escape(str(answer["type"])), verdict, tone, groups)


def _verdict(answer: Answer, now: int) -> tuple[str, Tone]:
    if answer["valid"] is not True:
        return "not valid", Tone.BAD
    if _has_expired(answer, now):
        return "valid, but expired", Tone.CAREFUL
    unsigned = answer["type"] == "bolt12 invoice_request" and "signature" not in answer
    return ("valid, unsigned" if unsigned else "valid"), Tone.GOOD


def _has_expired(answer: Answer, now: int) -> bool:
    """Whether the time is over: an invoice's own, whenever its offer ends; a proof, of what is paid, has none."""
    ends = (_end(answer, name) for name in (*_LIFETIMES, "offer_absolute_expiry"))
    end = next((end for end in ends if end is not None), None)
    return end is not None and end < now and "proof_preimage" not in answer


def _end(answer: Answer, name: str) -> int | None:
    """The time that a field sets an end to, unix seconds."""
    value, start = answer.get(name), answer.get(_LIFETIMES.get(name, ""), 0)
    return value + start if isinstance(value, int) and isinstance(start, int) else None


def _rows(name: str, label: str, value: Json, answer: Answer, now: int) -> Iterator[Row]:
    """The rows for one member of the answer, which `label` names within its group."""
    words = _words(label)
    if name.startswith("warning_"):
        yield Row(words, escape(str(value)), tone=Tone.BAD)
    elif name == "offer_amount" and isinstance(value, int):
        minor_unit = answer.get("currency_minor_unit")
        decimals = minor_unit if isinstance(minor_unit, int) else None
        yield Row(words, formats.currency_amount(value, str(answer.get("offer_currency", "")), decimals))
    elif name in _LIFETIMES and isinstance(value, int):
        end = _end(answer, name)
        until = f", until {formats.moment(end, now)}" if end is not None and _LIFETIMES[name] in answer else ""
        yield Row(words, formats.span(value) + until)
    else:
        yield _row(words, label, value, now)


def _row(words: str, label: str, value: Json, now: int) -> Row:
    """A row for a value that its own name explains."""
    if isinstance(value, dict):
        return Row(words, rows=tuple(_row(_words(key), key, item, now) for key, item in value.items()))
    if isinstance(value, list):
        if not value:
            return Row(words, "none")
        return Row(words, rows=tuple(_row(str(number), label, item, now) for number, item in enumerate(value, 1)))
    if isinstance(value, bool):
        return Row(words, "yes" if value else "no")
    if isinstance(value, int):
        return Row(words, _number(label, value, now))
    text = str(value) or "(empty)"
    if label in _CHAIN_LABELS and text in _NETWORKS:
        return Row(words, _NETWORKS[text])
    is_hex = label not in _TEXTS and _HEX.fullmatch(text)
    return Row(words, formats.bytes_in_hex(text) if is_hex else escape(text))


def _number(label: str, value: int, now: int) -> str:
    if label.endswith(_AMOUNT):
        return formats.amount(value)
    return formats.moment(value, now) if label in _MOMENTS else str(value)


def _words(label: str) -> str:
    return label.removesuffix(_AMOUNT).replace("_", " ")
