"""Hiding parts of a merkle tree: which subtrees, in which order, and that the root comes out again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12.disclosure import disclosed_root, hidden_hashes, hidden_spans
from lnoffers.bolt12.merkle import branch, leaves, merkle_root, nonces
from lnoffers.bolt12.tlv import Record

trees = st.lists(st.booleans(), min_size=1, max_size=33).filter(lambda omitted: not all(omitted))


def records(count: int) -> list[Record]:
    return [Record.build(type_, b"value") for type_ in range(count)]


@given(trees)
def test_the_root_follows_from_what_is_shown(omitted: list[bool]) -> None:
    whole = records(len(omitted))
    nonce = nonces(whole[0])
    shown = [record for record, hidden in zip(whole, omitted, strict=True) if not hidden]
    hashes = hidden_hashes(leaves(whole), omitted)
    assert disclosed_root(shown, [nonce(record.type) for record in shown], omitted, hashes) == merkle_root(whole)


@given(trees)
def test_hidden_subtrees_cover_exactly_what_is_hidden(omitted: list[bool]) -> None:
    covered = [index for span in hidden_spans(omitted) for index in span]
    assert sorted(covered) == [index for index, hidden in enumerate(omitted) if hidden]


@pytest.mark.parametrize(
    ("shape", "spans"),
    [
        ("s", []),
        ("h", []),
        ("hhhh", []),
        ("hs", [(0, 1)]),
        ("sh", [(1, 2)]),
        ("sshh", [(2, 4)]),
        ("hshsh", [(0, 1), (2, 3), (4, 5)]),
        ("hhsssshs", [(6, 7), (0, 2)][::-1]),
        ("hhshhhhs", [(3, 4), (0, 2), (6, 7), (4, 6)]),
        ("shhhhhh", [(1, 2), (2, 4), (4, 7)]),
    ],
)
def test_subtrees_come_depth_first_and_children_before_parents(shape: str, spans: list[tuple[int, int]]) -> None:
    found = hidden_spans([symbol == "h" for symbol in shape])
    assert [(span.start, span.stop) for span in found] == spans


def test_the_hash_of_two_hidden_neighbours_is_that_of_their_parent() -> None:
    level = leaves(records(4))
    assert hidden_hashes(level, [False, False, True, True]) == (branch(level[2], level[3]),)
