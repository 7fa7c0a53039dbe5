"""A node's keys: the known answers, every form of hsm_secret, and clear errors for what is none."""

from __future__ import annotations

import copy
import pickle
from hashlib import pbkdf2_hmac, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import HsmSecretError, NodeKeys, new_hsm_secret, seed_from_hsm_secret

ASCII_SECRET = b"lightning-1".ljust(32, b"\0")
METADATA = bytes.fromhex("2537dc54364815b8a0155afb275de5f4")
WORDS = b"hockey enroll sure trip track rescue original plate abandon abandon abandon account"
MNEMONIC_SECRET = bytes(32) + WORDS


def secret_with_passphrase(passphrase: bytes) -> bytes:
    seed = pbkdf2_hmac("sha512", WORDS, b"mnemonic" + passphrase, 2048)
    return sha256(seed).digest() + WORDS


def test_raw_secret_gives_the_known_keys() -> None:
    keys = NodeKeys.from_seed(seed_from_hsm_secret(ASCII_SECRET))
    assert keys.node_id.hex() == "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
    assert keys.payer_id(METADATA).hex() == "035e43e4ec029ee6cc0e320ebefdf863bc0f284ec0208275f780837d17e21bba32"


def test_mnemonic_secret_gives_the_known_keys() -> None:
    assert new_hsm_secret(ASCII_SECRET[:16]) == MNEMONIC_SECRET
    keys = NodeKeys.from_seed(seed_from_hsm_secret(MNEMONIC_SECRET))
    assert keys.node_id.hex() == "038194b5f32bdf0aa59812c86c4ef7ad2f294104fa027d1ace9b469bb6f88cf37b"
    assert keys.payer_id(METADATA).hex() == "027c4ec2cf63aeb101109d6d16b9a97e74cd9a149860c16a9fd6ddddf18d337193"


def test_named_secrets_are_the_known_ones() -> None:
    keys = NodeKeys.from_seed(ASCII_SECRET)
    known = {
        "bolt12-invoice-base": "bc0370d408d3ad94523d5f9dc69de6323e09b76ec1e90d5c8a022619244ce1ee",
        "offer-blinded-path": "59118274af279bba948cda84b2faa4bd42eb9f728085cb6d7422fb097f91b9c3",
    }
    assert {name: keys.named_secret(name).hex() for name in known} == known


def test_path_ids_are_hashes_of_a_named_secret_and_an_id() -> None:
    keys = NodeKeys.from_seed(ASCII_SECRET)
    secret = bytes.fromhex("59118274af279bba948cda84b2faa4bd42eb9f728085cb6d7422fb097f91b9c3")
    assert keys.path_id(bytes(32)) == sha256(secret + bytes(32)).digest()


@given(st.binary(max_size=40))
def test_payer_signer_has_the_payer_id(metadata: bytes) -> None:
    keys = NodeKeys.from_seed(ASCII_SECRET)
    assert keys.payer_signer(metadata).public_key == keys.payer_id(metadata)


def test_node_signer_has_the_node_id() -> None:
    keys = NodeKeys.from_seed(ASCII_SECRET)
    assert keys.node_signer.public_key == keys.node_id
    assert keys.key_pair.public_key == keys.node_id


@given(st.binary(min_size=16, max_size=16))
def test_a_new_secret_reads_back(entropy: bytes) -> None:
    secret = new_hsm_secret(entropy)
    assert secret[:32] == bytes(32)
    assert len(secret[32:].split(b" ")) == 12
    assert len(seed_from_hsm_secret(secret)) == 64


def test_a_new_secret_needs_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 32"):
        new_hsm_secret(bytes(32))


@pytest.mark.parametrize("passphrase", [b"correct horse", "pässwörd".encode(), b"\xe9"], ids=repr)
def test_passphrase_opens_the_mnemonic_as_it_was_typed(passphrase: bytes) -> None:
    seed = seed_from_hsm_secret(secret_with_passphrase(passphrase), passphrase)
    assert len(seed) == 64
    assert seed != seed_from_hsm_secret(MNEMONIC_SECRET)


def test_wrong_missing_and_needless_passphrases_are_told_apart() -> None:
    secret = secret_with_passphrase(b"right")
    with pytest.raises(HsmSecretError, match="the one given is wrong"):
        seed_from_hsm_secret(secret, b"wrong")
    with pytest.raises(HsmSecretError, match=r"none was given; .* needs another secret"):
        seed_from_hsm_secret(secret)
    with pytest.raises(HsmSecretError, match="has no passphrase, but one was given"):
        seed_from_hsm_secret(MNEMONIC_SECRET, b"right")


def test_encrypted_secret_says_how_to_decrypt_it() -> None:
    with pytest.raises(HsmSecretError, match="lightning-hsmtool decrypt"):
        seed_from_hsm_secret(bytes(73))


@pytest.mark.parametrize("length", [0, 1, 31])
def test_short_secret_is_refused_with_its_length(length: int) -> None:
    with pytest.raises(HsmSecretError, match=f"has {length} bytes"):
        seed_from_hsm_secret(bytes(length))


@pytest.mark.parametrize(
    "words",
    [b"\0", WORDS + b"\n", WORDS.replace(b"account", b"about"), WORDS.replace(b"hockey", b"hokey"), b"\xff" * 40],
    ids=["one byte more", "newline", "checksum", "unknown word", "no text"],
)
def test_what_is_no_mnemonic_is_refused_and_not_shown(words: bytes) -> None:
    with pytest.raises(HsmSecretError, match=f"has {32 + len(words)} bytes") as caught:
        seed_from_hsm_secret(bytes(32) + words)
    assert "hockey" not in str(caught.value)
    assert "enroll" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 63, 65])
def test_a_seed_has_32_or_64_bytes(length: int) -> None:
    with pytest.raises(ValueError, match=f"32 or 64 bytes, not {length}"):
        NodeKeys.from_seed(bytes(length))


def test_a_header_without_its_mnemonic_is_no_secret() -> None:
    with pytest.raises(HsmSecretError, match="only the header of a mnemonic file is there"):
        seed_from_hsm_secret(bytes(32))


def test_keys_compare_as_objects_so_that_no_secret_is_compared() -> None:
    keys = NodeKeys.from_seed(ASCII_SECRET)
    assert keys == keys  # noqa: PLR0124
    assert keys != NodeKeys.from_seed(ASCII_SECRET)
    assert not hasattr(NodeKeys, "__match_args__")


def test_keys_show_the_node_id_only() -> None:
    keys = NodeKeys.from_seed(ASCII_SECRET)
    shown = f"NodeKeys(node_id={keys.node_id.hex()})"
    assert repr(keys) == str(keys) == f"{keys}" == shown
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, NodeKeys.__getstate__):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leak(keys)
