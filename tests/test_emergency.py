"""Recovery data is opened with the node's secret only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from lnoffers import bech32
from lnoffers.emergency import RecoveryError, SealedError, decrypt, describe, parse

SECRET = bytes(range(32))


def seal(data: bytes, secret: bytes = SECRET) -> bytes:
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    header = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, secret)
    return header + bindings.crypto_secretstream_xchacha20poly1305_push(state, data)


def as_text(sealed: bytes, constant: int = bech32.BECH32) -> str:
    return bech32.encode("clnemerg", bech32.from_bytes(sealed), constant)


@given(st.binary(max_size=200), st.sampled_from([bech32.BECH32, bech32.BECH32M]))
def test_what_was_sealed_is_opened(data: bytes, constant: int) -> None:
    text = as_text(seal(data), constant)
    assert decrypt(parse(text), SECRET) == decrypt(parse(text.upper()), SECRET) == data


def test_the_answer_has_its_own_order() -> None:
    assert list(describe(b"\1\2").items()) == [("valid", True), ("type", "emergency recover"), ("decrypted", "0102")]


def test_another_secret_or_changed_data_opens_nothing() -> None:
    sealed = seal(b"channels")
    for wrong, secret in ((sealed, bytes(32)), (sealed[:-1] + bytes((sealed[-1] ^ 1,)), SECRET)):
        with pytest.raises(SealedError, match=r"^Can't decrypt!$"):
            decrypt(wrong, secret)


@pytest.mark.parametrize("length", [0, 40])
def test_too_short_data_is_told_apart(length: int) -> None:
    with pytest.raises(SealedError, match=r"^Can't decrypt, hex is too short!$"):
        decrypt(bytes(length), SECRET)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("clnemerg1qqqqqq", "invalid bech32 encoding"),
        ("hello", "invalid bech32 encoding"),
        (bech32.encode("lnbc", b"", bech32.BECH32), "hrp should be `clnemerg`"),
        (bech32.encode("clnemerg", b"\1", bech32.BECH32), "invalid bech32 padding"),
    ],
)
def test_rejects_what_is_no_recovery_data(text: str, why: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        parse(text)
    assert str(caught.value) == why
