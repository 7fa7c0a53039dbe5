"""Draws that depend only on their key: the same in every run, process and release of Python.

A value is drawn at its place in the answer, so a field that is added or left out changes no other value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draw:
    """One place at which values are drawn. Each method always returns the same for the same arguments."""

    key: bytes

    @classmethod
    def of(cls, *parts: str) -> Draw:
        """Return the draw whose key is made of `parts`."""
        return cls(sha256("\0".join(parts).encode()).digest())

    def at(self, place: str | int) -> Draw:
        """Return the draw at a place inside of this one."""
        return Draw(sha256(self.key + str(place).encode()).digest())

    def data(self, length: int) -> bytes:
        """Return `length` bytes."""
        blocks = (sha256(self.key + b"\0%d" % block).digest() for block in range((length + 31) // 32))
        return b"".join(blocks)[:length]

    def below(self, end: int) -> int:
        """Return an integer from 0 to `end` - 1."""
        return int.from_bytes(self.key) % end

    def between(self, least: int, most: int) -> int:
        """Return an integer from `least` to `most`, both included."""
        return least + self.below(most - least + 1)

    def choice(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[self.below(len(choices))]
