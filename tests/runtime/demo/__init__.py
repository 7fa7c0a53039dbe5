"""A package as the generator makes them, small and written by hand: what the runtime's tests stand on."""

from __future__ import annotations

from rpcschema.runtime.command import Array, Command, Object, Parameter

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
    parameters=(Parameter("outputs", "outputs", Array(Object((("pay-to", "string"), ("amount", "sat")))), True),),
    extras=True,
    request="PayAllRequest",
    response="PayAllResponse",
    module="pay_all",
)
TRAVEL = Command(
    name="travel",
    method="travel",
    parameters=(
        Parameter(
            "routes",
            "routes",
            Array(
                Array(
                    Object(
                        (
                            ("from", "string"),
                            ("fare", "msat"),
                            ("toll", "feerate"),
                            ("by", "string"),
                            ("seat", ""),
                            ("stop", Object((("wait", "u8"),))),
                            ("notes", "object"),
                        )
                    )
                )
            ),
            True,
        ),
        Parameter("days", "days", Array("u8"), False),
    ),
    extras=False,
    request="TravelRequest",
    response="TravelResponse",
    module="travel",
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
CHECK = Command(
    name="check",
    method="check",
    parameters=(Parameter("command_to_check", "command_to_check", "string", True),),
    extras=True,
    request="CheckRequest",
    response="CheckResponse",
    module="check",
)
COMMANDS = {command.name: command for command in (GREET, PAY, TRAVEL, FIND, OLD, GETINFO, NOTHING)}
