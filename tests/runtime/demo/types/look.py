"""Types of `look`, whose answer is one of several things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rpcschema.runtime.values.received import Received
from rpcschema.runtime.values.scalars import U32


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class LookOtherResponse(Received):
    __source__ = "look"
    __wire_names__ = (("class_", "class"),)

    class_: str
    near: bool


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class LookTreeResponse(Received):
    __source__ = "look"
    __wire_names__ = (("class_", "class"),)
    __discriminator__ = "class_"
    __other__ = LookOtherResponse

    class_: Literal["tree"]
    near: bool
    height: U32


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class LookRiverResponse(Received):
    __source__ = "look"
    __wire_names__ = (("class_", "class"),)
    __added__ = (("width", "v2"),)
    __discriminator__ = "class_"
    __other__ = LookOtherResponse

    class_: Literal["river"]
    near: bool
    width: U32


LookResponse: TypeAlias = LookTreeResponse | LookRiverResponse
