"""Blocks: regtest's first one, and new ones with the little work that regtest asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Final

from .transactions import (
    COINBASE_OUTPOINT,
    Output,
    Reader,
    Transaction,
    compact_size,
    double_sha256,
    make_transaction,
    read_transaction,
)

REWARD_SAT: Final = 5_000_000_000
ANYONE: Final = b"\x51"
"""The script whose output anyone can spend, with an empty input script."""

_BITS: Final = 0x207FFFFF
"""Regtest's target in the compact form of headers: every second hash meets it."""
_TARGET: Final = 0x7FFFFF << 8 * (0x20 - 3)
_VERSION: Final = 0x20000000
_HEADER_LENGTH: Final = 80

# The first transaction of every Bitcoin chain: its input holds a headline of 3 January 2009.
_GENESIS_MESSAGE: Final = (
    b"\x04\xff\xff\x00\x1d\x01\x04EThe Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
)
_GENESIS_KEY: Final = bytes.fromhex(
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
)
_GENESIS_TIME: Final = 1296688602
_GENESIS_NONCE: Final = 2


@dataclass(frozen=True)
class Block:
    """A block, and the hash that names it: hex, in the order in which people write it."""

    raw: bytes
    hash: str
    time: int
    transactions: tuple[Transaction, ...]


@lru_cache(maxsize=1024)
def read_block(raw: bytes) -> Block:
    """Return the block that the bytes are.

    Raises:
        ValueError: If they are none.
    """
    reader = Reader(raw)
    header = reader.take(_HEADER_LENGTH)
    transactions = tuple(reader.transaction() for _ in range(reader.size()))
    time = int.from_bytes(header[68:72], "little")
    return Block(raw, double_sha256(header)[::-1].hex(), time, transactions)


def make_block(previous: Block, height: int, time: int, transactions: Sequence[Transaction]) -> Block:
    """Return a block after `previous`, whose coinbase anyone can spend, followed by the transactions."""
    # A coinbase begins with its block's height (BIP 34), which also keeps two coinbases from having the same txid.
    number = height.to_bytes(4, "little")
    coinbase = make_transaction(
        COINBASE_OUTPOINT, [Output(REWARD_SAT, ANYONE)], script=compact_size(len(number)) + number
    )
    return _mined(_VERSION, bytes.fromhex(previous.hash)[::-1], time, [coinbase, *transactions], first_nonce=0)


def genesis_block() -> Block:
    """Return regtest's first block."""
    script = compact_size(len(_GENESIS_KEY)) + _GENESIS_KEY + b"\xac"
    made = make_transaction(COINBASE_OUTPOINT, [Output(REWARD_SAT, script)], script=_GENESIS_MESSAGE)
    coinbase = read_transaction(b"\1" + made.raw[1:])  # in those days transactions were of version 1
    return _mined(1, bytes(32), _GENESIS_TIME, [coinbase], first_nonce=_GENESIS_NONCE)


def merkle_root(txids: Sequence[str]) -> bytes:
    """Return the root of the tree over the txids, in wire order. A row of odd length repeats its last hash."""
    row = [bytes.fromhex(txid)[::-1] for txid in txids]
    while len(row) > 1:
        row += row[-1:] * (len(row) % 2)
        row = [double_sha256(left + right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def _mined(version: int, previous: bytes, time: int, transactions: list[Transaction], *, first_nonce: int) -> Block:
    start = b"".join(
        (
            version.to_bytes(4, "little"),
            previous,
            merkle_root([transaction.txid for transaction in transactions]),
            time.to_bytes(4, "little"),
            _BITS.to_bytes(4, "little"),
        )
    )
    headers = (start + nonce.to_bytes(4, "little") for nonce in count(first_nonce))
    header = next(header for header in headers if int.from_bytes(double_sha256(header), "little") <= _TARGET)
    return read_block(header + compact_size(len(transactions)) + b"".join(each.raw for each in transactions))
