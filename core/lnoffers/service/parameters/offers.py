"""Parameters of `offer` that have a syntax of their own: prices, periods, paywindows, and the nodes of paths.

The functions parse texts and raise BadToken with lightningd's short text. `OF_OFFER` contains a converter for each of
the parameters, for the dispatcher. Source: Core Lightning, plugins/offers_offer.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from clnrpc.runtime.jsontext import JsonType, elements, json_type
from clnrpc.runtime.server.convert import (
    BadToken,
    Converter,
    content,
    msat,
    pubkey,
    raw_text,
    short_channel_id_dir,
    unsigned,
)
from lnoffers.bolt12 import Bolt12Error, Recurrence, RecurrencePaywindow, parse_currency_amount
from lnoffers.bolt12.recurrence import DAYS, MONTHS, SECONDS
from lnoffers.service.parameters.strings import label, with_text

_U32_MAX: Final = 2**32 - 1

MAX_NODES: Final = 255
"""The limit for the paths of one offer. Blinding a node takes as long as a signature, and no message holds more."""

_UNITS: Final = {
    "second": (SECONDS, 1),
    "minute": (SECONDS, 60),
    "hour": (SECONDS, 60 * 60),
    "day": (DAYS, 1),
    "week": (DAYS, 7),
    "month": (MONTHS, 1),
}
_period = re.compile(rf"0*([0-9]{{1,10}})({'|'.join(_UNITS)})s?").fullmatch
_decimals_of_sat = re.compile(rb"[0-9]++\.[0-9]++sat").fullmatch


class Price(NamedTuple):
    """The price of one item, in millisatoshi or in minor units of a currency; None if the payer decides."""

    amount: int | None
    currency: str | None = None


def price(given: int | str) -> Price:
    """Return the price for a converted `amount`: a number of millisatoshi, "any", or an amount in a currency."""
    if isinstance(given, int):
        return Price(given)
    if given == "any":
        return Price(None)
    try:
        return Price(*parse_currency_amount(given))
    except Bolt12Error as error:
        raise BadToken(str(error)) from None


def recurrence(text: str) -> Recurrence:
    """Parse a period such as `2weeks`."""
    matched = _period(text)
    if matched:
        unit, each = _UNITS[matched[2]]
        period = int(matched[1]) * each
        if period <= _U32_MAX:
            return Recurrence(unit, period)
    raise BadToken("not a valid time")


def paywindow(text: str) -> RecurrencePaywindow:
    """Parse the seconds before and after a period's start, such as `-3600+86400`."""
    before, plus, after = text.removeprefix("-").partition("+")
    if not text.startswith("-") or not plus:
        raise BadToken("expected -time+time")
    return RecurrencePaywindow(*(_seconds(part.encode()) for part in (before, after)))


_seconds: Final = with_text("expected number of seconds", unsigned(32))


def _amount(raw: bytes) -> int | str:
    text = content(raw)
    if text == b"any":
        return "any"
    try:
        if not _decimals_of_sat(text):  # which only invoicerequest takes
            amount: int = msat(raw)
            return amount
    except BadToken:
        pass
    price(text.decode())
    return text.decode()


def _checked(parse: Callable[[str], object]) -> Converter:
    """Return a converter for a token whose text `parse` accepts. The text itself is the value."""

    def convert(raw: bytes) -> str:
        text = raw_text(raw)
        parse(text)
        return text

    return convert


def _nodes(raw: bytes) -> list[str]:
    if json_type(raw) is not JsonType.ARRAY:
        raise BadToken("should be an array of nodes")
    tokens = elements(raw)
    _check_count(len(tokens))
    return [_node(token, f"[{index}]") for index, token in enumerate(tokens)]


def _node(token: bytes, place: str, otherwise: str = "invalid pubkey") -> str:
    try:
        node_id: str = pubkey(token)
    except BadToken:
        raise BadToken(otherwise, place, token, names_place=False) from None
    return node_id


def _paths(raw: bytes) -> list[list[str]]:
    if json_type(raw) is not JsonType.ARRAY:
        raise BadToken("Must be array")
    paths = [(token, elements(token) if json_type(token) is JsonType.ARRAY else []) for token in elements(raw)]
    _check_count(sum(len(nodes) for _, nodes in paths))
    return [_path(token, f"[{index}]", nodes) for index, (token, nodes) in enumerate(paths)]


def _path(raw: bytes, place: str, nodes: Sequence[bytes]) -> list[str]:
    if not nodes:
        raise BadToken("Must be array of non-empty arrays", place, raw, names_place=False)
    first, *others = nodes
    return [_entry(first, f"{place}[0]"), *(_node(node, f"{place}[{index}]") for index, node in enumerate(others, 1))]


def _check_count(nodes: int) -> None:
    if nodes > MAX_NODES:
        raise BadToken(f"should have {MAX_NODES} nodes at most")


def _entry(token: bytes, place: str) -> str:
    """Convert the first node of a path. A channel could name it too, but no channel is known here."""
    try:
        short_channel_id_dir(token)
    except BadToken:
        return _node(token, place, "invalid pubkey/sciddir")
    raise BadToken("unknown sciddir", place, token, names_place=False)


OF_OFFER: Final[Mapping[str, Converter]] = {
    "amount": _amount,
    "label": label,
    "recurrence": _checked(recurrence),
    "recurrence_base": with_text("not a valid basetime", unsigned(64)),
    "recurrence_paywindow": _checked(paywindow),
    "recurrence_limit": with_text("should be an integer", unsigned(32)),
    "fronting_nodes": _nodes,
    "dev_paths": _paths,
}
