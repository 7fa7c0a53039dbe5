"""The handshake of BOLT 8, for both roles: three acts that give two nodes shared keys and prove their node ids.

It is Noise_XK over secp256k1. Both sides keep a *chaining key*, into which each shared secret is mixed, and a *hash* of
all that was sent. Each act ends with a tag under a key made of the former over the latter, so an act only verifies if
both sides saw the same bytes and could compute the same secrets:

    act one     initiator -> responder    ephemeral key, and proof of knowing the responder's node id
    act two     responder -> initiator    ephemeral key, and proof of owning that node id
    act three   initiator -> responder    the initiator's node id, encrypted, and proof of owning it

This file handles the acts, which have fixed lengths. It must not depend on sockets or on the messages after the
handshake; their order is the subject of `connection`. Ephemeral keys are passed in, a new one for each handshake.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, final

from lnoffers.bolt12.curve import POINT_LENGTH, KeyPair, is_point
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.crypto import TAG_LENGTH, ZERO_NONCE, NodeKey, hkdf, open_sealed, seal
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.frames import FrameReader, FrameWriter

VERSION: Final = b"\0"
ACT_ONE_LENGTH: Final = 50
ACT_TWO_LENGTH: Final = 50
ACT_THREE_LENGTH: Final = 66

_PROTOCOL: Final = sha256(b"Noise_XK_secp256k1_ChaChaPoly_SHA256").digest()
_START: Final = sha256(_PROTOCOL + b"lightning").digest()
"""The hash after the prologue, which is the same for every connection."""
_SECOND_NONCE: Final = bytes(4) + (1).to_bytes(8, "little")
"""The nonce for the only key that encrypts two texts: act two's tag, then the initiator's node id."""
_SEALED_POINT: Final = POINT_LENGTH + TAG_LENGTH


@final
class _Noise:
    """The state of a handshake, the same on both sides. Its repr does not show it."""

    __slots__ = ("_chaining_key", "_hash", "_key")

    def __init__(self, responder_id: bytes) -> None:
        self._chaining_key = _PROTOCOL
        self._hash = _START
        self._key = b""
        self.mix_hash(responder_id)

    def mix_hash(self, data: bytes) -> None:
        """Mix bytes that were sent, or that both sides know, into the hash."""
        self._hash = sha256(self._hash + data).digest()

    def mix_secret(self, secret: bytes) -> None:
        """Mix a shared secret into the chaining key, and derive the next key from it."""
        self._chaining_key, self._key = hkdf(self._chaining_key, secret)

    def seal(self, text: bytes = b"", nonce: bytes = ZERO_NONCE) -> bytes:
        """Encrypt a text for the other side. An empty text gives only a tag, which is a proof."""
        sealed = seal(self._key, nonce, text, self._hash)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed: bytes, what: str, nonce: bytes = ZERO_NONCE) -> bytes:
        """Decrypt a text from the other side.

        Raises:
            RemoteProtocolError: if its tag is wrong; `what` is the error text.
        """
        text = open_sealed(self._key, nonce, sealed, self._hash)
        if text is None:
            raise _refused(what)
        self.mix_hash(sealed)
        return text

    def keys(self) -> tuple[bytes, bytes, bytes]:
        """Return the chaining key, and the keys of the initiator's and of the responder's frames."""
        return self._chaining_key, *hkdf(self._chaining_key, b"")


@typechecked
@dataclass(frozen=True, slots=True)
class Established:
    """The result of a handshake: the peer's proved node id (33 bytes), and the reader and writer of frames."""

    peer_id: bytes
    reader: FrameReader
    writer: FrameWriter


