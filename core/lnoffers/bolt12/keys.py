"""A node's keys from its `hsm_secret`, as Core Lightning derives them.

The file's bytes give a seed: 32 raw bytes, or the 64 bytes that BIP 39 makes of a mnemonic. HKDF-SHA256 of the seed
gives the node's key, and a base from which each request's payer key follows with the request's metadata.
"""

from __future__ import annotations

import hmac
from hashlib import pbkdf2_hmac, sha256
from typing import NoReturn, final

from lnoffers.bolt12.curve import KeyPair, add_to_point
from lnoffers.bolt12.signing import KeySigner
from lnoffers.bolt12.typecheck import typechecked

_RAW_LENGTH = 32
_ENCRYPTED_LENGTH = 73
_HEADER_LENGTH = 32
_NO_PASSPHRASE = bytes(_HEADER_LENGTH)
_ENTROPY_LENGTH = 16
_SEED_LENGTHS = (32, 64)


class HsmSecretError(ValueError):
    """The content of an `hsm_secret` file cannot be used. The message says why and never quotes the content."""


@typechecked
def seed_from_hsm_secret(content: bytes, passphrase: bytes = b"") -> bytes:
    """Return the seed, 32 or 64 bytes, in the content of an `hsm_secret` file.

    Args:
        content: the whole file: 32 raw bytes; or a header of 32 bytes and an English BIP 39 mnemonic. The header is
            zero if the mnemonic has no passphrase, else SHA256 of the seed.
        passphrase: the mnemonic's, as it was typed, if the header says that it has one.

    Raises:
        HsmSecretError: for anything else, the encrypted form of 73 bytes and 32 zero bytes included.
    """
    if content == _NO_PASSPHRASE:
        raise HsmSecretError(
            "hsm_secret has 32 zero bytes: only the header of a mnemonic file is there; restore the whole file"
        )
    if len(content) == _RAW_LENGTH:
        return content
    if len(content) == _ENCRYPTED_LENGTH:
        raise HsmSecretError(
            "hsm_secret is encrypted (73 bytes); decrypt a copy of it first: lightning-hsmtool decrypt PATH/hsm_secret"
        )
    if len(content) < _RAW_LENGTH:
        raise HsmSecretError(
            f"hsm_secret has {len(content)} bytes; it needs 32, or 32 followed by a mnemonic of 12 to 24 words"
        )
    header, mnemonic = content[:_HEADER_LENGTH], content[_HEADER_LENGTH:]
    _check_mnemonic(mnemonic)
    if header == _NO_PASSPHRASE:
        if passphrase:
            raise HsmSecretError("hsm_secret's mnemonic has no passphrase, but one was given")
        return _bip39_seed(mnemonic, b"")
    seed = _bip39_seed(mnemonic, passphrase)
    if not hmac.compare_digest(sha256(seed).digest(), header):
        raise HsmSecretError(
            "hsm_secret's mnemonic has a passphrase, and the one given is wrong"
            if passphrase
            else "hsm_secret's mnemonic has a passphrase, and none was given; "
            "the lnoffers program cannot take one yet, so it needs another secret, one without a passphrase"
        )
    return seed


@typechecked
def new_hsm_secret(entropy: bytes) -> bytes:
    """Return the content of a new `hsm_secret` file: 12 words for `entropy` (16 bytes), without a passphrase.

    Raises:
        ValueError: if `entropy` has another length.
    """
    if len(entropy) != _ENTROPY_LENGTH:
        raise ValueError(f"the entropy of 12 words is {_ENTROPY_LENGTH} bytes, not {len(entropy)}")
    from mnemonic import Mnemonic  # noqa: PLC0415 # 0085: optional

    return _NO_PASSPHRASE + Mnemonic("english").to_mnemonic(entropy).encode()


