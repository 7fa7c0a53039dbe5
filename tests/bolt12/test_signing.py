"""Signers: what they are asked, and that no wrong signature leaves."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from lnoffers.bolt12 import Bolt12Error, CallbackSigner, KeyPair, KeySigner, SigningRequest
from lnoffers.bolt12.signing import sign

from .samples import OTHER_SIGNER, SIGNER, request, unsigned

ROOT = bytes(range(32))
REQUEST = SigningRequest("invoice_request", "signature", ROOT)


def test_the_digest_is_for_one_field_of_one_message() -> None:
    tag = sha256(b"lightninginvoice_requestsignature").digest()
    assert REQUEST.digest == sha256(tag + tag + ROOT).digest()
    assert SigningRequest("payer_proof", "signature", ROOT).digest != REQUEST.digest
    assert SigningRequest("invoice_request", "proof_signature", ROOT).digest != REQUEST.digest


def test_a_key_signer_signs_the_digest_with_its_pair() -> None:
    pair = KeyPair(bytes(range(1, 33)))
    assert KeySigner(pair).sign(REQUEST) == pair.sign(REQUEST.digest)
    assert KeySigner(pair).public_key == pair.public_key
    assert repr(KeySigner(pair)) == f"KeySigner(KeyPair(public_key={pair.public_key.hex()}))"


class RemoteSigner:
    """Elsewhere; it makes the digest itself, as a device that trusts nobody does."""

    public_key = SIGNER.public_key

    def __init__(self) -> None:
        self.asked: list[SigningRequest] = []

    def sign(self, request: SigningRequest, /) -> bytes:
        self.asked.append(request)
        tag = sha256(f"lightning{request.message}{request.field}".encode()).digest()
        return KeyPair(bytes(range(1, 33))).sign(sha256(tag + tag + request.merkle_root).digest())


def test_a_remote_signer_gets_all_that_it_needs() -> None:
    signer = RemoteSigner()
    made = unsigned()
    assert made.sign(signer) == request()
    assert signer.asked == [made.signing_request]


def test_a_callback_signs_for_the_key_it_is_given_with() -> None:
    asked: list[SigningRequest] = []

    def device(request: SigningRequest) -> bytes:
        asked.append(request)
        return SIGNER.sign(request)

    assert unsigned().sign(CallbackSigner(SIGNER.public_key, device)) == request()
    assert asked == [unsigned().signing_request]
    with pytest.raises(Bolt12Error) as caught:
        unsigned().sign(CallbackSigner(SIGNER.public_key, OTHER_SIGNER.sign))
    assert caught.value.rule == "signer-signature"


def test_what_a_callback_is_bound_to_is_not_shown() -> None:
    def ask(password: str, request: SigningRequest) -> bytes:
        raise NotImplementedError

    signer = CallbackSigner(b"\2", partial(ask, "the password of the device"))
    assert repr(signer) == "CallbackSigner(public_key=b'\\x02')"


class WrongSigner:
    """Claims a key that it does not have."""

    public_key = SIGNER.public_key

    def sign(self, request: SigningRequest, /) -> bytes:
        return OTHER_SIGNER.sign(request)


def test_refuses_a_signer_with_another_key_before_it_signs() -> None:
    with pytest.raises(Bolt12Error, match="KeySigner has another key than the message's, 02") as caught:
        sign(OTHER_SIGNER, REQUEST, public_key=SIGNER.public_key)
    assert caught.value.rule == "signer-key"


def test_a_wrong_signature_does_not_leave() -> None:
    with pytest.raises(Bolt12Error, match="WrongSigner returned a signature that does not verify") as caught:
        sign(WrongSigner(), REQUEST, public_key=SIGNER.public_key)
    assert caught.value.rule == "signer-signature"


@pytest.mark.parametrize(
    ("answer", "what"),
    [(None, "NoneType"), ("ab" * 32, "str"), (bytearray(64), "bytearray"), (bytes(63), "63 bytes"), (b"", "0 bytes")],
)
def test_what_is_no_signature_at_all_is_named_but_not_shown(answer: Any, what: str) -> None:
    with pytest.raises(Bolt12Error) as caught:
        sign(CallbackSigner(SIGNER.public_key, lambda _: answer), REQUEST, public_key=SIGNER.public_key)
    assert caught.value.rule == "signer-signature"
    assert str(caught.value) == f"CallbackSigner returned {what} where the 64 bytes of a signature are due"
