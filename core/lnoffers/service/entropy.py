"""The source of randomness, passed in so that a test can predict every key and string.

Only these draw from it: a new secret (16 bytes), an invoice_request's metadata (16), and the key of each blinded path
(32).
"""

from __future__ import annotations

import secrets
from typing import Protocol

from lnoffers.service.errors import ServiceError


class EntropyError(ServiceError):
    """Injected entropy has run out."""


class Entropy(Protocol):
    """A source of unpredictable bytes."""

    def draw(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises:
            EntropyError: if fewer are left; then none is used.
        """

    def mark(self) -> bytes:
        """Return what `reset` needs to undo every draw from now on."""

    def reset(self, mark: bytes) -> None:
        """Return the bytes drawn since `mark`, none of which has been used in an answer."""


class SystemEntropy:
    """The operating system's random number generator, which never runs out."""

    def draw(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        return secrets.token_bytes(size)

    def mark(self) -> bytes:
        """Return an empty mark: there is nothing to undo."""
        return b""

    def reset(self, mark: bytes) -> None:
        """Do nothing: the bytes were unpredictable anyway."""


class InjectedEntropy:
    """Bytes given in advance and returned in order; `repr` does not print them."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def draw(self, size: int) -> bytes:
        """Return the next `size` of the given bytes."""
        if size > len(self._left):
            raise EntropyError(f"Injected entropy has run out: {size} bytes needed, {len(self._left)} left")
        drawn, self._left = self._left[:size], self._left[size:]
        return drawn

    def mark(self) -> bytes:
        """Return the remaining bytes."""
        return self._left

    def reset(self, mark: bytes) -> None:
        """Go back to the bytes that remained at `mark`."""
        self._left = mark
