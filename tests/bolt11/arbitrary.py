"""Random invoices with all kinds of fields, for the tests that write them."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from lnoffers import bech32
from lnoffers.bolt11 import CHAINS, Fallback, RouteHop, UnknownField
from lnoffers.bolt11.fallbacks import P2PKH, P2SH
from lnoffers.bolt12 import KeyPair
from lnoffers.bolt12.features import bitmap

CHARACTERS: Final = 'az AZ09"\\/<\n\té☕杯'
FREE_LETTERS: Final = "qzgytv0w".replace("t", "")
"""Letters that no field has."""
LENGTHS: Final = {P2PKH: (20,), P2SH: (20,), 0: (20, 32), 1: (32,)}


def key(random: Random) -> KeyPair:
    """Return a key pair of somebody."""
    return KeyPair(random.randbytes(31).rjust(32, b"\1"))


def number(random: Random, bits: int) -> int:
    """Return a number of at most so many bits, small ones as often as large ones."""
    return random.getrandbits(random.randint(1, bits))


def hop(random: Random) -> RouteHop:
    """Return a hop of a route."""
    numbers = (number(random, bits) for bits in (64, 32, 32, 16))
    return RouteHop(key(random).public_key, *numbers)


def fallback(random: Random) -> Fallback:
    """Return an output of any known version."""
    version = random.randint(0, P2SH)
    return Fallback(version, random.randbytes(random.choice(LENGTHS.get(version, range(2, 41)))))


def unknown_field(random: Random) -> UnknownField:
    """Return a field that readers do not know."""
    data = "".join(random.choice(bech32.ALPHABET) for _ in range(random.randint(0, 20)))
    return UnknownField(random.choice(FREE_LETTERS), data)


def several(random: Random, make: Any, most: int = 3) -> tuple[Any, ...]:
    """Return none to `most` things."""
    return tuple(make(random) for _ in range(random.randint(0, most)))


def arguments(random: Random, currencies: tuple[str, ...] = tuple(CHAINS)) -> dict[str, Any]:
    """Return arguments for `Invoice.build`: those that are required, and some of the others."""
    said = "".join(random.choice(CHARACTERS) for _ in range(random.randint(0, 60)))
    optional = {
        "amount_msat": 1 + number(random, 50),
        "expiry": number(random, 60),
        "min_final_cltv_expiry": number(random, 32),
        "payment_metadata": random.randbytes(random.randint(0, 100)),
        "features": bitmap({8, 15, *(2 * random.randint(8, 60) + 1 for _ in range(3))}),
        "fallbacks": several(random, fallback),
        "routes": tuple(route for route in several(random, lambda _: several(random, hop)) if route),
        "unknown_fields": several(random, unknown_field),
    }
    return {
        "chain": CHAINS[random.choice(currencies)],
        "timestamp": number(random, 35),
        "payment_hash": random.randbytes(32),
        "payment_secret": random.randbytes(32),
        **random.choice(({"description": said}, {"description_hash": random.randbytes(32)})),
        **{name: value for name, value in optional.items() if random.random() < 0.6},
    }
