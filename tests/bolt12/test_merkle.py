"""The merkle root, against a second formulation straight from the specification's words."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12.bigsize import encode_bigsize
from lnoffers.bolt12.merkle import merkle_root, signature_digest
from lnoffers.bolt12.tlv import Record

records = (
    st.dictionaries(st.integers(0, 2**64 - 1), st.binary(max_size=40), min_size=1, max_size=12)
    .map(lambda d: [Record.build(type_, value) for type_, value in sorted(d.items())])
    .filter(lambda records: any(not 240 <= record.type <= 1000 for record in records))
)


def tagged(tag: bytes, message: bytes) -> bytes:
    return sha256(sha256(tag).digest() * 2 + message).digest()


def branch(left: bytes, right: bytes) -> bytes:
    return tagged(b"LnBranch", min(left, right) + max(left, right))


def combine(nodes: list[bytes]) -> bytes:
    """Return the root of a tree whose left side is the largest full tree that leaves something for the right."""
    if len(nodes) == 1:
        return nodes[0]
    left = 1 << ((len(nodes) - 1).bit_length() - 1)
    return branch(combine(nodes[:left]), combine(nodes[left:]))


@given(records)
def test_root_is_that_of_the_specification(records: list[Record]) -> None:
    nonce_tag = b"LnNonce" + records[0].raw
    leaves = [
        branch(tagged(b"LnLeaf", record.raw), tagged(nonce_tag, encode_bigsize(record.type)))
        for record in records
        if not 240 <= record.type <= 1000
    ]
    assert merkle_root(records) == combine(leaves)


def test_signature_fields_take_no_part() -> None:
    plain = [Record.build(1, b"a"), Record.build(5, b"b")]
    signatures = [Record.build(240, b"c"), Record.build(1000, b"d")]
    beyond = [Record.build(1001, b"e")]
    assert merkle_root(plain + signatures) == merkle_root(plain)
    assert merkle_root(plain + beyond) != merkle_root(plain)


def test_there_is_no_root_without_records() -> None:
    for nothing in ([], [Record.build(240, b"")]):
        with pytest.raises(ValueError, match="at least one record"):
            merkle_root(nothing)


def test_a_digest_is_for_one_field_of_one_message() -> None:
    assert signature_digest("invoice", "signature", bytes(32)) == tagged(b"lightninginvoicesignature", bytes(32))
    assert signature_digest("invoice_request", "signature", bytes(32)) != signature_digest(
        "invoice", "signature", bytes(32)
    )
