"""Onions of BOLT 4 (Sphinx): a packet of fixed size, of which each hop can read its own layer and no other.

The sender shares a secret with each hop: the packet contains a key, which the hop multiplies by its own key and blinds
for the next hop. Two keys are derived from the secret. The stream of `rho` encrypts the payloads, and `mu`
authenticates them. A hop removes its *frame* (length, payload, the next hop's HMAC) from the front. To keep the size,
it appends zeros at the end and decrypts them too. The sender has computed the result in advance (the *filler*).

This file handles packets and frames. Payloads are the subject of `onion_messages`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lnoffers.bolt12.bigsize import encode_bigsize, read_bigsize
from lnoffers.bolt12.curve import POINT_LENGTH, KeyPair, is_point, multiply_point
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.crypto import NodeKey, apply_stream, derive, stream
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError

VERSION: Final = b"\0"
HMAC_LENGTH: Final = 32
OVERHEAD: Final = 1 + POINT_LENGTH + HMAC_LENGTH
"""The length of a packet without its payloads."""
SMALL: Final = 1300
LARGE: Final = 32768
"""The two lengths of payloads that senders should use, so that packets look alike."""
MAX_PAYLOADS: Final = 0xFFFF - OVERHEAD
"""The length of payloads in the largest packet that fits into an onion message."""
_LAST: Final = bytes(HMAC_LENGTH)
"""The zeros in place of the next hop's HMAC in the last hop's frame."""
_LEAST_PAYLOAD: Final = 2


@typechecked
@dataclass(frozen=True, slots=True)
class Layer:
    """The contents of a packet for one hop: its payload, and the packet for the next hop or None."""

    payload: bytes
    next_packet: bytes | None


@typechecked
def payloads_size(payloads: Sequence[bytes]) -> int:
    """Return the size for these payloads: 1300 or 32768 bytes.

    Raises:
        LocalProtocolError: if they do not fit into the larger.
    """
    needed = sum(len(_length(payload)) + len(payload) + HMAC_LENGTH for payload in payloads)
    for size in (SMALL, LARGE):
        if needed <= size:
            return size
    raise LocalProtocolError(f"the onion needs {needed} bytes for its payloads, and at most {LARGE} fit")


@typechecked
def create(session_key: bytes, hops: Sequence[tuple[bytes, bytes]], size: int) -> bytes:
    """Return the packet for the first hop. The same arguments give the same packet.

    Args:
        session_key: a private key of 32 unpredictable bytes, for this packet alone.
        hops: the id of each node on the way, a compressed point, blinded or not, and its payload.
        size: how many bytes the packet has for payloads.

    Raises:
        LocalProtocolError: if there is no hop, an id is not a point, the session key is not a private key, or the
            payloads do not fit.
    """
    if not hops:
        raise LocalProtocolError("an onion has at least one hop")
    secrets, first_key = _secrets(session_key, [node_id for node_id, _ in hops])
    lengths = [len(_length(payload)) + len(payload) + HMAC_LENGTH for _, payload in hops]
    if sum(lengths) > size:
        raise LocalProtocolError(f"the onion needs {sum(lengths)} bytes for its payloads, and has {size}")
    rhos = [derive(b"rho", secret) for secret in secrets]
    filler = _filler(rhos, lengths, size)
    payloads, proof = stream(derive(b"pad", session_key), size), _LAST
    for index in reversed(range(len(hops))):
        payload = hops[index][1]
        payloads = (_length(payload) + payload + proof + payloads)[:size]
        payloads = apply_stream(rhos[index], payloads)
        if index == len(hops) - 1 and filler:
            payloads = payloads[: -len(filler)] + filler
        proof = derive(derive(b"mu", secrets[index]), payloads)
    return VERSION + first_key + payloads + proof


@typechecked
def peel(node: NodeKey, packet: bytes, blinding: bytes | None = None) -> Layer:
    """Remove this node's layer from a packet and return it.

    Args:
        node: this node's key.
        packet: the packet as received.
        blinding: if the node was addressed by a blinded id, the factor, 32 bytes, that its own id was multiplied by.

    Raises:
        RemoteProtocolError: with the hint to drop it, if the packet is for another node, was changed, or is malformed.
    """
    if len(packet) < OVERHEAD:
        raise _bad(f"{len(packet)} bytes are too few for a packet")
    if packet[:1] != VERSION:
        raise _bad(f"version {packet[0]} where only 0 is known")
    key = packet[1 : 1 + POINT_LENGTH]
    payloads, proof = packet[1 + POINT_LENGTH : -HMAC_LENGTH], packet[-HMAC_LENGTH:]
    if not is_point(key):
        raise _bad("the key is not a point on the curve")
    secret = node.shared_secret(key if blinding is None else multiply_point(key, blinding))
    if not hmac.compare_digest(derive(derive(b"mu", secret), payloads), proof):
        raise _bad("the HMAC is wrong: it was made for another node, or changed")
    size = len(payloads)
    frames = apply_stream(derive(b"rho", secret), payloads + bytes(size))
    payload, next_proof, rest = _read_frame(frames, size)
    if next_proof == _LAST:
        return Layer(payload, None)
    next_key = multiply_point(key, sha256(key + secret).digest())
    return Layer(payload, VERSION + next_key + frames[rest : rest + size] + next_proof)


def _secrets(session_key: bytes, node_ids: Sequence[bytes]) -> tuple[list[bytes], bytes]:
    """Return the secret shared with each node, and the key for the first one."""
    try:
        first = key = KeyPair(session_key)
        secrets = []
        for index, node_id in enumerate(node_ids):
            secrets.append(key.shared_secret(node_id))
            if index < len(node_ids) - 1:
                key = key.multiply(sha256(key.public_key + secrets[-1]).digest())
    except ValueError as error:
        raise LocalProtocolError(f"the onion cannot be made: {error}") from None
    return secrets, first.public_key


def _filler(rhos: Sequence[bytes], lengths: Sequence[int], size: int) -> bytes:
    """Return the end of the last hop's payloads, after all hops before it have appended to them."""
    filler = b""
    for rho, length in zip(rhos[:-1], lengths[:-1], strict=True):
        before = size - len(filler)
        filler = apply_stream(rho, bytes(before) + filler + bytes(length))[before:]
    return filler


def _read_frame(frames: bytes, size: int) -> tuple[bytes, bytes, int]:
    """Return the payload, the next hop's HMAC, and the offset of the next frame."""
    try:
        length, start = read_bigsize(frames, 0)
    except Bolt12Error as error:
        raise _bad(f"the payload's length cannot be read: {error.message}") from None
    end = start + length
    if length < _LEAST_PAYLOAD:
        raise _bad(f"a payload of {length} bytes is too short")
    if end + HMAC_LENGTH > size:
        raise _bad(f"a payload of {length} bytes does not fit the packet")
    return frames[start:end], frames[end : end + HMAC_LENGTH], end + HMAC_LENGTH


def _length(payload: bytes) -> bytes:
    return encode_bigsize(len(payload))


def _bad(why: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"onion: {why}", hint=Hint.DROP)
