"""BOLT 12 in Python: decode, check, build and sign its strings, fetch invoices, and serve Core Lightning's commands.

    request = lnoffers.decode("lnr1…")  # or lnoffers.Bolt12Error
    request.invreq_amount, request.offer_description

    invoice = await lnoffers.fetch_invoice("lno1…", connect="02ab…@203.0.113.7:9735")  # or lnoffers.FetchError

`lnoffers.bolt12` has the rest of the one, `lnoffers.fetching` of the other.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lnoffers.bolt12 import Bolt12Error, decode
    from lnoffers.fetching import FetchError, fetch_invoice

__all__ = ["Bolt12Error", "FetchError", "decode", "fetch_invoice"]


if not TYPE_CHECKING:  # a type checker would take any name for an attribute
    _HOMES = {"Bolt12Error": "bolt12", "FetchError": "fetching", "decode": "bolt12", "fetch_invoice": "fetching"}

    def __getattr__(name: str) -> object:
        # The command line imports this package too, and should not load the curve library where it does not sign.
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        return globals()[name]
