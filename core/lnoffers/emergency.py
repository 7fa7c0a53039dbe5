"""Recovery data (`clnemerg1…`): Core Lightning's backup of a node's channels, encrypted with a secret of the node.

The strings are bech32 of libsodium's secret stream: a header of 24 bytes and one message. PyNaCl includes libsodium.
"""

from __future__ import annotations

from typing import Final

from lnoffers import bech32
from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.typecheck import typechecked

PREFIX: Final = "clnemerg"
SECRET_NAME: Final = "scb secret"  # noqa: S105 - the name from which the secret is derived, not the secret
_HEADER_LENGTH: Final = 24
_SEAL_LENGTH: Final = 17


class RecoveryError(ValueError):
    """A string is not recovery data."""


class SealedError(ValueError):
    """Recovery data cannot be decrypted."""


@typechecked
def parse(text: str) -> bytes:
    """Return the encrypted bytes in a string, all in lower or all in upper case.

    Raises:
        RecoveryError: with Core Lightning's short text, if it is not bech32 or has another prefix.
    """
    form = bech32.decode(text)
    if form is None:
        raise RecoveryError("invalid bech32 encoding")
    if form.prefix != PREFIX:
        raise RecoveryError(f"hrp should be `{PREFIX}`")
    sealed = bech32.whole_bytes(form.symbols)
    if sealed is None:
        raise RecoveryError("invalid bech32 padding")
    return sealed


@typechecked
def decrypt(sealed: bytes, secret: bytes) -> bytes:
    """Decrypt recovery data. `secret` is the node's secret for `SECRET_NAME` (command `makesecret`), 32 bytes.

    Raises:
        SealedError: with Core Lightning's short text, if the data is of another node, was changed, or is too short.
    """
    if len(sealed) < _HEADER_LENGTH + _SEAL_LENGTH:
        raise SealedError("Can't decrypt, hex is too short!")
    from nacl import bindings, exceptions  # noqa: PLC0415 # 0085: optional

    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, sealed[:_HEADER_LENGTH], secret)
    try:
        opened, _ = bindings.crypto_secretstream_xchacha20poly1305_pull(state, sealed[_HEADER_LENGTH:])
    except (RuntimeError, exceptions.CryptoError) as error:
        raise SealedError("Can't decrypt!") from error
    return bytes(opened)


@typechecked
def describe(opened: bytes) -> dict[str, Json]:
    """Return the result of `decode` for recovery data, in Core Lightning's order."""
    return {"valid": True, "type": "emergency recover", "decrypted": opened.hex()}
