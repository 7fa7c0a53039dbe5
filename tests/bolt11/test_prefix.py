"""The chain and the amount."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt11 import Bolt11Error, Invoice
from lnoffers.bolt11.prefix import has_prefix, read_prefix
from tests.bolt11.samples import invoice


@pytest.mark.parametrize(
    ("prefix", "currency", "amount"),
    [
        ("lnbc", "bc", None),
        ("lntbs", "tbs", None),
        ("lnbcrt0", "bcrt", 0),
        ("lntb1", "tb", 100_000_000_000),
        ("lnbc25m", "bc", 2_500_000_000),
        ("lnbc0012u", "bc", 1_200_000),
        ("lnbc3n", "bc", 300),
        ("lnbc10p", "bc", 1),
        ("lnex184467440737095510p", "ex", 18446744073709551),
    ],
)
def test_reads_chain_and_amount_in_msat(prefix: str, currency: str, amount: int | None) -> None:
    read = Invoice.parse(invoice(prefix=prefix))
    assert (read.chain.currency, read.amount_msat) == (currency, amount)


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("bc", "Prefix 'bc' does not start with ln"),
        ("ln", "Unknown chain "),
        ("lnbcr", "Unknown chain bcr"),
        ("lnbc1x", "Invalid amount postfix 'x'"),
        ("lnbc1mm", "Invalid amount postfix 'm'"),
        ("lnbc1.5m", "Invalid amount postfix '.5'"),
        ("lnbc15p", "Invalid sub-millisatoshi amount '15p'"),
        ("lnbc18446744073709551616p", "Invalid amount '18446744073709551616'"),
        ("lnbc18446745", "Invalid amount '18446745'"),
        (f"lnbc{'9' * 5000}", f"Invalid amount '{'9' * 100}…'"),
    ],
)
def test_rejects_what_is_no_amount_on_a_known_chain(prefix: str, why: str) -> None:
    with pytest.raises(Bolt11Error) as caught:
        Invoice.parse(invoice(prefix=prefix))
    assert str(caught.value) == why


@given(st.text())
def test_any_text_is_a_prefix_or_an_error_of_ours(text: str) -> None:
    for prefix in (text.replace("\n", ""), f"lnbc1{text}".replace("\n", "")):
        try:
            read_prefix(prefix)
        except Bolt11Error:
            continue


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("lnbcrt1qqq", True),
        ("lnbc2500u1p", True),
        ("lntb1", True),
        ("lni1qqq", False),
        ("lnbc2500x1p", False),
        ("lnbc", False),
        ("", False),
    ],
)
def test_knows_an_invoice_by_its_prefix(text: str, is_one: bool) -> None:
    assert has_prefix(text) == is_one
