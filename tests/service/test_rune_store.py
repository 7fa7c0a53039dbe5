"""The blacklist is a set of ids, stored as ranges."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lnoffers.service import Node
from lnoffers.service.store import runes
from lnoffers.service.store.runes import Range, with_range, without_range

RANGES = st.builds(lambda first, length: Range(first, first + length), st.integers(0, 30), st.integers(0, 8))


def ids(ranges: list[Range]) -> set[int]:
    return {each for first, last in ranges for each in range(first, last + 1)}


@given(st.lists(st.tuples(RANGES, st.booleans())))
def test_ranges_are_those_of_the_set(changes: list[tuple[Range, bool]]) -> None:
    ranges, expected = list[Range](), set[int]()
    for changed, adds in changes:
        ranges = (with_range if adds else without_range)(ranges, changed)
        expected = expected | ids([changed]) if adds else expected - ids([changed])
        assert ids(ranges) == expected
        assert all(one.last + 1 < other.first for one, other in pairwise(ranges))
        assert all(each.first <= each.last for each in ranges)


def test_stored_ranges_are_found_by_the_ids_in_them(node: Node) -> None:
    with node.store.transaction() as connection:
        runes.replace_blacklist(connection, [Range(1, 3), Range(9, 9)])
        runes.replace_blacklist(connection, [Range(1, 2), Range(5, 99_999_999)])
        assert runes.blacklist(connection) == [Range(1, 2), Range(5, 99_999_999)]
        found = [
            number for number in (0, 1, 2, 3, 4, 5, 99_999_999, 100_000_000) if runes.is_blacklisted(connection, number)
        ]
    assert found == [1, 2, 5, 99_999_999]
