"""Amounts in currencies: which there are, and how people write them."""

from __future__ import annotations

import pytest

from lnoffers.bolt12 import Bolt12Error, minor_unit, parse_currency_amount


@pytest.mark.parametrize(("code", "decimals"), [("EUR", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4), ("XAU", 0)])
def test_knows_how_many_decimals_a_currency_has(code: str, decimals: int) -> None:
    assert minor_unit(code) == decimals


@pytest.mark.parametrize("code", ["ZZZ", "eur", "", "EURO"])
def test_knows_no_other_code(code: str) -> None:
    assert minor_unit(code) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("10USD", (1_000, "USD")),
        ("10.00USD", (1_000, "USD")),
        ("0.01EUR", (1, "EUR")),
        ("007EUR", (700, "EUR")),
        ("5JPY", (5, "JPY")),
        ("1.500BHD", (1_500, "BHD")),
        ("184467440737095516.15USD", (2**64 - 1, "USD")),
    ],
)
def test_reads_what_people_write(text: str, amount: tuple[int, str]) -> None:
    assert parse_currency_amount(text) == amount


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("", "currency-unknown", "Not a number, and too short for currency"),
        ("10", "currency-unknown", "Not a number, and too short for currency"),
        ("10usd", "currency-unknown", "Unknown currency suffix usd"),
        ("any", "currency-unknown", "Unknown currency suffix any"),
        ("10.0USD", "currency-decimals", "Currency USD requires 2 minor units"),
        ("10.5JPY", "currency-decimals", "Currency JPY requires 0 minor units"),
        ("10.JPY", "currency-decimals", "Bad minor units number"),
        ("10.-1USD", "currency-decimals", "Bad minor units number"),
        ("USD", "currency-number", "Not a valid number"),
        (".50USD", "currency-number", "Not a valid number"),
        ("-1USD", "currency-number", "Not a valid number"),
        ("1 USD", "currency-number", "Not a valid number"),
        ("\N{FULLWIDTH DIGIT ONE}USD", "currency-number", "Not a valid number"),
        ("18446744073709551616JPY", "currency-number", "Not a valid number"),
        ("9" * 5_000 + "JPY", "currency-number", "Not a valid number"),
        ("184467440737095516.16USD", "number-range", "excessively large value"),
    ],
)
def test_says_what_is_wrong_with_an_amount(text: str, rule: str, message: str) -> None:
    with pytest.raises(Bolt12Error) as caught:
        parse_currency_amount(text)
    assert (caught.value.rule, str(caught.value)) == (rule, message)
