"""The curve operations of libsecp256k1 alone, called through cffi: what the benchmarks measure other things by."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import Any, Final

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

CONTEXT: Final = GLOBAL_CONTEXT.ctx
_numbers = count(1)


def fresh() -> bytes:
    """Return a private key that was not used before."""
    return sha256(next(_numbers).to_bytes(8, "big")).digest()


def new_key() -> Any:
    """Return the public key of a new key pair."""
    keypair, point = ffi.new("secp256k1_keypair *"), ffi.new("secp256k1_pubkey *")
    assert lib.secp256k1_keypair_create(CONTEXT, keypair, fresh())
    assert lib.secp256k1_keypair_pub(CONTEXT, point, keypair)
    return point


def serialize(point: Any) -> bytes:
    """Return the 33 bytes of a point."""
    output, length = ffi.new("unsigned char[33]"), ffi.new("size_t *", 33)
    lib.secp256k1_ec_pubkey_serialize(CONTEXT, output, length, point, lib.SECP256K1_EC_COMPRESSED)
    return bytes(ffi.buffer(output))


def parse(data: bytes) -> Any:
    """Return the point in 33 bytes."""
    point = ffi.new("secp256k1_pubkey *")
    assert lib.secp256k1_ec_pubkey_parse(CONTEXT, point, data, len(data))
    return point


def x_only(data: bytes) -> Any:
    """Return the key for signatures in the 33 bytes of a point."""
    point = ffi.new("secp256k1_xonly_pubkey *")
    assert lib.secp256k1_xonly_pubkey_parse(CONTEXT, point, data[1:])
    return point


def product(point: Any, scalar: bytes) -> bytes:
    """Return the hash of the product of a point and a private key."""
    shared = ffi.new("unsigned char[32]")
    assert lib.secp256k1_ecdh(CONTEXT, shared, point, scalar, ffi.NULL, ffi.NULL)
    return bytes(ffi.buffer(shared))


def bare_open(keys: tuple[bytes, bytes]) -> None:
    """Do what opening an onion message needs on the curve: read two points, and make three products."""
    scalar = fresh()
    first, second = map(parse, keys)
    product(first, scalar)
    lib.secp256k1_ec_pubkey_tweak_mul(CONTEXT, second, scalar)
    product(second, scalar)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: how long something takes, and how many times its floor that may be."""

    what: str
    found: float
    floor: float
    most: float

    @property
    def holds(self) -> bool:
        return self.found <= self.most * self.floor

    def __str__(self) -> str:
        ratio = f"{self.found / self.floor:.2f}"
        verdict = "holds" if self.holds else "missed"
        return f"| {self.what} | {self.found:.0f} us | {self.floor:.0f} us | {ratio} | {self.most} | {verdict} |"
