"""Types of `greet`."""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.runtime.values.received import Received
from rpcschema.runtime.values.scalars import U8, Msat


@dataclass(kw_only=True, slots=True)
class GreetRequest:
    __wire_names__ = (("return_", "return"),)

    name: str
    amount: Msat
    return_: bool | None = None
    times: U8 | None = None


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class GreetResponse(Received):
    __source__ = "greet"

    greeting: str
    amount_msat: Msat
    returned: bool | None = None
