"""BOLT 12 in Python: decode, check, build and sign its strings, and serve Core Lightning's commands for them.

    request = lnoffers.decode("lnr1…")  # or lnoffers.Bolt12Error
    request.invreq_amount, request.offer_description

`lnoffers.bolt12` has the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lnoffers.bolt12 import Bolt12Error, decode

__all__ = ["Bolt12Error", "decode"]


if not TYPE_CHECKING:  # a type checker would take any name for an attribute

    def __getattr__(name: str) -> object:
        # The command line imports this package too, and should not load the curve library where it does not sign.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from lnoffers import bolt12  # noqa: PLC0415

        globals().update({each: getattr(bolt12, each) for each in __all__})
        return globals()[name]
