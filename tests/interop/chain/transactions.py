"""Transactions, read from and written to Bitcoin's own format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

_SEGWIT_MARKER: Final = b"\0\1"
_FINAL: Final = b"\xff\xff\xff\xff"
"""The sequence number of an input that waits for nothing."""


class Outpoint(NamedTuple):
    """The output of a transaction that an input spends. The txid is hex, in the order in which people write it."""

    txid: str
    vout: int


COINBASE_OUTPOINT: Final = Outpoint("00" * 32, 0xFFFFFFFF)
"""What the input of a block's first transaction names, for it spends nothing."""


class Output(NamedTuple):
    """An amount in satoshi, and the script that says who can spend it."""

    amount_sat: int
    script: bytes


@dataclass(frozen=True)
class Transaction:
    """A transaction as far as the stand-in looks into it, and its bytes, witnesses included."""

    raw: bytes
    txid: str
    inputs: tuple[Outpoint, ...]
    outputs: tuple[Output, ...]


class Reader:
    """Reads numbers and bytes from the front of some data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, length: int) -> bytes:
        """Return the next bytes.

        Raises:
            ValueError: If fewer are left.
        """
        taken = self.data[self.position : self.position + length]
        if len(taken) != length:
            raise ValueError(f"{length} bytes expected at {self.position}, {len(taken)} found")
        self.position += length
        return taken

    def number(self, length: int) -> int:
        """Return a little-endian number of `length` bytes."""
        return int.from_bytes(self.take(length), "little")

    def size(self) -> int:
        """Return a compact size: one byte, or a mark and two, four or eight."""
        first = self.number(1)
        return first if first < 0xFD else self.number(1 << first - 0xFC)

    def transaction(self) -> Transaction:
        """Return the next transaction.

        Raises:
            ValueError: If there is none.
        """
        start = self.position
        version = self.take(4)
        has_witnesses = self.data[self.position : self.position + 2] == _SEGWIT_MARKER
        if has_witnesses:
            self.take(2)
        core_start = self.position
        inputs = tuple(self._input() for _ in range(self.size()))
        outputs = tuple(self._output() for _ in range(self.size()))
        core = self.data[core_start : self.position]
        if has_witnesses:
            for _ in inputs:
                for _ in range(self.size()):
                    self.take(self.size())
        lock_time = self.take(4)
        # A txid covers everything but the witnesses.
        txid = double_sha256(version + core + lock_time)[::-1].hex()
        return Transaction(self.data[start : self.position], txid, inputs, outputs)

    def _input(self) -> Outpoint:
        outpoint = Outpoint(self.take(32)[::-1].hex(), self.number(4))
        self.take(self.size())  # its script
        self.take(4)  # its sequence number
        return outpoint

    def _output(self) -> Output:
        return Output(self.number(8), self.take(self.size()))


def read_transaction(raw: bytes) -> Transaction:
    """Return the transaction that the bytes are.

    Raises:
        ValueError: If they are none, or more than one.
    """
    reader = Reader(raw)
    transaction = reader.transaction()
    if reader.position != len(raw):
        raise ValueError(f"{len(raw) - reader.position} bytes follow the transaction")
    return transaction


def make_transaction(spent: Outpoint, outputs: Sequence[Output], *, script: bytes = b"") -> Transaction:
    """Return a transaction with one input, which needs no witness; `script` is the input's."""
    parts = [
        (2).to_bytes(4, "little"),
        compact_size(1),
        bytes.fromhex(spent.txid)[::-1],
        spent.vout.to_bytes(4, "little"),
        compact_size(len(script)),
        script,
        _FINAL,
        compact_size(len(outputs)),
    ]
    for output in outputs:
        parts += [output.amount_sat.to_bytes(8, "little"), compact_size(len(output.script)), output.script]
    parts.append(bytes(4))  # no lock time
    return read_transaction(b"".join(parts))


def compact_size(value: int) -> bytes:
    """Return a number as `Reader.size` reads it."""
    if value < 0xFD:
        return value.to_bytes(1, "little")
    mark = next(mark for mark in (0xFD, 0xFE, 0xFF) if value >> (8 << mark - 0xFC) == 0)
    return bytes((mark,)) + value.to_bytes(1 << mark - 0xFC, "little")


def double_sha256(data: bytes) -> bytes:
    """Return the hash that Bitcoin uses for blocks and transactions, in wire order."""
    return sha256(sha256(data).digest()).digest()
