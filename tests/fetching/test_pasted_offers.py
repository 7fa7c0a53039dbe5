"""What is asked for may be pasted, and what cannot be asked for is refused in plain words, before anybody is asked."""

from __future__ import annotations

import asyncio

import pytest

import lnoffers
from lnoffers import Bolt12Error, FetchError
from lnoffers.fetching import Reason
from tests.bolt12.samples import invoice, offer, request

OFFER = offer().encode()


def fetch(text: str) -> object:
    return asyncio.run(lnoffers.fetch_invoice(text))


@pytest.mark.parametrize("text", [OFFER, f" {OFFER.upper()}\n", f"Lightning:{OFFER}", f"bitcoin:?lno={OFFER}"])
def test_an_offer_may_be_pasted(text: str) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(text)
    assert caught.value.reason is Reason.NO_ADDRESS  # so it was read


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("hello", "text-separator", "This text is not a BOLT 12 string"),
        (OFFER[:-8], "record-truncated", "The string is not complete"),
        ("₿alice@example.com", "name-needs-lookup", "₿alice@example.com is a name"),
        (invoice().encode(), "text-prefix", "This string is no offer but an invoice"),
        (request().encode(), "text-prefix", "This string is no offer but an invoice_request"),
    ],
)
def test_what_is_no_offer_is_refused_in_plain_words(text: str, rule: str, message: str) -> None:
    with pytest.raises(Bolt12Error, match=f"^{message}") as caught:
        fetch(text)
    assert caught.value.rule == rule
