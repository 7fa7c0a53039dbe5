"""Frames of BOLT 8: the encrypted length of a message, then the encrypted message.

    length, 2 bytes big-endian | tag, 16 bytes | message, 0 to 65535 bytes | tag, 16 bytes

Each direction has its own key, and a nonce that counts the texts encrypted with it. After a thousand texts the key is
replaced by one derived from it and the chaining key. So a stolen key does not decrypt earlier messages.

A frame's length is decrypted once, when its 18 bytes have arrived, and its message once, when it is complete. So the
work per byte is constant, however the bytes are split.
"""

from __future__ import annotations

from typing import Final, final

from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.crypto import TAG_LENGTH, Sealer, hkdf
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError

MAX_MESSAGE: Final = 0xFFFF
"""The length of the longest message, including its type."""
HEADER_LENGTH: Final = 2 + TAG_LENGTH
MAX_FRAME: Final = HEADER_LENGTH + MAX_MESSAGE + TAG_LENGTH
ROTATION: Final = 1000
"""The number of texts that one key encrypts: 500 messages and their lengths."""


@final
class _Rotating:
    """The rotating key of one direction. Its repr does not show it."""

    __slots__ = ("_chaining_key", "_count", "_key", "_sealer")

    def __init__(self, chaining_key: bytes, key: bytes) -> None:
        self._chaining_key = chaining_key
        self._key = key
        self._sealer = Sealer(key)
        self._count = 0

    def next(self) -> tuple[Sealer, bytes]:
        """Return the sealer and the nonce, 12 bytes, for the next text."""
        if self._count == ROTATION:
            self._chaining_key, self._key = hkdf(self._chaining_key, self._key)
            self._sealer = Sealer(self._key)
            self._count = 0
        nonce = bytes(4) + self._count.to_bytes(8, "little")
        self._count += 1
        return self._sealer, nonce


@typechecked
@final
class FrameWriter:
    """The writer of the frames that are sent."""

    __slots__ = ("_keys",)

    def __init__(self, chaining_key: bytes, key: bytes) -> None:
        self._keys = _Rotating(chaining_key, key)

    @typechecked
    def frame(self, message: bytes) -> bytes:
        """Return the frame of a message.

        Raises:
            LocalProtocolError: if it has more than 65535 bytes.
        """
        if len(message) > MAX_MESSAGE:
            raise LocalProtocolError(
                f"a message of {len(message)} bytes does not fit a frame: at most {MAX_MESSAGE} do"
            )
        sealer, nonce = self._keys.next()
        length = sealer.seal(nonce, len(message).to_bytes(2, "big"))
        sealer, nonce = self._keys.next()
        return length + sealer.seal(nonce, message)


@typechecked
@final
class FrameReader:
    """The reader of the frames that are received."""

    __slots__ = ("_due", "_keys")

    def __init__(self, chaining_key: bytes, key: bytes) -> None:
        self._keys = _Rotating(chaining_key, key)
        self._due: int | None = None

    @property
    def within_frame(self) -> bool:
        """Whether a message's length has been read, but not the message."""
        return self._due is not None

    @typechecked
    def read(self, buffer: bytearray) -> bytes | None:
        """Take the next message from the front of the buffer, or return None if it is not complete.

        Raises:
            RemoteProtocolError: if a tag is wrong: bytes were changed, repeated, left out or forged.
        """
        if self._due is None:
            if len(buffer) < HEADER_LENGTH:
                return None
            length = self._open(buffer, HEADER_LENGTH, "length")
            self._due = int.from_bytes(length, "big") + TAG_LENGTH
        if len(buffer) < self._due:
            return None
        message = self._open(buffer, self._due, "message")
        self._due = None
        return message

    def _open(self, buffer: bytearray, size: int, what: str) -> bytes:
        sealer, nonce = self._keys.next()
        text = sealer.open(nonce, bytes(buffer[:size]))
        if text is None:
            raise RemoteProtocolError(f"a frame's {what} has a wrong tag", hint=Hint.CLOSE)
        del buffer[:size]
        return text
