"""Sign a message, and verify each signature before it is returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeVar, final, runtime_checkable

from lnoffers.bolt12 import curve
from lnoffers.bolt12.curve import KeyPair
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.merkle import merkle_root, signature_digest
from lnoffers.bolt12.message import Field, TextMessage
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import trusted, typechecked


@typechecked
@dataclass(frozen=True, slots=True)
class SigningRequest:
    """The data to sign: message name, field name and merkle root, which BOLT 12 combines into a digest.

    Attributes:
        message: the message's name, as `invoice_request`.
        field: the name of the field that the signature goes into, as `signature`.
        merkle_root: the root over the message's records, 32 bytes.
    """

    message: str
    field: str
    merkle_root: bytes

    @property
    def digest(self) -> bytes:
        """The 32 bytes that BIP 340 signs. BOLT 12, "Signature Calculation"."""
        return signature_digest(self.message, self.field, self.merkle_root)


@runtime_checkable
class Signer(Protocol):
    """An object that signs with a private key: a `KeySigner`, or an adapter to a remote or hardware signer.

    Such a device should make the digest itself from the request's parts, so that it knows what it signs.
    """

    @property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes."""

    def sign(self, request: SigningRequest, /) -> bytes:
        """Return the BIP 340 signature, 64 bytes, of `request.digest`."""


@final
@typechecked
class KeySigner:
    """A signer with a key pair in memory."""

    __slots__ = ("_key_pair",)

    def __init__(self, key_pair: KeyPair) -> None:
        self._key_pair = key_pair

    @property
    def public_key(self) -> bytes:
        """The compressed point, 33 bytes."""
        return self._key_pair.public_key

    @typechecked
    def sign(self, request: SigningRequest, /) -> bytes:
        """Return the BIP 340 signature, 64 bytes, the same each time."""
        return self._key_pair.sign(request.digest)

    def __repr__(self) -> str:
        return f"KeySigner({self._key_pair!r})"


@typechecked
@dataclass(frozen=True, slots=True)
class CallbackSigner:
    """A signer that calls a function, for a hardware or remote signer.

    Attributes:
        public_key: the compressed point, 33 bytes, whose signatures the function returns.
        callback: returns the BIP 340 signature, 64 bytes, for a request.
    """

    public_key: bytes
    callback: Callable[[SigningRequest], bytes] = field(repr=False)  # it may be bound to a secret

    @typechecked
    def sign(self, request: SigningRequest, /) -> bytes:
        """Return the signature from the callback."""
        return self.callback(request)


def sign(signer: Signer, request: SigningRequest, *, public_key: bytes) -> bytes:
    """Return the signer's signature for the request, made for `public_key` and verified against it.

    Raises:
        Bolt12Error: `signer-key` if the signer has another key, `signer-signature` if its signature is wrong.
    """
    name = type(signer).__name__
    if signer.public_key != public_key:
        raise Bolt12Error(f"{name} has another key than the message's, {public_key.hex()}", rule=RuleName.SIGNER_KEY)
    signature: object = signer.sign(request)  # whatever a signer of others' making returns
    if not isinstance(signature, bytes) or len(signature) != curve.SIGNATURE_LENGTH:
        what = f"{len(signature)} bytes" if isinstance(signature, bytes) else type(signature).__name__
        raise Bolt12Error(
            f"{name} returned {what} where the {curve.SIGNATURE_LENGTH} bytes of a signature are due",
            rule=RuleName.SIGNER_SIGNATURE,
        )
    if not curve.verify(public_key, request.digest, signature):
        raise Bolt12Error(f"{name} returned a signature that does not verify", rule=RuleName.SIGNER_SIGNATURE)
    return signature


_signing_request = trusted(SigningRequest)


class SignedMessage(TextMessage):
    """A message whose records are signed by the key in one of its fields, into another."""

    __slots__ = ("_is_valid",)

    _is_valid: bool
    signed_in: ClassVar[str]
    """The field of the signature."""
    signed_by: ClassVar[str]
    """The field of the key."""

    @property
    def signing_request(self) -> SigningRequest:
        """The data to sign.

        Raises:
            ValueError: if there is no record to sign.
        """
        return _signing_request(self.kind, self.signed_in, merkle_root(self._records))

    def has_valid_signature(self) -> bool:
        """Return whether the message has a key and a valid signature of that key. This is computed once."""
        try:
            return self._is_valid
        except AttributeError:
            self._is_valid = self._verify_signature()
            return self._is_valid

    def _verify_signature(self) -> bool:
        key, signature = getattr(self, self.signed_by), getattr(self, self.signed_in)
        if key is None or signature is None:
            return False
        return curve.verify(key, signature_digest(self.kind, self.signed_in, merkle_root(self._records)), signature)

    def _signed(self, signed: type[S], signer: Signer) -> S:
        """Return this message with the signer's verified signature, as an instance of `signed`.

        Raises:
            Bolt12Error: those of `sign`; `signing-key-missing` or `already-signed` if there is nothing to sign for.
        """
        key = getattr(self, self.signed_by)
        if key is None:
            raise Bolt12Error(f"Missing {self.signed_by}", rule=RuleName.SIGNING_KEY_MISSING, field=self.signed_by)
        if getattr(self, self.signed_in) is not None:
            raise Bolt12Error("the message has a signature", rule=RuleName.ALREADY_SIGNED, field=self.signed_in)
        place: Field[bytes] = getattr(signed, self.signed_in)
        signature = sign(signer, self.signing_request, public_key=key)
        record = place.encode(signature)
        return signed(tuple(sorted((*self._records, record))), {**self._values, record.type: signature})


S = TypeVar("S", bound=SignedMessage)
