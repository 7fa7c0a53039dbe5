"""What the tests of this folder read: invoices written here, with keys of our own, which may break any rule."""

from __future__ import annotations

from hashlib import sha256

from coincurve import PrivateKey

from lnoffers import bech32

KEY = PrivateKey(bytes(range(1, 33)))
POINT = KEY.public_key.format()
OTHER_POINT = PrivateKey(bytes(range(2, 34))).public_key.format()
HASH = bytes(range(32))
SECRET = bytes(range(32, 64))
TIME = 1_700_000_000

Field = tuple[str, bytes]


def symbols(value: int, count: int) -> bytes:
    """Return a number as symbols."""
    return bytes(value >> 5 * (count - 1 - position) & 31 for position in range(count))


def text_field(letter: str, data: bytes) -> Field:
    """Return a field of bytes."""
    return letter, bech32.from_bytes(data)


PAYMENT_HASH = text_field("p", HASH)
PAYMENT_SECRET = text_field("s", SECRET)
DESCRIPTION = text_field("d", b"one coffee")
REQUIRED = (PAYMENT_HASH, PAYMENT_SECRET, DESCRIPTION)


def data_part(fields: tuple[Field, ...], time: int = TIME) -> bytes:
    """Return the symbols up to the signature."""
    told = symbols(time, 7)
    for letter, content in fields:
        told += bytes((bech32.ALPHABET.index(letter),)) + symbols(len(content), 2) + content
    return told


def signature(prefix: str, data: bytes) -> bytes:
    """Return the signature by KEY, 65 bytes."""
    digest = sha256(prefix.encode() + bech32.padded_bytes(data)).digest()
    return KEY.sign_recoverable(digest, hasher=None)


def invoice(*fields: Field, prefix: str = "lnbcrt", time: int = TIME, required: tuple[Field, ...] = REQUIRED) -> str:
    """Return a signed invoice with the required fields and these."""
    data = data_part((*required, *fields), time)
    return bech32.encode(prefix, data + bech32.from_bytes(signature(prefix, data)), bech32.BECH32)
