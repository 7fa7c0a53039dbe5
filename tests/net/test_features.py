"""The table of features, and what is refused by it."""

from __future__ import annotations

import pytest

from lnoffers.bolt12.features import bitmap
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.features import FEATURES, OFFERED, ONION_MESSAGES, check, offers, with_custom


def test_each_row_is_an_even_bit_of_its_own() -> None:
    bits = [feature.bit for feature in FEATURES]
    assert bits == sorted(set(bits))
    assert not any(bit % 2 for bit in bits)
    assert {feature.needs for feature in FEATURES if feature.needs is not None} <= set(bits)


def test_offers_what_light_peers_of_all_implementations_must() -> None:
    assert bitmap([1, 9, 13, 15, 39, 45]) == OFFERED == bytes.fromhex("20800000a202")


@pytest.mark.parametrize("bit", [ONION_MESSAGES, ONION_MESSAGES + 1])
def test_a_feature_is_offered_by_either_bit(bit: int) -> None:
    assert offers(bitmap([bit]), ONION_MESSAGES)
    assert not offers(bitmap([ONION_MESSAGES - 1, ONION_MESSAGES + 2]), ONION_MESSAGES)


def test_a_peer_may_require_any_feature_of_the_table_and_offer_any_other() -> None:
    check(bitmap([feature.bit for feature in FEATURES] + [999, 20_001]))
    check(b"")


def test_an_application_has_a_bit_of_its_own_beside_the_others() -> None:
    both = with_custom(with_custom(OFFERED, 257), 511)
    assert both == bitmap([1, 9, 13, 15, 39, 45, 257, 511])
    check(both)


@pytest.mark.parametrize("bit", [39, 256, 258, 513])
def test_an_application_cannot_have_another_bit(bit: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"and {bit} is not one"):
        with_custom(OFFERED, bit)


@pytest.mark.parametrize("bit", [2, 20, 64, 1_000])
def test_a_peer_that_requires_an_unknown_feature_is_refused(bit: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"requires feature {bit}") as caught:
        check(bitmap([bit, 1]))
    assert caught.value.hint is Hint.WARN


@pytest.mark.parametrize(("bit", "needs"), [(50, 46), (51, 46), (60, 26)])
def test_a_feature_without_the_one_it_needs_is_refused(bit: int, needs: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"without feature {needs}"):
        check(bitmap([bit]))
    check(bitmap([bit, needs]))
    check(bitmap([bit, needs + 1]))
