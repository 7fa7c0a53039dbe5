"""Types of `pay-all`: nested objects, some members of which have another name in Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rpcschema.runtime.scalars import Sat


@dataclass(kw_only=True, slots=True)
class PayAllRequestOutputs:
    __wire_names__: ClassVar[dict[str, str]] = {"pay_to": "pay-to"}

    pay_to: str
    amount: Sat


@dataclass(kw_only=True, slots=True)
class PayAllRequest:
    outputs: list[PayAllRequestOutputs]


@dataclass(kw_only=True, slots=True)
class PayAllResponseFees:
    __wire_names__: ClassVar[dict[str, str]] = {"per_kw": "per-kw"}

    per_kw: int


@dataclass(kw_only=True, slots=True)
class PayAllResponse:
    __wire_names__: ClassVar[dict[str, str]] = {"format_hint": "format-hint"}

    paid: int
    format_hint: str | None = None
    fees: list[PayAllResponseFees] | None = None
    by_name: dict[str, PayAllResponseFees] | None = None
