"""Types of `nothing`."""

from __future__ import annotations

from dataclasses import dataclass

from rpcschema.runtime.values.answer import Answer


@dataclass(kw_only=True, slots=True)
class NothingRequest:
    pass


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class NothingResponse(Answer):
    __source__ = "nothing"
