"""Types of `greet`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rpcschema.runtime.scalars import U8, Msat


@dataclass(kw_only=True, slots=True)
class GreetRequest:
    __wire_names__: ClassVar[dict[str, str]] = {"return_": "return"}

    name: str
    amount: Msat
    return_: bool | None = None
    times: U8 | None = None


@dataclass(kw_only=True, slots=True)
class GreetResponse:
    greeting: str
    amount_msat: Msat
    returned: bool | None = None
