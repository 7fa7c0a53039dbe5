"""Randomness, passed in so that a test can foretell every key and string.

Only these draw from it, in the order they happen: a new secret (16 bytes), an invoice_request's metadata (16), and the
key of each blinded path (32).
"""

from __future__ import annotations

import secrets
from typing import Protocol


class EntropyError(Exception):
    """Injected entropy has run out."""


class Entropy(Protocol):
    """A source of unpredictable bytes."""

    def draw(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            EntropyError: if fewer are left; then none is taken.
        """

    def mark(self) -> bytes:
        """Return what `reset` needs to undo every draw from now on."""

    def reset(self, mark: bytes) -> None:
        """Undo what was drawn since `mark`: nobody has seen what came of it."""


class SystemEntropy:
    """The operating system's randomness, which never runs out."""

    def draw(self, size: int) -> bytes:
        """The next `size` bytes."""
        return secrets.token_bytes(size)

    def mark(self) -> bytes:
        """There is nothing to undo."""
        return b""

    def reset(self, mark: bytes) -> None:
        """Nobody can tell."""


class InjectedEntropy:
    """Bytes given beforehand and served in order; `repr` does not show them."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def draw(self, size: int) -> bytes:
        """The next `size` bytes of what was given."""
        if size > len(self._left):
            raise EntropyError(f"Injected entropy has run out: {size} bytes needed, {len(self._left)} left")
        drawn, self._left = self._left[:size], self._left[size:]
        return drawn

    def mark(self) -> bytes:
        """Return what is left."""
        return self._left

    def reset(self, mark: bytes) -> None:
        """Serve again what was left then."""
        self._left = mark
