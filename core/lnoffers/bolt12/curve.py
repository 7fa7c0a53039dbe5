"""secp256k1 with BIP 340 signatures, and with ECDSA for BOLT 11. The only file that uses the curve library.

It talks to libsecp256k1 through coincurve's `lib` and `ffi` because a key pair that is set up once signs four times
as fast as coincurve's own method, which derives the public key for each signature. The same names exist in
coincurve and in its fork coincurve-cp314-fix.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, NoReturn, final

from lnoffers.bolt12.typecheck import typechecked


def _import_error() -> ImportError:
    """Return the error for a curve library that cannot be imported; it says what to install."""
    from importlib import metadata  # noqa: PLC0415 # 0085: slow

    name = "coincurve" if sys.version_info < (3, 14) else "coincurve-cp314-fix"
    if not any(metadata.distributions(name=name)):
        return ModuleNotFoundError(f"the package {name} is missing: pip install 'clnrpc[bolt12]'", name="coincurve")
    return ImportError(
        f"the package {name} is damaged, perhaps because pyln-client, whose dependency has files of the same names, "
        f"was uninstalled; repair it: pip install --force-reinstall --no-deps {name}",
        name="coincurve",
    )


try:
    from coincurve._libsecp256k1 import ffi, lib  # type: ignore[import-not-found]
    from coincurve.context import GLOBAL_CONTEXT
except ImportError as error:
    raise _import_error() from error

POINT_LENGTH = 33
SIGNATURE_LENGTH = 64
_DIGEST_LENGTH = 32
_SCALAR_LENGTH = 32
_HIGHEST_S = bytes.fromhex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")  # half the group order
_COMPRESSED = lib.SECP256K1_EC_COMPRESSED
_CONTEXT = GLOBAL_CONTEXT.ctx


def is_point(data: bytes) -> bool:
    """Return whether `data` is a compressed point on the curve: 02 or 03, then a valid x coordinate, big-endian."""
    return len(data) == POINT_LENGTH and _parse(data) is not None


def add_to_point(point: bytes, tweak: bytes) -> bytes:
    """Return point + tweak·G, compressed. `tweak` is a scalar of 32 big-endian bytes.

    Raises:
        ValueError: if `point` is not a point, the scalar is not below the group order, or the sum is infinity.
    """
    total = _copy(_point(point))
    if len(tweak) != _SCALAR_LENGTH or not lib.secp256k1_ec_pubkey_tweak_add(_CONTEXT, total, tweak):
        raise ValueError("the scalar cannot be added to the point")
    return _serialize(total)


def multiply_point(point: bytes, tweak: bytes) -> bytes:
    """Return tweak·point, compressed. `tweak` is a scalar of 32 big-endian bytes.

    Raises:
        ValueError: if `point` is not a point, or the scalar is zero or not below the group order.
    """
    product = _copy(_point(point))
    if len(tweak) != _SCALAR_LENGTH or not lib.secp256k1_ec_pubkey_tweak_mul(_CONTEXT, product, tweak):
        raise ValueError("the point cannot be multiplied by the scalar")
    return _serialize(product)


def verify(point: bytes, digest: bytes, signature: bytes) -> bool:
    """Return whether `signature` (64 bytes) is `point`'s BIP 340 signature of `digest` (32 bytes).

    Only the x coordinate of the compressed point counts. Malformed arguments make the answer False.
    """
    if len(point) != POINT_LENGTH or len(digest) != _DIGEST_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    x_only = _x_only(point)
    return x_only is not None and bool(
        lib.secp256k1_schnorrsig_verify(_CONTEXT, signature, digest, _DIGEST_LENGTH, x_only)
    )


def ecdsa_to_der(signature: bytes) -> bytes | None:
    """Return an ECDSA signature (64 bytes: r, s, big-endian) in DER; None if either is not below the group order."""
    parsed = ffi.new("secp256k1_ecdsa_signature *")
    if len(signature) != SIGNATURE_LENGTH or not lib.secp256k1_ecdsa_signature_parse_compact(
        _CONTEXT, parsed, signature
    ):
        return None
    output, length = ffi.new("unsigned char[72]"), ffi.new("size_t *", 72)
    _succeeded(lib.secp256k1_ecdsa_signature_serialize_der(_CONTEXT, output, length, parsed))
    return bytes(ffi.buffer(output, length[0]))


def ecdsa_verify(point: bytes, digest: bytes, signature: bytes) -> bool:
    """Return whether `signature` (64 bytes, s in the lower half) is `point`'s ECDSA signature of `digest` (32 bytes).

    Malformed arguments make the answer False.
    """
    if len(point) != POINT_LENGTH or len(digest) != _DIGEST_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    key, parsed = _parse(point), ffi.new("secp256k1_ecdsa_signature *")
    if key is None or not lib.secp256k1_ecdsa_signature_parse_compact(_CONTEXT, parsed, signature):
        return False
    return bool(lib.secp256k1_ecdsa_verify(_CONTEXT, parsed, digest, key))


def ecdsa_is_low(signature: bytes) -> bool:
    """Return whether s of an ECDSA signature (64 bytes) is in the lower half, as `ecdsa_verify` requires (BIP 62)."""
    return signature[_SCALAR_LENGTH:] <= _HIGHEST_S


def ecdsa_recover(digest: bytes, signature: bytes, recovery_id: int) -> bytes | None:
    """Return the public key, a compressed point, of this ECDSA signature (64 bytes) of `digest` (32 bytes), or None.

    `recovery_id`, 0 to 3, picks one of the four candidates.
    """
    if len(digest) != _DIGEST_LENGTH or len(signature) != SIGNATURE_LENGTH or recovery_id not in range(4):
        return None
    parsed, point = ffi.new("secp256k1_ecdsa_recoverable_signature *"), ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ecdsa_recoverable_signature_parse_compact(_CONTEXT, parsed, signature, recovery_id):
        return None
    return _serialize(point) if lib.secp256k1_ecdsa_recover(_CONTEXT, point, parsed, digest) else None


@final
@typechecked
class KeyPair:
    """A private key for signing. Its repr does not show the key, and it cannot be pickled or copied."""

    __slots__ = ("_keypair", "_public_key")

    def __init__(self, secret: bytes | bytearray | memoryview) -> None:
        """Take a scalar of 32 big-endian bytes.

        Raises:
            ValueError: if it has another length, or is not between 1 and the group order minus 1.
        """
        if len(secret) != _SCALAR_LENGTH:
            raise ValueError("not a valid private key")
        keypair = ffi.new("secp256k1_keypair *")
        if not lib.secp256k1_keypair_create(_CONTEXT, keypair, ffi.from_buffer(secret)):
            raise ValueError("not a valid private key")
        public_key = ffi.new("secp256k1_pubkey *")
        _succeeded(lib.secp256k1_keypair_pub(_CONTEXT, public_key, keypair))
        self._public_key = _serialize(public_key)
        self._keypair = keypair

    @property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes."""
        return self._public_key

    @typechecked
    def add(self, tweak: bytes) -> KeyPair:
        """Return the pair whose private key is this one plus `tweak` (32 big-endian bytes), modulo the group order.

        Raises:
            ValueError: if the scalar is not below the group order or the sum is zero.
        """
        with self._scalar() as scalar:
            if len(tweak) != _SCALAR_LENGTH or not lib.secp256k1_ec_seckey_tweak_add(_CONTEXT, scalar, tweak):
                raise ValueError("the scalar cannot be added to the private key")
            return KeyPair(memoryview(ffi.buffer(scalar)))

    @typechecked
    def multiply(self, tweak: bytes) -> KeyPair:
        """Return the pair whose private key is this one times `tweak` (32 big-endian bytes), modulo the group order.

        Raises:
            ValueError: if the scalar is zero or not below the group order.
        """
        with self._scalar() as scalar:
            if len(tweak) != _SCALAR_LENGTH or not lib.secp256k1_ec_seckey_tweak_mul(_CONTEXT, scalar, tweak):
                raise ValueError("the private key cannot be multiplied by the scalar")
            return KeyPair(memoryview(ffi.buffer(scalar)))

    @typechecked
    def shared_secret(self, point: bytes) -> bytes:
        """Return SHA256 of the private key times `point`, compressed: the 32 bytes that BOLT 4 and 8 call ECDH.

        Raises:
            ValueError: if `point` is not a compressed point.
        """
        parsed = _point(point)
        shared = ffi.new("unsigned char[32]")
        with self._scalar() as scalar:
            _succeeded(lib.secp256k1_ecdh(_CONTEXT, shared, parsed, scalar, ffi.NULL, ffi.NULL))
        return bytes(ffi.buffer(shared))

    def _scalar(self) -> _Scalar:
        """Return a context manager for the private key, 32 bytes that are overwritten at the end of the block."""
        return _Scalar(self._keypair)

    @typechecked
    def sign(self, digest: bytes) -> bytes:
        """Return the BIP 340 signature (64 bytes) of `digest` (32 bytes), the same each time.

        The auxiliary randomness of BIP 340 is 32 zero bytes, as in Core Lightning.

        Raises:
            ValueError: if `digest` has another length.
        """
        _check_digest(digest)
        signature = ffi.new("unsigned char[64]")
        _succeeded(lib.secp256k1_schnorrsig_sign32(_CONTEXT, signature, digest, self._keypair, ffi.NULL))
        return bytes(ffi.buffer(signature))

    @typechecked
    def sign_recoverable(self, digest: bytes) -> bytes:
        """Return the ECDSA signature of `digest` (32 bytes), the same each time (RFC 6979).

        It has 65 bytes: r, s in the lower half, and the id that `ecdsa_recover` finds the public key with.

        Raises:
            ValueError: if `digest` has another length.
        """
        _check_digest(digest)
        signature, recovery_id = ffi.new("secp256k1_ecdsa_recoverable_signature *"), ffi.new("int *")
        output = ffi.new("unsigned char[64]")
        with self._scalar() as scalar:
            _succeeded(lib.secp256k1_ecdsa_sign_recoverable(_CONTEXT, signature, digest, scalar, ffi.NULL, ffi.NULL))
        _succeeded(
            lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(_CONTEXT, output, recovery_id, signature)
        )
        return bytes(ffi.buffer(output)) + bytes((recovery_id[0],))

    def __repr__(self) -> str:
        return f"KeyPair(public_key={self.public_key.hex()})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a private key cannot be pickled or copied")

    def __reduce__(self) -> NoReturn:
        self.__getstate__()


