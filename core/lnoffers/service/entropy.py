"""The source of randomness, passed in so that a test can predict every key and string.

Only these draw from it: a new secret (16 bytes), an invoice_request's metadata (16), and the key of each blinded path
(32).
"""

from __future__ import annotations

import secrets

from lnoffers.service.errors import ServiceError


class EntropyError(ServiceError):
    """Injected entropy has run out."""


class Entropy:
    """Unpredictable bytes of the operating system, which never run out."""

    def draw(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises:
            EntropyError: if fewer are left; then none is used.
        """
        return secrets.token_bytes(size)

    def mark(self) -> bytes:
        """Return what `reset` needs to undo every draw from now on."""
        return b""

    def reset(self, mark: bytes) -> None:
        """Return the bytes drawn since `mark`, none of which has been used in an answer."""


class InjectedEntropy(Entropy):
    """Bytes given in advance and returned in order; `repr` does not print them."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def draw(self, size: int) -> bytes:
        if size > len(self._left):
            raise EntropyError(f"Injected entropy has run out: {size} bytes needed, {len(self._left)} left")
        drawn, self._left = self._left[:size], self._left[size:]
        return drawn

    def mark(self) -> bytes:
        return self._left

    def reset(self, mark: bytes) -> None:
        self._left = mark
