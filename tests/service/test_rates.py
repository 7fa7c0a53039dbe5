"""Currency rates: the file is read again when it changes, and errors say what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.types import OfferRequest
from lnoffers.bolt12 import Offer
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.rates import MAX_BYTES, RateFile, RatesError
from tests.service.program import Program, Wire


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rates.json"


@pytest.fixture
def selling(tmp_path: Path, file: Path) -> Iterator[OffersService]:
    options = Options(lightning_dir=tmp_path, network="regtest", currency_rates=file)
    with Node.open(options, make=True) as node:
        yield OffersService(node)


def refusal(service: OffersService, amount: str) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        service.offer(OfferRequest(amount=amount, description="poster"))
    return caught.value.code, caught.value.message


def test_an_offer_in_a_currency_holds_its_minor_units(selling: OffersService, file: Path) -> None:
    file.write_text('{"EUR": 83000, "JPY": "15000000"}')
    euros = Offer.parse(selling.offer(OfferRequest(amount="9.99EUR", description="poster")).bolt12)
    assert (euros.offer_amount, euros.offer_currency) == (999, "EUR")
    yen = Offer.parse(selling.offer(OfferRequest(amount="500JPY", description="poster")).bolt12)
    assert (yen.offer_amount, yen.offer_currency) == (500, "JPY")


def test_without_rates_no_offer_is_made_in_a_currency(node: Node) -> None:
    assert refusal(OffersService(node), "9.99EUR") == (-32601, "Unknown command 'currencyconvert'")


def test_a_currency_without_a_rate_is_refused(selling: OffersService, file: Path) -> None:
    file.write_text('{"USD": 97000}')
    assert refusal(selling, "9.99EUR") == (-32700, "Error converting currency: No rates available for `EUR`")


def test_a_price_of_zero_is_refused_after_the_rate_was_found(selling: OffersService, file: Path) -> None:
    file.write_text('{"USD": 97000}')
    message = "bolt12: Offer contains a zero amount: invalid token (see logs for details)"
    assert refusal(selling, "0USD") == (-32602, message)


def test_the_file_is_read_again_when_it_has_changed(file: Path) -> None:
    rates = RateFile(file)
    file.write_text('{"EUR": 83000}')
    assert (rates.price("EUR"), rates.price("USD")) == (Decimal(83000), None)
    new = file.with_suffix(".new")
    new.write_text('{"EUR": 84000, "USD": 0.5}')
    new.replace(file)
    assert (rates.price("EUR"), rates.price("USD")) == (Decimal(84000), Decimal("0.5"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is not JSON"),
        ('{"EUR": 1', "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ('{"EUR": true}', "the price in EUR is not a number"),
        ('{"USD": 1, "EUR": "dear"}', "the price in EUR is not a number"),
        ('{"EUR": 0}', "0 EUR is not a price for a bitcoin"),
        ('{"EUR": -1}', "-1 EUR is not a price"),
        ('{"EUR": "NaN"}', "NaN EUR is not a price"),
        ('{"USD": 1, "euro": 1}', "'euro' is not a currency code"),
        (" " * (MAX_BYTES + 1), "more than 1048576 bytes"),
        ("\xff", "it is not JSON"),
        ('{"\xff": 1}', "it is not JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(file: Path, content: str, why: str) -> None:
    file.write_text(content, encoding="latin-1")
    with pytest.raises(RatesError, match="cannot be used: ") as caught:
        RateFile(file).price("USD")
    assert str(file) in str(caught.value)
    assert why.lower() in str(caught.value).lower()


def test_a_missing_file_fails_the_call_and_nothing_else(selling: OffersService, file: Path) -> None:
    assert refusal(selling, "1USD") == (-1, f"The rates in {file} cannot be read: No such file or directory")
    assert selling.offer(OfferRequest(amount=1, description="poster")).created
    file.write_text('{"USD": 97000}')
    assert selling.offer(OfferRequest(amount="1USD", description="poster")).created


@pytest.mark.parametrize(
    ("content", "why"), [(None, "cannot be read: "), ("[]", "cannot be used: it is not a JSON object")]
)
def test_a_server_warns_of_rates_that_it_cannot_use_as_it_starts(
    program: Program, file: Path, content: str | None, why: str
) -> None:
    if content is not None:
        file.write_text(content)
    log = file.with_name("log")
    with program.served("--currency-rates", str(file), "--log-file", str(log)):
        [warning] = [line for line in log.read_text().splitlines() if " WARNING " in line]
    assert f" WARNING The rates in {file} {why}" in warning
    assert warning.endswith(". Offers in a currency are refused until this is fixed")


def test_a_server_sells_by_the_rates_of_the_moment(program: Program, file: Path) -> None:
    def codes(wire: Wire, *amounts: str) -> list[Any]:
        answers = [wire.ask("offer", [amount, "poster"]) for amount in amounts]
        return [answer.get("error", {}).get("code") for answer in answers]

    file.write_text(json.dumps({"EUR": 83000}))
    with program.served("--currency-rates", str(file)), Wire(program.socket) as wire:
        assert codes(wire, "1EUR", "1USD") == [None, -32700]
        file.write_text(json.dumps({"EUR": 83000, "USD": 97000}))
        assert codes(wire, "1EUR", "1USD") == [None, None]
        refused = program.call("offer", "1USD", "poster", "--currency-rates", str(file))
    assert refused.code == 2
    assert "--currency-rates cannot be given here" in refused.err
