"""A package as the generator makes them, small and written by hand: what the runtime's tests stand on."""

from __future__ import annotations

from rpcschema.runtime.command import Command, Parameter

NAME = __name__

GREET = Command(
    name="greet",
    method="greet",
    parameters=(
        Parameter("name", "name", "string", True),
        Parameter("amount", "amount", "msat", True),
        Parameter("return", "return_", "boolean", False),
        Parameter("times", "times", "u8", False),
    ),
    extras=False,
    request="GreetRequest",
    response="GreetResponse",
    module="greet",
)
PAY = Command(
    name="pay-all",
    method="pay_all",
    parameters=(Parameter("outputs", "outputs", "array", True, items="object"),),
    extras=True,
    request="PayAllRequest",
    response="PayAllResponse",
    module="pay_all",
)
FIND = Command(
    name="find",
    method="find",
    parameters=(
        *(Parameter(name, name, "string", False) for name in ("label", "hash", "part", "group", "index")),
        Parameter("start", "start", "u64", False, deprecated=("v26.06", "v27.03")),
        Parameter("limit", "limit", "u64", False, deprecated=()),
    ),
    extras=False,
    request="NothingRequest",
    response="NothingResponse",
    module="nothing",
    at_most_one=(("label", "hash"),),
    all_or_none=(("part", "group"),),
    needs=(("start", "index"),),
)
OLD = Command("old", "old", (), False, "NothingRequest", "NothingResponse", "nothing", deprecated=("v26.06",))
GETINFO = Command("getinfo", "getinfo", (), False, "NothingRequest", "NothingResponse", "nothing")
NOTHING = Command("nothing", "nothing", (), False, "NothingRequest", "NothingResponse", "nothing")
COMMANDS = {command.name: command for command in (GREET, PAY, FIND, OLD, GETINFO, NOTHING)}
