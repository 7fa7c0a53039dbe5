"""The price of a bitcoin in other currencies, from a file that another program updates.

The file is a JSON object, `{"USD": 97000.5, "EUR": "83000"}`: the ISO 4217 code of each currency, and the price of one
bitcoin in it, as a number or a string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from lnoffers.service.errors import ServiceError

MAX_BYTES: Final = 1 << 20
_code = re.compile("[A-Z]{3}").fullmatch


class RatesError(ServiceError):
    """The file cannot be used; the message names it and the reason."""


class _Version(NamedTuple):
    """The properties of a file that change with its content."""

    file: int
    size: int
    modified: int


class RateFile:
    """The prices in a file, which is read again after each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: _Version | None = None
        self._prices: Mapping[str, Decimal] = {}

    def price(self, currency: str) -> Decimal | None:
        """Return the price of one bitcoin in whole units of a currency (dollars, not cents), or None if there is none.

        `currency` is its ISO 4217 code.

        Raises:
            RatesError: if the file is missing or not valid.
        """
        self.refresh()
        return self._prices.get(currency)

    def refresh(self) -> None:
        """Read the file if it has changed.

        Raises:
            RatesError: if the file is missing or not valid.
        """
        try:
            found = self._path.stat()
            version = _Version(found.st_ino, found.st_size, found.st_mtime_ns)
            if version != self._version:
                self._prices = _read(self._path)
                self._version = version
        except OSError as error:
            raise RatesError(f"The rates in {self._path} cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise RatesError(f"The rates in {self._path} cannot be used: {error}") from error


def _read(path: Path) -> Mapping[str, Decimal]:
    """Return the prices by currency.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if its content is not valid.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    return {code: _price(code, raw) for code, raw in _members(data).items()}


def _members(data: bytes) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise ValueError("it is not a JSON object") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("it is not JSON") from error


def _price(code: str, raw: msgspec.Raw) -> Decimal:
    if not _code(code):
        raise ValueError(f"{code!r} is not a currency code: three capital letters")
    try:
        price = msgspec.json.decode(raw, type=Decimal)
    except msgspec.DecodeError as error:
        raise ValueError(f"the price in {code} is not a number") from error
    if not price.is_finite() or price <= 0:
        raise ValueError(f"{price} {code} is not a price for a bitcoin")
    return price
