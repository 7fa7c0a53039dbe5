"""Sign an invoice, and verify the signature before it is returned. BOLT 11, "Data Part"."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Protocol, runtime_checkable

from lnoffers import bech32
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt12 import curve

_LENGTH: Final = curve.SIGNATURE_LENGTH + 1


@runtime_checkable
class InvoiceSigner(Protocol):
    """An object that signs with a private key: a `KeyPair`, or an adapter to a remote or hardware signer.

    Such a device should make the digest itself, from the `prefix` and `data` of the invoice, so that it knows what it
    signs.
    """

    @property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes."""

    def sign_recoverable(self, digest: bytes) -> bytes:
        """Return the ECDSA signature of `digest` (32 bytes), 65 bytes: r, s in the lower half, recovery id."""


def invoice_digest(prefix: str, data: bytes) -> bytes:
    """Return the digest, 32 bytes, of a prefix and the symbols after it."""
    return sha256(prefix.encode() + bech32.padded_bytes(data)).digest()


def verified_signature(signer: InvoiceSigner, digest: bytes, *, payee: bytes | None) -> bytes:
    """Return the signer's signature of the digest, 65 bytes, verified.

    Raises:
        Bolt11Error: if the signer is not `payee`, where that is named, or its signature is wrong.
    """
    name = type(signer).__name__
    if payee not in (None, signer.public_key):
        raise Bolt11Error(f"payee: the invoice names {payee.hex()}, but the key of {name} is another one")
    signature: object = signer.sign_recoverable(digest)  # whatever a signer of others' making returns
    if not isinstance(signature, bytes) or len(signature) != _LENGTH:
        what = f"{len(signature)} bytes" if isinstance(signature, bytes) else type(signature).__name__
        raise Bolt11Error(f"{name} returned {what} instead of a signature and its recovery id, {_LENGTH} bytes")
    plain, recovery_id = signature[:-1], signature[-1]
    if curve.ecdsa_recover(digest, plain, recovery_id) != signer.public_key or not curve.ecdsa_is_low(plain):
        raise Bolt11Error(f"{name} returned a signature that does not verify")
    return signature
