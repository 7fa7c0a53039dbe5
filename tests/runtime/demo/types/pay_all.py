"""Types of `pay-all`: nested objects, some members of which have another name in Python."""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.runtime.values.received import Received
from rpcschema.runtime.values.scalars import Sat


@dataclass(kw_only=True, slots=True)
class PayAllRequestOutputs:
    __wire_names__ = (("pay_to", "pay-to"),)

    pay_to: str
    amount: Sat


@dataclass(kw_only=True, slots=True)
class PayAllRequest:
    outputs: list[PayAllRequestOutputs]


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class PayAllResponseFees(Received):
    __wire_names__ = (("per_kw", "per-kw"),)
    __added__ = (("per_kw", "v24.02"),)

    per_kw: int


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class PayAllResponse(Received):
    __source__ = "pay-all"
    __wire_names__ = (("format_hint", "format-hint"),)

    paid: int
    format_hint: str | None = None
    fees: list[PayAllResponseFees] | None = None
    by_name: dict[str, PayAllResponseFees] | None = None