def _check_digest(digest: bytes) -> None:
    if len(digest) != _DIGEST_LENGTH:
        raise ValueError(f"a digest has {_DIGEST_LENGTH} bytes, not {len(digest)}")


class _Scalar:
    """The private key of a key pair, for a `with` block."""

    # A class, because a context manager made of a generator takes twice as long, and each onion message needs two.
    __slots__ = ("_keypair", "_scalar")

    def __init__(self, keypair: Any) -> None:
        self._keypair = keypair

    def __enter__(self) -> Any:
        self._scalar = ffi.new("unsigned char[32]")
        _succeeded(lib.secp256k1_keypair_sec(_CONTEXT, self._scalar, self._keypair))
        return self._scalar

    def __exit__(self, *_: object) -> None:
        ffi.buffer(self._scalar)[:] = bytes(_SCALAR_LENGTH)


def _succeeded(result: int) -> None:
    """Check the result of a call that fails only for arguments that are impossible here."""
    if not result:
        raise RuntimeError("libsecp256k1 refused a valid key")


# Points are public. A message's key is checked when the message is read and needed again for its signature, and
# a node meets its own key in every message, so the square root that decompresses it is worth remembering.
@lru_cache(maxsize=1024)
def _parse(point: bytes) -> Any | None:
    parsed = ffi.new("secp256k1_pubkey *")
    return parsed if lib.secp256k1_ec_pubkey_parse(_CONTEXT, parsed, point, len(point)) else None


@lru_cache(maxsize=1024)
def _x_only(point: bytes) -> Any | None:
    parsed = _parse(point)
    if parsed is None:
        return None
    x_only = ffi.new("secp256k1_xonly_pubkey *")
    _succeeded(lib.secp256k1_xonly_pubkey_from_pubkey(_CONTEXT, x_only, ffi.NULL, parsed))
    return x_only


def _point(data: bytes) -> Any:
    """Return the point. It is cached, so it must not be changed.

    Raises:
        ValueError: if `data` is not a compressed point.
    """
    parsed = _parse(data) if len(data) == POINT_LENGTH else None
    if parsed is None:
        raise ValueError("not a point on the curve")
    return parsed


def _copy(point: Any) -> Any:
    return ffi.new("secp256k1_pubkey *", point[0])


def _serialize(point: Any) -> bytes:
    output, length = ffi.new("unsigned char[33]"), ffi.new("size_t *", POINT_LENGTH)
    _succeeded(lib.secp256k1_ec_pubkey_serialize(_CONTEXT, output, length, point, _COMPRESSED))
    return bytes(ffi.buffer(output))
