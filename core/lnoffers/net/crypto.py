"""The symmetric cryptography of BOLT 4 and 8: the only file of this package that touches the crypto library.

ChaCha20-Poly1305 (RFC 8439) encrypts frames and the data of hops, plain ChaCha20 encrypts the layers of an onion, and
HMAC-SHA256 derives a key for each purpose from a shared secret. All functions are pure.

The library is imported when a cipher is first used: few commands need one, and most take less time than the import.
"""

from __future__ import annotations

import hmac
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol, final, runtime_checkable

from lnoffers.bolt12.typecheck import typechecked

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

KEY_LENGTH: Final = 32
TAG_LENGTH: Final = 16
"""The length of the Poly1305 tag, which encryption adds."""
ZERO_NONCE: Final = bytes(12)
"""The nonce for keys that encrypt only one text."""
_ZERO_COUNTER_AND_NONCE: Final = bytes(16)


@runtime_checkable
class NodeKey(Protocol):
    """The operations on a node's private key that this package needs. A `KeyPair` has them; so may a remote signer."""

    @property
    def public_key(self) -> bytes:
        """The node's id: a compressed point, 33 bytes."""

    def shared_secret(self, point: bytes, /) -> bytes:
        """Return SHA256 of the compressed product of the private key and `point`, 32 bytes.

        Raises:
            ValueError: if `point` is not a point.
        """


@typechecked
def derive(purpose: bytes, secret: bytes) -> bytes:
    """Return a key of 32 bytes for one purpose: HMAC-SHA256 keyed with the purpose's name. BOLT 4, "Key Generation"."""
    return hmac.digest(purpose, secret, "sha256")


@typechecked
def hkdf(salt: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """Return two keys of 32 bytes: HKDF-SHA256 (RFC 5869) without `info`. BOLT 8, "Handshake State"."""
    pseudo_random_key = hmac.digest(salt, secret, "sha256")
    first = hmac.digest(pseudo_random_key, b"\x01", "sha256")
    return first, hmac.digest(pseudo_random_key, first + b"\x02", "sha256")


@final
@typechecked
class Sealer:
    """ChaCha20-Poly1305 with one key, 32 bytes, for many texts. Its repr does not show the key."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = _cipher()(key)

    @typechecked
    def seal(self, nonce: bytes, text: bytes, authenticated: bytes = b"") -> bytes:
        """Return `text` encrypted, followed by its tag of 16 bytes.

        `nonce` has 12 bytes; `authenticated` is covered by the tag and not part of the result.
        """
        return self._cipher.encrypt(nonce, text, authenticated)

    @typechecked
    def open(self, nonce: bytes, sealed: bytes, authenticated: bytes = b"") -> bytes | None:
        """Return the text that `seal` encrypted, or None if the key, the nonce or any byte differs."""
        if len(sealed) < TAG_LENGTH:
            return None
        try:
            return self._cipher.decrypt(nonce, sealed, authenticated)
        except _wrong_tag():
            return None


@typechecked
def seal(key: bytes, nonce: bytes, text: bytes, authenticated: bytes = b"") -> bytes:
    """Return `text` encrypted with a key, as `Sealer.seal` does."""
    return Sealer(key).seal(nonce, text, authenticated)


@typechecked
def open_sealed(key: bytes, nonce: bytes, sealed: bytes, authenticated: bytes = b"") -> bytes | None:
    """Return the text that `seal` encrypted, as `Sealer.open` does."""
    return Sealer(key).open(nonce, sealed, authenticated)


@typechecked
def stream(key: bytes, length: int) -> bytes:
    """Return the start of ChaCha20's key stream, with a zero nonce. BOLT 4, "Pseudo Random Byte Stream"."""
    return apply_stream(key, bytes(length))


@typechecked
def apply_stream(key: bytes, data: bytes) -> bytes:
    """Return `data` xor the key stream. Applying it twice gives `data` again."""
    return _streamer(key).update(data)


@cache
def _cipher() -> type[ChaCha20Poly1305]:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415 # 0085: slow

    return ChaCha20Poly1305


@cache
def _wrong_tag() -> type[Exception]:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 # 0085: slow

    return InvalidTag


def _streamer(key: bytes) -> CipherContext:
    cipher, algorithm = _stream_cipher()
    return cipher(algorithm(key, _ZERO_COUNTER_AND_NONCE), mode=None).encryptor()


@cache
def _stream_cipher() -> tuple[type[Cipher[None]], type[ChaCha20]]:
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415 # 0085: slow
    from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20  # noqa: PLC0415 # 0085: slow

    return Cipher, ChaCha20
