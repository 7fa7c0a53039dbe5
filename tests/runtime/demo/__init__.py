"""A package as the generator makes them, small and written by hand: what the runtime's tests stand on."""

from __future__ import annotations

from rpcschema.runtime.command import Array, Command, Object, Parameter

NAME = __name__

GREET = Command(
    "greet",
    "Greet",
    (
        Parameter("name", "string", required=True),
        Parameter("amount", "msat", required=True),
        Parameter("return", "boolean", renamed="return_"),
        Parameter("times", "u8"),
    ),
)
PAY = Command(
    "pay-all",
    "PayAll",
    (Parameter("outputs", Array(Object((("pay-to", "string"), ("amount", "sat")))), required=True),),
    extras=True,
    renamed="pay_all",
)
_ROUTE = Object(
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
TRAVEL = Command(
    "travel",
    "Travel",
    (Parameter("routes", Array(Array(_ROUTE)), required=True), Parameter("days", Array("u8"))),
)
FIND = Command(
    "find",
    "Nothing",
    (
        *(Parameter(name, "string") for name in ("label", "hash", "part", "group", "index")),
        Parameter("start", "u64", deprecated=("v26.06", "v27.03")),
        Parameter("limit", "u64", deprecated=()),
    ),
    at_most_one=(("label", "hash"),),
    all_or_none=(("part", "group"),),
    needs=(("start", "index"),),
)
OLD = Command("old", "Nothing", deprecated=("v26.06",))
GETINFO = Command("getinfo", "Nothing")
NOTHING = Command("nothing", "Nothing")
COUNT = Command("count", "Nothing", (Parameter("number", "u8"),))
CHECK = Command("check", "Check", (Parameter("command_to_check", "string", required=True),), extras=True)
COMMANDS = {command.name: command for command in (GREET, PAY, TRAVEL, FIND, OLD, GETINFO, NOTHING, COUNT)}
