"""Types of `check`."""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.runtime.values.received import Received


@dataclass(kw_only=True, slots=True)
class CheckRequest:
    command_to_check: str


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class CheckResponse(Received):
    __source__ = "check"

    command_to_check: str
