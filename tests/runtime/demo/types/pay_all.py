"""Types of `pay-all`: nested objects, some members of which have another name in Python."""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.runtime.values.received import Received
from rpcschema.runtime.values.scalars import Sat


@dataclass(kw_only=True, slots=True)
class PayAllOutput:
    __wire_names__ = (("pay_to", "pay-to"),)

    pay_to: str
    amount: Sat


@dataclass(kw_only=True, slots=True)
class PayAllRequest:
    outputs: list[PayAllOutput]


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class PayAllFee(Received):
    __wire_names__ = (("per_kw", "per-kw"),)
    __added__ = (("per_kw", "v24.02"),)

    per_kw: int


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class PayAllResponse(Received):
    __source__ = "pay-all"
    __wire_names__ = (("format_hint", "format-hint"),)

    paid: int
    format_hint: str | None = None
    fees: list[PayAllFee] | None = None
    by_name: dict[str, PayAllFee] | None = None
