"""Types of `nothing`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class NothingRequest:
    pass


@dataclass(kw_only=True, slots=True)
class NothingResponse:
    pass
