"""Messages of ours with something broken, or at least changed: in their records, their stream, their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Final

from lnoffers.bolt12 import Offer
from lnoffers.bolt12.encoding import encode_text
from lnoffers.bolt12.tlv import Record, write_records
from tests.bolt12.samples import resigned
from tests.crosscheck.made import Made

_CHARACTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7lb1+ Q"
_TYPES: Final = (1, 3, 78, 79, 81, 87, 159, 161, 200, 239, 241, 999, 1_001, 1_000_000_001, 2_000_000_001, 3_000_000_001)
_SIGNED_ANEW: Final = 0.8


def mutants(made: Iterable[Made], seed: int) -> Iterator[tuple[str, str]]:
    """Yield one mutant of each message: the change, and the string. They are the same for the same seed."""
    random = Random(seed)
    for each in made:
        (make,) = random.choices((_by_records, _by_stream, _by_text), (6, 3, 1))
        yield make(random, each)


def _by_records(random: Random, made: Made) -> tuple[str, str]:
    """Return a mutant, mostly signed again, so that the change is not found by the signature alone."""
    change, message = random.choice(_OF_RECORDS), made.message
    records, how = change(random, list(message.records)), _name(change)
    if made.signer is not None and not isinstance(message, Offer) and random.random() < _SIGNED_ANEW:
        records, how = resigned(type(message), records, made.signer), f"{how}, signed anew"
    return how, encode_text(message.prefix, write_records(records))


def _by_stream(random: Random, made: Made) -> tuple[str, str]:
    change = random.choice(_OF_STREAMS)
    return _name(change), encode_text(made.message.prefix, change(random, list(made.message.records)))


def _by_text(random: Random, made: Made) -> tuple[str, str]:
    text = made.message.encode()
    at = random.randrange(len(text))
    return "character changed", text[:at] + random.choice(_CHARACTERS) + text[at + 1 :]


def _name(change: Callable[..., object]) -> str:
    return change.__name__.removeprefix("_").replace("_", " ")


# ---- changes of records


def _value_flipped(random: Random, records: list[Record]) -> list[Record]:
    return _with_value(random, records, lambda value: _flip(random, value) if value else b"\1")


def _value_emptied(random: Random, records: list[Record]) -> list[Record]:
    return _with_value(random, records, lambda _: b"")


def _value_longer(random: Random, records: list[Record]) -> list[Record]:
    return _with_value(random, records, lambda value: value + b"\1")


def _value_shorter(random: Random, records: list[Record]) -> list[Record]:
    return _with_value(random, records, lambda value: value[:-1])


def _record_removed(random: Random, records: list[Record]) -> list[Record]:
    records.remove(random.choice(records))
    return records


def _record_added(random: Random, records: list[Record]) -> list[Record]:
    return sorted([*records, Record.build(random.choice(_TYPES), random.randbytes(random.randrange(9)))])


def _with_value(random: Random, records: list[Record], change: Callable[[bytes], bytes]) -> list[Record]:
    at = random.randrange(len(records))
    records[at] = Record.build(records[at].type, change(records[at].value))
    return records


_OF_RECORDS: Final = (
    _value_flipped,
    _value_emptied,
    _value_longer,
    _value_shorter,
    _record_removed,
    _record_added,
)


# ---- changes of the stream


def _bit_flipped(random: Random, records: list[Record]) -> bytes:
    return _flip(random, write_records(records))


def _truncated(random: Random, records: list[Record]) -> bytes:
    stream = write_records(records)
    return stream[: random.randrange(len(stream))]


def _records_swapped(random: Random, records: list[Record]) -> bytes:
    one, other = random.randrange(len(records)), random.randrange(len(records))
    records[one], records[other] = records[other], records[one]
    return write_records(records)


def _record_doubled(random: Random, records: list[Record]) -> bytes:
    at = random.randrange(len(records))
    return write_records([*records[: at + 1], *records[at:]])


_OF_STREAMS: Final = (_bit_flipped, _truncated, _records_swapped, _record_doubled)


def _flip(random: Random, data: bytes) -> bytes:
    bit = random.randrange(8 * len(data))
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
