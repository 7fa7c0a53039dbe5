"""The merkle root that BOLT 12 signatures cover, and the digest that is signed in the end.

Each record becomes a leaf paired with a nonce, so that a proof which leaves the record out reveals nothing of it; the
nonces depend on the stream's first record, which holds the payer's unguessable metadata. BOLT 12, "Signature
Calculation".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256

from lnoffers.bolt12.bigsize import encode_bigsize
from lnoffers.bolt12.tlv import SIGNATURE_TYPES, Record


def _tagged(tag: bytes) -> Callable[[bytes], bytes]:
    """The tagged hash of BIP 340 for one tag, whose part of the work is done once."""
    copy = sha256(sha256(tag).digest() * 2).copy

    def tagged_hash(message: bytes) -> bytes:
        state = copy()
        state.update(message)
        return state.digest()

    return tagged_hash


_leaf_hash = _tagged(b"LnLeaf")
_branch_hash = _tagged(b"LnBranch")


def _branch(left: bytes, right: bytes) -> bytes:
    return _branch_hash(left + right if left < right else right + left)


def merkle_root(records: Sequence[Record]) -> bytes:
    """The root, 32 bytes, over all records but those of signature types, unknown ones included.

    Raises ValueError if there is nothing to hash.
    """
    covered = [record for record in records if record.type not in SIGNATURE_TYPES]
    if not covered:
        raise ValueError("a merkle tree needs at least one record that is not a signature")
    nonce_hash = _tagged(b"LnNonce" + records[0].raw)
    level = [_branch(_leaf_hash(record.raw), nonce_hash(encode_bigsize(record.type))) for record in covered]
    while len(level) > 1:
        odd_one = level[len(level) & ~1 :]  # moves up as it is
        level = [*map(_branch, level[::2], level[1::2]), *odd_one]
    return level[0]


@lru_cache(maxsize=16)  # one for each kind of signature
def _signature_hash(message_name: str, field_name: str) -> Callable[[bytes], bytes]:
    return _tagged(f"lightning{message_name}{field_name}".encode())


def signature_digest(message_name: str, field_name: str, root: bytes) -> bytes:
    """What BIP 340 signs, 32 bytes: H("lightning" + message + field, root), as in ("invoice_request", "signature")."""
    return _signature_hash(message_name, field_name)(root)
