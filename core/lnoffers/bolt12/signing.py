"""Signing a message, and never letting a wrong signature out."""

from __future__ import annotations

from typing import Protocol

from lnoffers.bolt12 import curve
from lnoffers.bolt12.errors import Bolt12Error


class Signer(Protocol):
    """Whoever holds the private key: a `curve.KeyPair`, or a stand-in for a remote or hardware signer."""

    @property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes."""

    def sign(self, digest: bytes, /) -> bytes:
        """The BIP 340 signature, 64 bytes, of a digest of 32 bytes."""


def sign_digest(signer: Signer, digest: bytes, *, public_key: bytes) -> bytes:
    """The signer's signature of `digest`, made for `public_key` and verified against it.

    Raises Bolt12Error: `signer-key` if the signer has another key, `signer-signature` if what it returns is wrong.
    """
    if signer.public_key != public_key:
        raise Bolt12Error(
            f"the signer's key {signer.public_key.hex()} is not the message's key {public_key.hex()}",
            rule="signer-key",
        )
    signature = signer.sign(digest)
    if not curve.verify(public_key, digest, signature):
        raise Bolt12Error("the signer returned a signature that does not verify", rule="signer-signature")
    return signature
