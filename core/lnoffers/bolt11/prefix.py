"""The prefix of an invoice, before its last `1`: `ln`, the chain's currency, and an optional amount.

BOLT 11, "Human-Readable Part".
"""

from __future__ import annotations

import re
from typing import Final

from lnoffers.bolt11.chains import CHAINS, Chain
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt12.typecheck import typechecked

_FORM: Final = re.compile(r"([^0-9]*)(.*)")
_AMOUNT: Final = re.compile(r"([0-9]+)(.*?)([munp]?)")
_MULTIPLIERS: Final = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}
"""Factors to tenths of a millisatoshi, the smallest amount that can be written; the largest first."""
_MAX_TENTHS: Final = 2**64 - 1
_MAX_DIGITS: Final = 20  # of the largest number of 64 bits
_SHOWN: Final = 100
"""How many characters of a wrong prefix an error quotes: answers may be logged."""


def read_prefix(text: str) -> tuple[Chain, int | None]:
    """Return the chain, and the amount in millisatoshi or None.

    Raises:
        Bolt11Error: for an unknown chain, or an amount that is not a number with an optional m, u, n or p, is not a
            whole number of millisatoshi, or does not fit into 64 bits.
    """
    form = _FORM.fullmatch(text)
    assert form is not None  # anything has this form
    name, amount = form.groups()
    if not name.startswith("ln"):
        raise Bolt11Error(f"Prefix '{_shown(name)}' does not start with ln")
    chain = CHAINS.get(name[2:])
    if chain is None:
        raise Bolt11Error(f"Unknown chain {_shown(name[2:])}")
    return chain, _read_amount(amount) if amount else None


def write_prefix(chain: Chain, amount_msat: int | None) -> str:
    """Return the prefix for a chain and an amount in millisatoshi, in the shortest form.

    Raises:
        Bolt11Error: if the amount is not positive, or too large for a reader.
    """
    return f"ln{chain.currency}{'' if amount_msat is None else _write_amount(amount_msat)}"


@typechecked
def has_prefix(text: str) -> bool:
    """Return whether a string has the prefix of an invoice before its last `1`, whatever follows."""
    try:
        read_prefix(text.rpartition("1")[0])
    except Bolt11Error:
        return False
    return True


def _read_amount(text: str) -> int:
    form = _AMOUNT.fullmatch(text)
    assert form is not None  # it begins with a digit
    digits, rest, multiplier = form.groups()
    if len(digits.lstrip("0")) > _MAX_DIGITS:
        raise Bolt11Error(f"Invalid amount '{_shown(digits)}'")
    if rest:
        raise Bolt11Error(f"Invalid amount postfix '{_shown(rest)}'")
    tenths = int(digits.lstrip("0") or "0") * _MULTIPLIERS[multiplier]
    if tenths > _MAX_TENTHS:
        raise Bolt11Error(f"Invalid amount '{_shown(digits)}'", "there is not so much bitcoin")
    if tenths % 10:
        raise Bolt11Error(f"Invalid sub-millisatoshi amount '{_shown(digits)}p'")
    return tenths // 10


def _write_amount(amount_msat: int) -> str:
    tenths = 10 * amount_msat
    if not 0 < tenths <= _MAX_TENTHS:
        raise Bolt11Error(
            f"amount_msat: {amount_msat} is not from 1 to {_MAX_TENTHS // 10}; leave it out to let the payer choose"
        )
    # The largest factor leaves the fewest digits.
    letter, factor = next(each for each in _MULTIPLIERS.items() if tenths % each[1] == 0)
    return f"{tenths // factor}{letter}"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
