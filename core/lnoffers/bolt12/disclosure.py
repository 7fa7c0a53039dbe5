"""Selective disclosure: show some records of a signed message and hash the others; its signature still verifies.

A proof gives hashes in place of hidden records. If two neighbours in the merkle tree are hidden, the hash of their
parent is enough. So the hashes are those of the largest subtrees without a shown record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lnoffers.bolt12.merkle import branch, fold, leaf
from lnoffers.bolt12.tlv import SIGNATURE_TYPES, Record

PROOF_TYPES = range(1001, 1_000_000_000)
"""The types of the proof's own records, which are not part of the message."""
_NO_MARKERS = range(240, 1_000_000_000)
"""The types of signatures and of proofs. No marker of a hidden record is in this range."""


def is_shown(record: Record) -> bool:
    """Return whether a record of a proof is one of the message, and covered by the message's signature."""
    return record.type not in SIGNATURE_TYPES and record.type not in PROOF_TYPES


def next_marker(previous: int) -> int:
    """Return the marker for a hidden record after a record or marker with number `previous`.

    It is the next number that is not the type of a signature or of a proof. BOLT 12, "Payer Proofs".
    """
    following = previous + 1
    return _NO_MARKERS.stop if following in _NO_MARKERS else following


def hidden_spans(omitted: Sequence[bool]) -> list[range]:
    """Return the largest subtrees of hidden records only, as ranges of leaves. `omitted` marks the hidden leaves.

    Their order is that of proof_missing_hashes: depth first, from the lowest type, children before their parent.
    There is none if nothing is shown, for then the whole tree is hidden.
    """
    spans: list[range] = []

    def hides_all(span: range) -> bool:
        if len(span) == 1:
            return omitted[span.start]
        left, right = _halves(span)
        left_hidden, right_hidden = hides_all(left), hides_all(right)
        if left_hidden != right_hidden:
            spans.append(left if left_hidden else right)
        return left_hidden and right_hidden

    hides_all(range(len(omitted)))
    return spans


def hidden_hashes(leaves: Sequence[bytes], omitted: Sequence[bool]) -> tuple[bytes, ...]:
    """Return the hashes of `hidden_spans`, from all leaves of the message."""
    return tuple(fold(list(leaves[span.start : span.stop])) for span in hidden_spans(omitted))


def disclosed_root(
    shown: Sequence[Record], nonces: Sequence[bytes], omitted: Sequence[bool], hashes: Sequence[bytes]
) -> bytes:
    """Return the message's merkle root, 32 bytes, from a proof: its shown records with nonces, and `hidden_hashes`.

    There must be as many of each as `omitted` asks for, and at least one record.
    """
    known = dict(zip(hidden_spans(omitted), hashes, strict=True))
    leaves = iter([leaf(record, nonce) for record, nonce in zip(shown, nonces, strict=True)])
    return _root_above(range(len(omitted)), known.get, lambda: next(leaves))


def _root_above(span: range, known: Callable[[range], bytes | None], next_leaf: Callable[[], bytes]) -> bytes:
    node = known(span)
    if node is not None:
        return node
    if len(span) == 1:
        return next_leaf()
    left, right = _halves(span)
    return branch(_root_above(left, known, next_leaf), _root_above(right, known, next_leaf))


def _halves(span: range) -> tuple[range, range]:
    """Return the leaves below a node's two children: the left one is full, a power of two, the right has the rest."""
    size = 1 << (len(span) - 1).bit_length() - 1
    return span[:size], span[size:]