@typechecked
@final
class Initiator:
    """The side that connects. It must know the responder's node id."""

    __slots__ = ("_ephemeral", "_node", "_noise", "_responder_id")

    def __init__(self, node: NodeKey, ephemeral: KeyPair, responder_id: bytes) -> None:
        """Begin a handshake with the node `responder_id`.

        Raises:
            LocalProtocolError: if `responder_id` is not a compressed point.
        """
        if not is_point(responder_id):
            raise LocalProtocolError("the node id to connect to is not a point on the curve")
        self._node = node
        self._ephemeral = ephemeral
        self._responder_id = responder_id
        self._noise = _Noise(responder_id)
        self._noise.mix_hash(ephemeral.public_key)
        self._noise.mix_secret(ephemeral.shared_secret(responder_id))

    def act_one(self) -> bytes:
        """Return the first act, 50 bytes. Call it once."""
        return VERSION + self._ephemeral.public_key + self._noise.seal()

    @typechecked
    def read_act_two(self, act: bytes) -> tuple[bytes, Established]:
        """Return the third act, 66 bytes, and the result of the handshake.

        Raises:
            RemoteProtocolError: if the other side does not own the node id, or speaks another version.
        """
        theirs = _ephemeral_key(act, "two")
        self._noise.mix_hash(theirs)
        self._noise.mix_secret(self._ephemeral.shared_secret(theirs))
        self._noise.open(
            act[-TAG_LENGTH:], "act two has a wrong tag: the peer does not own the node id it was called by"
        )
        sealed_id = self._noise.seal(self._node.public_key, _SECOND_NONCE)
        self._noise.mix_secret(self._node.shared_secret(theirs))
        act_three = VERSION + sealed_id + self._noise.seal()
        chaining_key, ours, peers = self._noise.keys()
        reader, writer = FrameReader(chaining_key, peers), FrameWriter(chaining_key, ours)
        return act_three, Established(self._responder_id, reader, writer)


@typechecked
@final
class Responder:
    """The side that accepts a connection. It learns the initiator's node id from the third act."""

    __slots__ = ("_ephemeral", "_node", "_noise")

    def __init__(self, node: NodeKey, ephemeral: KeyPair) -> None:
        self._node = node
        self._ephemeral = ephemeral
        self._noise = _Noise(node.public_key)

    @typechecked
    def read_act_one(self, act: bytes) -> bytes:
        """Return the second act, 50 bytes.

        Raises:
            RemoteProtocolError: if the other side does not know this node's id, or speaks another version.
        """
        theirs = _ephemeral_key(act, "one")
        self._noise.mix_hash(theirs)
        self._noise.mix_secret(self._node.shared_secret(theirs))
        self._noise.open(act[-TAG_LENGTH:], "act one has a wrong tag: the peer does not know this node's id")
        self._noise.mix_hash(self._ephemeral.public_key)
        self._noise.mix_secret(self._ephemeral.shared_secret(theirs))
        return VERSION + self._ephemeral.public_key + self._noise.seal()

    @typechecked
    def read_act_three(self, act: bytes) -> Established:
        """Return the result of the handshake.

        Raises:
            RemoteProtocolError: if the other side does not own the node id it names, or changed the version.
        """
        _check_version(act, "three")
        sealed_id, tag = act[1 : 1 + _SEALED_POINT], act[1 + _SEALED_POINT :]
        node_id = self._noise.open(sealed_id, "act three has a wrong ciphertext", _SECOND_NONCE)
        if not is_point(node_id):
            raise _refused("act three names a node id that is not a point on the curve")
        self._noise.mix_secret(self._ephemeral.shared_secret(node_id))
        self._noise.open(tag, "act three has a wrong tag: the peer does not own the node id it names")
        chaining_key, peers, ours = self._noise.keys()
        return Established(node_id, FrameReader(chaining_key, peers), FrameWriter(chaining_key, ours))


def _check_version(act: bytes, name: str) -> None:
    if act[:1] != VERSION:
        raise _refused(f"act {name} has version {act[0]} where only 0 is known")


def _ephemeral_key(act: bytes, name: str) -> bytes:
    """Return the ephemeral key in act one or two."""
    _check_version(act, name)
    key = act[1 : 1 + POINT_LENGTH]
    if not is_point(key):
        raise _refused(f"act {name} has a key that is not a point on the curve")
    return key


def _refused(why: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"handshake: {why}", hint=Hint.CLOSE)
