"""Types of `travel`: what is nested in its parameters is of many types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rpcschema.runtime.values.received import Received
from rpcschema.runtime.values.scalars import U8, Feerate, Msat


@dataclass(kw_only=True, slots=True)
class TravelRouteStop:
    wait: U8


@dataclass(kw_only=True, slots=True)
class TravelRoute:
    __wire_names__ = (("from_", "from"),)

    from_: str
    fare: Msat
    toll: Feerate | None = None
    by: Literal["bus", "train"] | None = None
    seat: str | U8 | None = None
    stop: TravelRouteStop | None = None
    notes: dict[str, Any] | None = None


@dataclass(kw_only=True, slots=True)
class TravelRequest:
    routes: list[list[TravelRoute]]
    days: list[U8] | None = None


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class TravelResponse(Received):
    __source__ = "travel"
