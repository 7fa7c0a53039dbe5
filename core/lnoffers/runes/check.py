"""Check a call against a rune's restrictions. Whether the rune is genuine is another question (`codes`).

A condition can compare these fields of a call: `time` (Unix seconds), `id` (of the node that calls), `method`, `pnum`
(the number of parameters), `pnameX` (a parameter by name), `parrN` (a parameter by position), and `pinvX_amount`,
`pinvX_description` and `pinvX_node`, which read parameter X as an invoice. `rate=N` (uses per minute) and `per=…`
(time between uses) need the time of the last use. No call has other fields.

Source: Core Lightning, lightningd/runes.c and ccan/rune.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from lnoffers import bolt11
from lnoffers.bolt12 import Bolt12Error, Invoice
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.runes.rune import Alternative, Rune

Value: TypeAlias = bytes | int | None
"""A field's: text, or a number from -2^63 to 2^63 - 1; None if the call does not have it."""

MAX_INVOICE: Final = 17_408
"""Characters of an invoice in a parameter. The slowest of this length takes 11 ms to parse."""
_SECOND: Final = 10**9
_SUFFIXES: Final = MappingProxyType(
    {
        b"": _SECOND,
        b"nsec": 1,
        b"usec": 10**3,
        b"msec": 10**6,
        b"sec": _SECOND,
        b"min": 60 * _SECOND,
        b"hour": 3600 * _SECOND,
        b"day": 86_400 * _SECOND,
    }
)
"""Nanoseconds."""
_COUNT_END: Final = 2**32 - 1
_SPACE: Final = rb"[ \t\n\v\f\r]*+"
_count: Final = re.compile(_SPACE + rb"\+?0*+([0-9]{1,10})(?![0-9])(.*+)", re.DOTALL).fullmatch
_integer: Final = re.compile(_SPACE + rb"([+-]?)(?=[0-9])0*+([0-9]{0,19})").fullmatch
_json_integer: Final = re.compile(rb"-?[0-9]{1,19}").fullmatch
_INTEGERS: Final = range(-(2**63), 2**63)


@typechecked
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The call that a rune should permit.

    Attributes:
        method: as written in the request, without quotes; None if it is not known.
        parameters: JSON tokens as written, by the names that conditions use: `pnameX` and `parrN`.
        count: of the parameters.
        node_id: of the node that calls, 66 hex digits; None if it is not known.
        time_ns: now, Unix time in nanoseconds.
        last_used_ns: when a rune with the same id permitted a call, Unix time in nanoseconds; None: never.
    """

    method: bytes | None = None
    parameters: Mapping[bytes, bytes] = field(default_factory=dict)
    count: int = 0
    node_id: bytes | None = None
    time_ns: int
    last_used_ns: int | None = None


@typechecked
def refusal(rune: Rune, call: Call) -> str | None:
    """Return why a rune's restrictions do not permit a call, in Core Lightning's words; None if they do.

    Bytes that are not UTF-8 become U+FFFD there.
    """
    examination = _Examination(call)
    for restriction in rune.conditions:
        reasons = list[bytes]()
        for alternative in restriction:
            reason = examination.reason(alternative)
            if reason is None:
                break
            reasons.append(reason)
        else:
            return b" AND ".join(reasons).decode(errors="replace")
    return None


class _RefusedError(Exception):
    """A condition fails for a reason that has nothing to do with its comparison."""

    def __init__(self, reason: bytes) -> None:
        super().__init__(reason)
        self.reason = reason


class _Examination:
    """Examines the conditions of one rune. It parses each invoice once, however many conditions read it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._invoices: dict[bytes, bolt11.Invoice | Invoice] = {}

    def reason(self, alternative: Alternative) -> bytes | None:
        """Return why a condition does not hold; None if it does."""
        try:
            match alternative.name:
                case b"rate":
                    return self._too_soon(_interval_of_rate(alternative))
                case b"per":
                    return self._too_soon(_interval(alternative))
            return _failure(alternative, self._value(alternative.name))
        except _RefusedError as refused:
            return refused.reason

    def _too_soon(self, interval: int) -> bytes | None:
        call = self._call
        if call.last_used_ns is None or call.time_ns - call.last_used_ns >= interval:
            return None
        return b"too soon"

    def _value(self, name: bytes) -> Value:
        call = self._call
        match name:
            case b"time":
                return call.time_ns // _SECOND
            case b"id":
                return call.node_id
            case b"method":
                return call.method
            case b"pnum":
                return call.count
        if name.startswith(b"pinv"):
            return self._invoice_value(name.removeprefix(b"pinv"))
        token = call.parameters.get(name)
        return None if token is None else _value_of(token)

    def _invoice_value(self, name: bytes) -> Value:
        parameter, separator, part = name.rpartition(b"_")
        if not separator or part not in (b"amount", b"description", b"node"):
            raise _RefusedError(b"Unknown invoice field " + name)
        invoice = self._invoice(parameter)
        if isinstance(invoice, bolt11.Invoice):
            amount, description, node_id = invoice.amount_msat, invoice.description, invoice.payee
        else:
            amount, description = invoice.invoice_amount, invoice.offer_description
            node_id = invoice.offer_issuer_id or b""
        match part:
            case b"amount":
                return amount
            case b"node":
                return node_id.hex().encode() or None
        return None if description is None else description.encode()

    def _invoice(self, parameter: bytes) -> bolt11.Invoice | Invoice:
        if parameter not in self._invoices:
            token = self._call.parameters.get(b"pname" + parameter)
            if token is None:
                raise _RefusedError(b"Unknown invoice parameter " + parameter)
            self._invoices[parameter] = _parsed(_content(token).decode())
        return self._invoices[parameter]


