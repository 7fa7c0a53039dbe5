"""The merkle root of a message, and the digest of it that is signed.

Each record becomes a leaf paired with a nonce, so that a proof which leaves the record out reveals nothing of it; the
nonces depend on the stream's first record, which holds the payer's unguessable metadata. BOLT 12, "Signature
Calculation".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from lnoffers.bolt12.bigsize import encode_bigsize
from lnoffers.bolt12.tlv import SIGNATURE_TYPES, Record

if TYPE_CHECKING:
    from hashlib import _Hash as Hash


def _tagged(tag: bytes) -> Callable[[], Hash]:
    """Return a function that starts a tagged hash of BIP 340. The part for the tag is computed only once."""
    return sha256(sha256(tag).digest() * 2).copy


_leaf_hash = _tagged(b"LnLeaf")
_branch_hash = _tagged(b"LnBranch")


def merkle_root(records: Sequence[Record]) -> bytes:
    """Return the root, 32 bytes, of all records except signatures, including unknown ones.

    Raises:
        ValueError: if there is nothing to hash.
    """
    return fold(leaves(records))


def leaves(records: Sequence[Record]) -> list[bytes]:
    """Return the lowest level of the tree: the joined leaf and nonce of each signed record."""
    covered = [record for record in records if record.type not in SIGNATURE_TYPES]
    if not covered:
        raise ValueError("a merkle tree needs at least one record that is not a signature")
    nonce = nonces(records[0])
    return [leaf(record, nonce(record.type)) for record in covered]


def nonces(first: Record) -> Callable[[int], bytes]:
    """Return a function from a record's type to its nonce, in a stream that begins with `first`."""
    nonce_hash = _tagged(b"LnNonce" + first.raw)

    def nonce(type_: int) -> bytes:
        state = nonce_hash()
        state.update(encode_bigsize(type_))
        return state.digest()

    return nonce


def leaf(record: Record, nonce: bytes) -> bytes:
    """Return the hash of a record's leaf and nonce together."""
    state = _leaf_hash()
    state.update(record.raw)
    return branch(state.digest(), nonce)


def branch(left: bytes, right: bytes) -> bytes:
    """Return the parent of two nodes, whose order does not matter."""
    state = _branch_hash()
    state.update(left + right if left < right else right + left)
    return state.digest()


def fold(level: list[bytes]) -> bytes:
    """Return the root above a level of at least one node. Neighbours are joined; an odd last one moves up unchanged."""
    while len(level) > 1:
        odd_one = level[len(level) & ~1 :]
        level = [*map(branch, level[::2], level[1::2]), *odd_one]
    return level[0]


@lru_cache(maxsize=16)  # one for each kind of signature
def _signature_hash(message_name: str, field_name: str) -> Callable[[], Hash]:
    return _tagged(f"lightning{message_name}{field_name}".encode())


def signature_digest(message_name: str, field_name: str, root: bytes) -> bytes:
    """Return the digest to sign, 32 bytes: H("lightning" + message + field, root), e.g. invoice_request, signature."""
    state = _signature_hash(message_name, field_name)()
    state.update(root)
    return state.digest()
