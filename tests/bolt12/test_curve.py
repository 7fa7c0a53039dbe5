"""Keys and signatures: correct, the same each time, and never showing a secret."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib import metadata
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import KeyPair, curve
from lnoffers.bolt12.curve import (
    _succeeded,
    add_to_point,
    ecdsa_is_low,
    ecdsa_recover,
    ecdsa_to_der,
    ecdsa_verify,
    is_point,
    multiply_point,
    verify,
)

from .samples import OTHER_SIGNER

PAIR = KeyPair(bytes(range(1, 33)))
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")

scalars = st.integers(1, ORDER - 1)


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_the_key_one_is_the_generator() -> None:
    assert KeyPair(scalar(1)).public_key == GENERATOR
    assert is_point(GENERATOR)


@pytest.mark.parametrize("secret", [scalar(0), scalar(ORDER), scalar(2**256 - 1), b"", bytes(31), b"\1" * 33])
def test_rejects_what_is_no_private_key(secret: bytes) -> None:
    with pytest.raises(ValueError, match="not a valid private key"):
        KeyPair(secret)


@given(scalars, scalars)
def test_adding_to_the_pair_and_to_its_point_is_the_same(secret: int, tweak: int) -> None:
    if (secret + tweak) % ORDER == 0:
        return
    pair = KeyPair(scalar(secret))
    assert pair.add(scalar(tweak)).public_key == add_to_point(pair.public_key, scalar(tweak))
    assert pair.add(scalar(tweak)).public_key == KeyPair(scalar((secret + tweak) % ORDER)).public_key


def test_adding_leaves_the_point_as_it_was() -> None:
    assert add_to_point(GENERATOR, scalar(1)) == add_to_point(GENERATOR, scalar(1)) == KeyPair(scalar(2)).public_key


@pytest.mark.parametrize("tweak", [scalar(ORDER - 1), scalar(ORDER), b"\1"], ids=["sum is zero", "too large", "short"])
def test_refuses_a_scalar_that_cannot_be_added(tweak: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be added to the point"):
        add_to_point(GENERATOR, tweak)
    with pytest.raises(ValueError, match="cannot be added to the private key"):
        KeyPair(scalar(1)).add(tweak)


@pytest.mark.parametrize("point", [b"", b"\x02" + bytes(31) + b"\x05"])
def test_refuses_to_reckon_with_what_is_no_point(point: bytes) -> None:
    for reckon in (add_to_point, multiply_point):
        with pytest.raises(ValueError, match="not a point"):
            reckon(point, scalar(1))
    with pytest.raises(ValueError, match="not a point"):
        PAIR.shared_secret(point)


@given(scalars, scalars)
def test_multiplying_the_pair_and_its_point_is_the_same(secret: int, tweak: int) -> None:
    pair = KeyPair(scalar(secret))
    assert pair.multiply(scalar(tweak)).public_key == multiply_point(pair.public_key, scalar(tweak))
    assert pair.multiply(scalar(tweak)).public_key == KeyPair(scalar(secret * tweak % ORDER)).public_key


@pytest.mark.parametrize("tweak", [scalar(0), scalar(ORDER), b"\1"], ids=["zero", "too large", "short"])
def test_refuses_a_scalar_that_nothing_can_be_multiplied_by(tweak: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be multiplied"):
        multiply_point(GENERATOR, tweak)
    with pytest.raises(ValueError, match="cannot be multiplied"):
        KeyPair(scalar(1)).multiply(tweak)


@given(scalars, scalars)
def test_two_pairs_share_a_secret_which_is_the_hash_of_their_product(one: int, other: int) -> None:
    first, second = KeyPair(scalar(one)), KeyPair(scalar(other))
    product = KeyPair(scalar(one * other % ORDER)).public_key
    assert first.shared_secret(second.public_key) == second.shared_secret(first.public_key) == sha256(product).digest()


@given(scalars, st.binary(min_size=32, max_size=32), st.integers(0, 511))
def test_one_flipped_bit_of_a_signature_never_verifies(secret: int, digest: bytes, bit: int) -> None:
    pair = KeyPair(scalar(secret))
    signature = pair.sign(digest)
    assert verify(pair.public_key, digest, signature)
    flipped = (int.from_bytes(signature, "big") ^ (1 << bit)).to_bytes(64, "big")
    assert not verify(pair.public_key, digest, flipped)
    assert not verify(OTHER_SIGNER.public_key, digest, signature)


def test_signs_the_same_each_time() -> None:
    digest = bytes(range(32))
    signature = PAIR.sign(digest)
    assert PAIR.sign(digest) == signature
    assert signature.hex() == (
        "e0acb6e09f8ec8871b8d902f86e140cacca105a684048fd8a03b27b95decbc91"
        "ae8098a2ec3521fce4e84d81babe0a113affd911229591469909601d336bd94e"
    )


def test_only_the_x_coordinate_counts() -> None:
    x = PAIR.public_key[1:]
    signature = PAIR.sign(bytes(32))
    assert verify(b"\x02" + x, bytes(32), signature)
    assert verify(b"\x03" + x, bytes(32), signature)


def test_malformed_arguments_do_not_verify() -> None:
    signature = PAIR.sign(bytes(32))
    assert not verify(b"", bytes(32), signature)
    assert not verify(b"\x02" + bytes(31) + b"\x05", bytes(32), signature)
    assert not verify(PAIR.public_key, bytes(31), signature)
    assert not verify(PAIR.public_key, bytes(32), signature[:-1])


def test_refuses_to_sign_what_is_no_digest() -> None:
    with pytest.raises(ValueError, match="a digest has 32 bytes"):
        PAIR.sign(b"message")
    with pytest.raises(ValueError, match="a digest has 32 bytes"):
        PAIR.sign_recoverable(b"message")


def test_a_key_pair_shows_its_public_key_only() -> None:
    secret = scalar(0x5EC2E7)
    pair = KeyPair(secret)
    for shown in (repr(pair), str(pair), f"{pair}"):
        assert shown == f"KeyPair(public_key={pair.public_key.hex()})"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, KeyPair.__getstate__):
        with pytest.raises(TypeError, match="private key"):
            leak(pair)


def test_a_key_pair_does_not_change() -> None:
    with pytest.raises(AttributeError):
        PAIR.public_key = GENERATOR  # type: ignore[misc]


def test_a_failure_of_the_library_is_not_passed_over() -> None:
    with pytest.raises(RuntimeError, match="refused a valid key"):
        _succeeded(0)


@given(scalars, st.binary(min_size=32, max_size=32))
def test_an_ecdsa_signature_verifies_and_leads_back_to_its_key(secret: int, digest: bytes) -> None:
    pair = KeyPair(scalar(secret))
    *signature, recovery_id = PrivateKey(scalar(secret)).sign_recoverable(digest, hasher=None)
    assert ecdsa_verify(pair.public_key, digest, bytes(signature))
    assert ecdsa_recover(digest, bytes(signature), recovery_id) == pair.public_key
    assert ecdsa_to_der(bytes(signature)) == PrivateKey(scalar(secret)).sign(digest, hasher=None)


@given(scalars, st.binary(min_size=32, max_size=32))
def test_a_recoverable_signature_is_that_of_rfc_6979(secret: int, digest: bytes) -> None:
    signature = KeyPair(scalar(secret)).sign_recoverable(digest)
    assert signature == PrivateKey(scalar(secret)).sign_recoverable(digest, hasher=None)
    assert ecdsa_is_low(signature[:64])


def test_signs_as_rfc_6979_is_known_to_on_this_curve() -> None:
    # The nonce for key 1 and this message that other libraries test with gives this signature, r and s.
    signature = KeyPair(scalar(1)).sign_recoverable(sha256(b"Satoshi Nakamoto").digest())
    assert signature[:64].hex() == (
        "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
        "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
    )


def test_s_is_low_up_to_half_the_group_order() -> None:
    half = ORDER // 2
    assert ecdsa_is_low(bytes(32) + scalar(half))
    assert not ecdsa_is_low(bytes(32) + scalar(half + 1))


@given(scalars, st.integers(0, 32 * 8 - 1))
def test_an_ecdsa_signature_is_of_one_digest(secret: int, bit: int) -> None:
    pair = KeyPair(scalar(secret))
    *signature, recovery_id = PrivateKey(scalar(secret)).sign_recoverable(bytes(32), hasher=None)
    other = (1 << bit).to_bytes(32, "big")
    assert not ecdsa_verify(pair.public_key, other, bytes(signature))
    assert ecdsa_recover(other, bytes(signature), recovery_id) != pair.public_key


def test_ecdsa_signatures_that_are_none_are_not_taken() -> None:
    digest = bytes(32)
    signature = PrivateKey(scalar(7)).sign_recoverable(digest, hasher=None)[:64]
    point = KeyPair(scalar(7)).public_key
    high = signature[:32] + scalar(ORDER - int.from_bytes(signature[32:], "big"))
    assert ecdsa_to_der(high) is not None
    for wrong in (b"", signature[:-1], bytes(64), scalar(ORDER) + signature[32:], high):
        assert not ecdsa_verify(point, digest, wrong)
    assert not ecdsa_verify(bytes(33), digest, signature)
    assert not ecdsa_verify(point, b"", signature)
    for wrong in (b"", scalar(ORDER) + signature[32:]):
        assert ecdsa_to_der(wrong) is ecdsa_recover(digest, wrong, 0) is None
    for wrong_id in (-1, 4):
        assert ecdsa_recover(digest, signature, wrong_id) is None
    assert ecdsa_recover(b"", signature, 0) is ecdsa_recover(digest, bytes(64), 0) is None


def error_without_the_library(monkeypatch: pytest.MonkeyPatch) -> ImportError:
    """Return the error of loading the module without the curve library."""
    monkeypatch.setitem(sys.modules, "coincurve._libsecp256k1", None)
    specification = spec_from_file_location("curve_without_library", curve.__file__)
    assert specification is not None
    assert specification.loader is not None
    with pytest.raises(ImportError) as caught:
        specification.loader.exec_module(module_from_spec(specification))
    return caught.value


def test_a_missing_library_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: str) -> Iterator[metadata.Distribution]:
        return iter(())

    monkeypatch.setattr(metadata, "distributions", none)
    error = error_without_the_library(monkeypatch)
    assert isinstance(error, ModuleNotFoundError)
    assert "is missing: pip install 'clnrpc[bolt12]'" in str(error)
    assert error.name == "coincurve"


def test_a_library_whose_files_are_gone_is_said_to_be_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    error = error_without_the_library(monkeypatch)
    assert not isinstance(error, ModuleNotFoundError)
    assert "is damaged" in str(error)
    assert "pip install --force-reinstall --no-deps coincurve" in str(error)