@final
@typechecked
class NodeKeys:
    """The keys of one node. Their repr shows no secret, they cannot be pickled or copied, and compare by identity."""

    __slots__ = ("_alias_base", "_base", "_key_pair")

    def __init__(self, key_pair: KeyPair, base: bytes) -> None:
        """Create the keys; use `from_seed` instead. Named secrets are derived from `base`, 32 bytes."""
        self._key_pair = key_pair
        self._base = base
        self._alias_base = self.named_secret("node-alias-base")

    @classmethod
    @typechecked
    def from_seed(cls, seed: bytes) -> NodeKeys:
        """Return the keys of the node with this seed.

        Raises:
            ValueError: if the seed does not have 32 or 64 bytes.
        """
        if len(seed) not in _SEED_LENGTHS:
            raise ValueError(f"a seed has 32 or 64 bytes, not {len(seed)}")
        return cls(_node_key_pair(seed), _hkdf(salt=bytes(32), key=seed, info=b"derived secrets"))

    @property
    def key_pair(self) -> KeyPair:
        """The node's own key pair, with which it proves its id to a peer (BOLT 8)."""
        return self._key_pair

    @property
    def node_signer(self) -> KeySigner:
        """The signer with the node's own key."""
        return KeySigner(self._key_pair)

    @property
    def node_id(self) -> bytes:
        """The node's public key, a compressed point of 33 bytes."""
        return self._key_pair.public_key

    @typechecked
    def named_secret(self, name: str) -> bytes:
        """Return the secret, 32 bytes, for the purpose with this name, as Core Lightning's `makesecret` derives it."""
        return _hkdf(salt=bytes(32), key=self._base, info=name.encode())

    @typechecked
    def path_id(self, identity: bytes) -> bytes:
        """Return the path_id, 32 bytes, of the paths of an offer or a request of this node.

        `identity` is its id, 32 bytes, from before it had paths.
        """
        return sha256(self.named_secret("offer-blinded-path") + identity).digest()

    @typechecked
    def payer_id(self, metadata: bytes) -> bytes:
        """Return the payer's public key for a request with this metadata: a compressed point that hides the node."""
        return add_to_point(self.node_id, self._payer_tweak(metadata))

    @typechecked
    def payer_signer(self, metadata: bytes) -> KeySigner:
        """Return the signer with the key `payer_id(metadata)`."""
        return KeySigner(self._key_pair.add(self._payer_tweak(metadata)))

    @typechecked
    def recurrence_metadata(self, offer_id: bytes, label: bytes) -> bytes:
        """Return the metadata, 32 bytes, of all requests in a series of payments for a recurring offer.

        They all need the same payer key. `label` is the payer's name for the series, as Core Lightning has it: the
        text of a JSON string with its escapes.
        """
        return self._payer_tweak(offer_id + label)

    def _payer_tweak(self, metadata: bytes) -> bytes:
        return sha256(self._alias_base + metadata).digest()

    def __repr__(self) -> str:
        return f"NodeKeys(node_id={self.node_id.hex()})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a node's keys cannot be pickled or copied")

    def __reduce__(self) -> NoReturn:
        self.__getstate__()


def _check_mnemonic(mnemonic: bytes) -> None:
    from mnemonic import Mnemonic  # noqa: PLC0415 # 0085: optional

    if not mnemonic.isascii() or not Mnemonic("english").check(mnemonic.decode()):
        raise HsmSecretError(
            f"hsm_secret has {_HEADER_LENGTH + len(mnemonic)} bytes, so it should end in an English mnemonic (BIP 39), "
            "but those words are unknown or their checksum is wrong"
        )


def _bip39_seed(mnemonic: bytes, passphrase: bytes) -> bytes:
    # BIP 39 normalises the passphrase first; Core Lightning takes it as it is typed, and its files are what we read.
    return pbkdf2_hmac("sha512", mnemonic, b"mnemonic" + passphrase, 2048)


def _node_key_pair(seed: bytes) -> KeyPair:
    # The salt is a counter, in case the result is not a private key, which happens once in 2^127 seeds.
    return KeyPair(_hkdf(salt=bytes(4), key=seed[:32], info=b"nodeid"))


def _hkdf(*, salt: bytes, key: bytes, info: bytes) -> bytes:
    """Compute HKDF-SHA256 (RFC 5869) for one block of output, 32 bytes."""
    pseudo_random_key = hmac.digest(salt, key, "sha256")
    return hmac.digest(pseudo_random_key, info + b"\x01", "sha256")