def _parsed(text: str) -> bolt11.Invoice | Invoice:
    """Return the invoice that a parameter contains, with a valid signature."""
    string = text.removeprefix("lightning:" if text.startswith("lightning:") else "LIGHTNING:")
    if len(string) > MAX_INVOICE:
        raise _RefusedError(b"Invalid invoice: more than %d characters" % MAX_INVOICE)
    try:
        if not string.lower().startswith("lni"):
            return bolt11.Invoice.parse(string)
        invoice = Invoice.parse(string)
        if invoice.has_valid_signature():
            return invoice
    except (bolt11.Bolt11Error, Bolt12Error) as error:
        raise _RefusedError(f"Invalid invoice: {error}".encode()) from error
    raise _RefusedError(b"Invalid invoice: its signature is not valid")


def _content(token: bytes) -> bytes:
    return token[1:-1] if token.startswith(b'"') else token


def _value_of(token: bytes) -> Value:
    """Return the value of a parameter: a number if it is a whole one, else its text as written."""
    return int(token) if _json_integer(token) and int(token) in _INTEGERS else _content(token)


def _interval_of_rate(alternative: Alternative) -> int:
    """Return the nanoseconds between two uses at a rate for each minute."""
    if alternative.condition != "=":
        raise _RefusedError(b"rate operator must be =")
    count, rest = _counted(alternative.value)
    if rest or not 0 < count < _COUNT_END:
        raise _RefusedError(b"malformed rate")
    return 60 * _SECOND // count


def _interval(alternative: Alternative) -> int:
    """Return the nanoseconds between two uses."""
    if alternative.condition != "=":
        raise _RefusedError(b"per operator must be =")
    count, suffix = _counted(alternative.value)
    if not 0 < count < _COUNT_END:
        raise _RefusedError(b"malformed per")
    if suffix not in _SUFFIXES:
        raise _RefusedError(b"malformed suffix")
    interval = count * _SUFFIXES[suffix]
    if interval >= 1 << 64:
        raise _RefusedError(b"per overflow")
    return interval


def _counted(value: bytes) -> tuple[int, bytes]:
    """Return the number at the start of a value, and what follows; 0 if there is none, or it is too long."""
    found = _count(value)
    return (int(found[1]), found[2]) if found else (0, b"")


def _failure(alternative: Alternative, value: Value) -> bytes | None:
    """Return why a condition does not hold for a field's value; None if it does."""
    name, wanted = alternative.name, alternative.value
    match alternative.condition:
        case "#":
            return None
        case "!":
            return None if value is None else name + b" is present"
        case "<" | ">" as condition:
            return _failed_order(name, wanted, value, is_less=condition == "<")
    if value is None:
        return name + b" not present"
    text = value if isinstance(value, bytes) else b"%d" % value
    complaint, holds = {
        "=": (b"is not equal to", text == wanted),
        "/": (b"is equal to", text != wanted),
        "^": (b"does not start with", text.startswith(wanted)),
        "$": (b"does not end with", text.endswith(wanted)),
        "~": (b"does not contain", wanted in text),
        "{": (b"is equal to or ordered after", text < wanted),
        "}": (b"is equal to or ordered before", text > wanted),
    }[alternative.condition]
    return None if holds else b"%b %b %b" % (name, complaint, wanted)


def _failed_order(name: bytes, wanted: bytes, value: Value, *, is_less: bool) -> bytes | None:
    if value is None:
        return name + b" not present"
    if isinstance(value, bytes):
        return name + b" is not an integer field"
    limit = _whole(wanted)
    if limit is None:
        return wanted + b" is not a valid integer"
    if value < limit if is_less else value > limit:
        return None
    return b"%b is %b or equal to %b" % (name, b"greater" if is_less else b"less", wanted)


def _whole(text: bytes) -> int | None:
    """Return the number that C's strtol would read from the whole text."""
    found = _integer(text)
    if found is None:
        return None
    number = int(found[2] or b"0") * (-1 if found[1] == b"-" else 1)
    return number if number in _INTEGERS else None
