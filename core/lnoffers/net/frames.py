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
from lnoffers.net.crypto import TAG_LENGTH, hkdf, open_sealed, seal
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

    __slots__ = ("_chaining_key", "_key", "_sealed")

    def __init__(self, chaining_key: bytes, key: bytes) -> None:
        self._chaining_key = chaining_key
        self._key = key
        self._sealed = 0

    def next(self) -> tuple[bytes, bytes]:
        """Return the key and the nonce, 12 bytes, for the next text."""
        if self._sealed == ROTATION:
            self._chaining_key, self._key = hkdf(self._chaining_key, self._key)
            self._sealed = 0
        nonce = bytes(4) + self._sealed.to_bytes(8, "little")
        self._sealed += 1
        return self._key, nonce


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
        length = seal(*self._keys.next(), len(message).to_bytes(2, "big"))
        return length + seal(*self._keys.next(), message)


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
        text = open_sealed(*self._keys.next(), bytes(buffer[:size]))
        if text is None:
            raise RemoteProtocolError(f"a frame's {what} has a wrong tag", hint=Hint.CLOSE)
        del buffer[:size]
        return text
