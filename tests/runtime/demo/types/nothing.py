"""Types of `nothing`."""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.runtime.values.received import Received


@dataclass(kw_only=True, slots=True)
class NothingRequest:
    pass


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class NothingResponse(Received):
    __source__ = "nothing"
