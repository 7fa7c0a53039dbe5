"""offer: building, reading, ids and expiry; tests/bolt12/test_rules.py has the rules."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import (
    CHAINS,
    BlindedPath,
    Bolt12Error,
    Offer,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
)

from .samples import NOW, OTHER_SIGNER, PATH, REGTEST, as_text, offer, raw_stream, stream

U64_MAX = 2**64 - 1
ISSUER = OTHER_SIGNER.public_key
# Made by our own code once; it must not change, or stored offers lose their ids.
PINNED = (
    "lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrcgqgp7szs2dahx2grrdanxvet9zcssx3s20wtxallm"
    "x62x7mwrc9llwwkh387pct058sf9squu5tu6rclx"
)

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
arguments = st.fixed_dictionaries(
    {"offer_issuer_id": st.just(ISSUER), "offer_description": texts},
    optional={
        "offer_amount": st.integers(1, U64_MAX),
        "offer_chains": st.lists(st.sampled_from(list(CHAINS.values())), min_size=1, max_size=3).map(tuple),
        "offer_metadata": st.binary(max_size=40),
        "offer_features": st.just(b"\xaa"),
        "offer_absolute_expiry": st.integers(0, U64_MAX),
        "offer_paths": st.just((PATH,)),
        "offer_issuer": texts,
        "offer_quantity_max": st.integers(0, U64_MAX),
    },
)


def rejected(data: bytes, **options: Any) -> Bolt12Error:
    """Return the error of reading the stream; the text form gives the same one."""
    with pytest.raises(Bolt12Error) as caught:
        Offer.from_bytes(data, **options)
    with pytest.raises(Bolt12Error) as of_text:
        Offer.parse(as_text(data, "lno"), **options)
    assert str(of_text.value) == str(caught.value)
    return caught.value


def test_builds_the_same_string_each_time() -> None:
    assert offer().encode() == PINNED


@given(arguments)
def test_reads_what_it_builds(values: dict[str, Any]) -> None:
    made = Offer.build(**values)
    read = Offer.parse(made.encode())
    assert read == made
    assert read.offer_id == made.offer_id == sha256(made.to_bytes()).digest()
    chains = values.pop("offer_chains", (CHAINS["bitcoin"],))
    assert read.offer_chains == (None if chains == (CHAINS["bitcoin"],) else chains)
    assert {name: getattr(read, name) for name in values} == values


def test_an_offer_may_recur() -> None:
    values: dict[str, Any] = {
        "offer_recurrence_compulsory": Recurrence(1, 7),
        "offer_recurrence_base": RecurrenceBase(0, NOW),
        "offer_recurrence_paywindow": RecurrencePaywindow(60, 120),
        "offer_recurrence_limit": 12,
    }
    read = Offer.parse(offer(**values).encode())
    assert {name: getattr(read, name) for name in values} == values
    assert read.offer_recurrence == Recurrence(1, 7)
    assert offer(offer_recurrence_optional=Recurrence(0, 9)).offer_recurrence == Recurrence(0, 9)
    assert offer().offer_recurrence is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"offer_issuer_id": ISSUER[1:]}, "not-a-point"),
        ({"offer_amount": -1}, "number-range"),
        ({"offer_description": "a\0"}, "text-nul"),
        ({"offer_chains": (b"regtest",)}, "wrong-length"),
        ({"offer_amount": None, "offer_currency": "EUR"}, "currency-without-amount"),
        ({"offer_chains": ()}, "chains-empty"),
    ],
)
def test_refuses_to_build_what_no_reader_takes(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(Bolt12Error) as caught:
        offer(**changes)
    assert caught.value.rule == rule


def test_paths_take_the_place_of_earlier_ones_and_nothing_else_changes() -> None:
    reached = offer().with_paths([PATH])
    assert reached == offer(offer_paths=[PATH])
    assert reached.offer_id != offer().offer_id
    assert reached.with_paths([PATH, PATH]) == offer(offer_paths=[PATH, PATH])


def test_no_paths_are_a_field_that_is_there_and_empty() -> None:
    assert offer().with_paths([]).offer_paths == ()
    assert Offer.parse(offer().with_paths([]).encode()).offer_paths == ()


def test_refuses_a_path_without_hops() -> None:
    with pytest.raises(Bolt12Error, match="empty offer_path"):
        offer().with_paths([BlindedPath(ISSUER, ISSUER, ())])


def test_unknown_odd_records_are_kept_and_part_of_the_id() -> None:
    data = offer().to_bytes() + raw_stream((79, b"later"), (1_999_999_999, b"experiment"))
    read = Offer.from_bytes(data)
    assert read.to_bytes() == data
    assert [record.type for record in read.unknown_records] == [79, 1_999_999_999]
    assert read.offer_id == sha256(data).digest()


def test_needs_one_of_its_chains_if_the_reader_names_one() -> None:
    both = offer(offer_chains=(CHAINS["bitcoin"], REGTEST)).to_bytes()
    assert Offer.from_bytes(both, chain=REGTEST).offer_chains == (CHAINS["bitcoin"], REGTEST)
    unnamed = offer(offer_chains=(CHAINS["bitcoin"],)).to_bytes()
    assert Offer.from_bytes(unnamed, chain=CHAINS["bitcoin"]).offer_chains is None
    for data, chain, offset in ((both, CHAINS["signet"], 0), (unnamed, REGTEST, None)):
        error = rejected(data, chain=chain)
        assert (str(error), error.rule, error.field, error.offset) == (
            "wrong chain",
            "wrong-chain",
            "offer_chains",
            offset,
        )


def test_no_chain_at_all_is_wrong_for_any_reader() -> None:
    data = stream(Offer, offer_chains=(), offer_issuer_id=ISSUER)
    assert rejected(data).rule == "chains-empty"
    assert str(rejected(data)) == "offer_chains with zero entries"
    for chain in CHAINS.values():
        assert rejected(data, chain=chain).rule == "wrong-chain"


def test_takes_the_features_that_the_reader_knows() -> None:
    data = stream(Offer, offer_features=b"\x05", offer_issuer_id=ISSUER)
    assert Offer.from_bytes(data, features=frozenset({0, 2})).offer_features == b"\x05"
    error = rejected(data, features=frozenset({0}))
    assert (str(error), error.rule) == ("unknown feature bit 2", "unknown-offer-feature")


@pytest.mark.parametrize("type_", [0, 80, 160, 240, 1000, 1001, 999_999_999, 2_000_000_000, U64_MAX])
def test_rejects_records_out_of_range(type_: int) -> None:
    odd = type_ | 1
    error = rejected(offer().to_bytes() + raw_stream((odd, b"")) if odd > 22 else raw_stream((type_, b"")))
    expected = f"Offer {odd} field outside offer range" if odd > 22 else "invalid offer data"
    assert str(error) == expected


def test_rejects_broken_data_and_says_where() -> None:
    error = rejected(raw_stream((8, b"\1"), (10, b"\xff")))
    assert str(error) == "invalid offer data"
    assert (error.rule, error.field, error.offset) == ("text-not-utf8", "offer_description", 3)


def test_an_offer_has_ended_after_its_expiry_for_whoever_asks() -> None:
    ends = offer(offer_absolute_expiry=NOW)
    ends.check_unexpired(NOW)
    with pytest.raises(Bolt12Error, match="Offer expired") as caught:
        ends.check_unexpired(NOW + 1)
    assert (caught.value.rule, caught.value.field) == ("offer-expired", "offer_absolute_expiry")
    offer().check_unexpired(U64_MAX)


def test_what_ends_a_path_may_sign() -> None:
    assert offer(offer_paths=(PATH, PATH)).offer_path_ends == {PATH.hops[-1].blinded_node_id}
    assert offer().offer_path_ends == frozenset()
