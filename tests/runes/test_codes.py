"""Codes of runes are what SHA-256 says: the node computes them from its secret, anyone from a rune."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.runes import Alternative, Authority, Restriction, Rune, restricted

SECRET = bytes(range(32))
AUTHORITY = Authority(SECRET)
ALTERNATIVES = st.builds(
    Alternative,
    st.from_regex(r"[a-z_]{1,9}", fullmatch=True).map(str.encode),
    st.sampled_from("!=/^$~<>{}#"),
    st.text("ab|&\\é", max_size=70).map(str.encode),
)
RESTRICTIONS = st.lists(st.lists(ALTERNATIVES, min_size=1, max_size=3).map(tuple), max_size=4)


@given(st.integers(0, 2**63 - 1), RESTRICTIONS, RESTRICTIONS)
def test_a_rune_restricted_by_its_holder_is_one_of_the_node(
    unique_id: int, first: list[Restriction], more: list[Restriction]
) -> None:
    rune = restricted(AUTHORITY.rune(unique_id, first), more)
    assert rune == AUTHORITY.rune(unique_id, [*first, *more])
    assert AUTHORITY.fault_of(rune) is None
    assert rune.unique_id == unique_id


@given(RESTRICTIONS)
def test_what_is_written_reads_back(restrictions: list[Restriction]) -> None:
    rune = AUTHORITY.rune(7, restrictions)
    assert Rune.parse(rune.encode()) == rune


@given(RESTRICTIONS, st.integers(0, 255))
def test_rejects_a_code_with_another_bit(restrictions: list[Restriction], bit: int) -> None:
    rune = AUTHORITY.rune(7, restrictions)
    code = (int.from_bytes(rune.code) ^ (1 << bit)).to_bytes(32)
    assert AUTHORITY.fault_of(Rune(code, rune.restrictions)) == "Not derived from master"


@given(RESTRICTIONS.filter(bool))
def test_rejects_a_rune_without_one_of_its_restrictions(restrictions: list[Restriction]) -> None:
    rune = AUTHORITY.rune(7, restrictions)
    for position in range(len(rune.restrictions)):
        left = rune.restrictions[:position] + rune.restrictions[position + 1 :]
        if left != rune.restrictions[:-1] or position == len(left):
            assert AUTHORITY.fault_of(Rune(rune.code, left)) == "Not derived from master"


def test_rejects_runes_of_another_node_and_runes_with_a_version() -> None:
    assert Authority(bytes(32)).fault_of(AUTHORITY.rune(0)) == "Not derived from master"
    versioned = AUTHORITY.with_code([(Alternative(b"", "=", b"0-1"),)])
    assert AUTHORITY.fault_of(versioned) == "Version mismatch"


def test_a_rune_without_an_id_can_be_genuine() -> None:
    assert AUTHORITY.fault_of(AUTHORITY.with_code([(Alternative(b"method", "=", b"x"),)])) is None


@pytest.mark.parametrize(
    ("value", "unique_id"),
    [
        *((b"0", 0), (b"12", 12), (b"12-3", 12), (b"9223372036854775807", 2**63 - 1)),
        *((value, None) for value in (b"", b"01", b"+1", b"0x1", b"1 ", b"x", b"9223372036854775808")),
    ],
)
def test_an_id_is_a_plain_number_below_2_to_the_63rd(value: bytes, unique_id: int | None) -> None:
    assert Rune(bytes(32), ((Alternative(b"", "=", value),),)).unique_id == unique_id


def test_neither_secret_nor_code_is_shown_and_the_secret_is_not_pickled() -> None:
    rune = AUTHORITY.rune(0)
    assert repr(AUTHORITY) == "Authority()"
    assert repr(rune) == "Rune(restrictions=b'=0')"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(AUTHORITY)
    with pytest.raises(ValueError, match="has 32 bytes, not 31"):
        Authority(SECRET[1:])
