"""What is compared, and how; the peers themselves answer in `nox -s crosscheck` only."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from lnoffers.bolt12 import Offer, decode
from tests.bolt12.samples import OTHER_SIGNER, as_text, stream
from tests.crosscheck.made import messages
from tests.crosscheck.mutants import mutants
from tests.crosscheck.rows import ROWS, disagreement
from tests.crosscheck.verdicts import Case, Shown, our_verdict, shown

SAMPLE = list(islice(messages(seed=1), 60))
OFFER = Case("made", SAMPLE[0].message.encode())


def test_made_messages_are_good() -> None:
    for made in SAMPLE:
        assert decode(made.message.encode()) == made.message


def test_a_seed_makes_the_same_strings_again() -> None:
    assert list(islice(messages(seed=1), 60)) == SAMPLE
    assert list(mutants(SAMPLE, seed=2)) == list(mutants(SAMPLE, seed=2)) != list(mutants(SAMPLE, seed=3))


def test_mutants_of_each_kind_are_taken_and_refused() -> None:
    verdicts = [(case.kind, our_verdict(case).message is None) for case in (Case(*each) for each in mutants(SAMPLE, 1))]
    assert {*verdicts} == {(kind, refused) for kind in ("offer", "invoice_request", "invoice") for refused in (0, 1)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("lno1", "offer"), ("LNR1QQ", "invoice_request"), (" lni1+ qq", "invoice"), ("strange", "offer")],
)
def test_broken_strings_have_a_kind(text: str, kind: str) -> None:
    assert Case("vector", text).kind == kind


def test_who_says_the_same_does_not_disagree() -> None:
    ours = our_verdict(OFFER)
    assert disagreement(OFFER, ours, "peer", shown(ours.message)) is None
    broken = replace(OFFER, text="lno1")
    assert disagreement(broken, our_verdict(broken), "peer", None) is None


def said(**changes: str | None) -> Shown:
    return {**shown(our_verdict(OFFER).message), **changes}


@pytest.mark.parametrize("theirs", [None, said(offer_amount="5"), said(merkle_id=None)])
def test_another_word_of_a_peer_is_a_finding(theirs: Shown | None) -> None:
    found = disagreement(OFFER, our_verdict(OFFER), "boltz-bolt12", theirs)
    assert found is not None
    assert not any(row.covers(found) for row in ROWS)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ({"offer_amount": 0}, "we refuse an offer_amount of zero"),
        ({"offer_chains": ()}, "we refuse offer_chains without a chain"),
    ],
)
def test_a_known_disagreement_is_in_a_row(broken: dict[str, Any], what: str) -> None:
    good = {"offer_issuer_id": OTHER_SIGNER.public_key, "offer_description": "", "offer_amount": 1}
    case = Case("made", as_text(stream(Offer, **(good | broken)), "lno"))
    found = disagreement(case, our_verdict(case), "lightningdevkit", {})
    assert found is not None
    assert [row.what for row in ROWS if row.covers(found)] == [what]
