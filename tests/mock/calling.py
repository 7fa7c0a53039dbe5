"""Calls of a mock without a socket, and parameters for any command, made from its raw document."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import Any, Final

from lnstandin.mock.core import Standin
from tests.mock.judge import Judge, Raw

POINT: Final = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
_VALUES: Final[dict[str, Any]] = {
    "bip340sig": "ab" * 64,
    "boolean": True,
    "currency": "10USD",
    "feerate": "normal",
    "hash": "cd" * 32,
    "msat": "10sat",
    "msat_or_all": "all",
    "msat_or_any": "any",
    "number": 1.5,
    "outpoint": f"{'ef' * 32}:1",
    "outputdesc": {"bcrt1qexample": 1000},
    "pubkey": POINT,
    "sat": "1000sat",
    "sat_or_all": "all",
    "secret": "12" * 32,
    "short_channel_id": "103x1x0",
    "short_channel_id_dir": "103x1x0/1",
    "signature": "3044",
    "txid": "34" * 32,
}


def call(standin: Standin, method: str, params: Any = ()) -> Any:
    """Return the answer to a call. Raises RpcError."""
    return json.loads(asyncio.run(standin.dispatch(method, json.dumps(params).encode())))


def parameters(judge: Judge, command: str, seed: int) -> dict[str, Any]:
    """Return the required parameters of a command, with values that differ by seed where they can."""
    if command == "check":
        return {"command_to_check": "getinfo"}  # this one is carried out
    if command == "plugin":
        return {"subcommand": "list"}  # and this one
    random = Random(f"{command} {seed}")
    return {name: value(judge.parameter(command, name), random) for name in judge.required(command)}


def value(schema: Raw, random: Random) -> Any:
    """Return a value that a parameter's schema allows."""
    if forms := schema.get("oneOf"):
        return value(random.choice(forms), random)
    if "enum" in schema:
        return random.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return [value(schema.get("items", {"type": "string"}), random)]
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: value(properties[name], random) for name in schema.get("required", ())}
    if kind in ("u8", "u16", "u32", "u64", "integer"):
        return random.randrange(200)
    if kind == "string":
        return f"text {random.randrange(1000)}"
    if kind == "hex":
        return "0" * schema.get("minLength", 2)
    return _VALUES.get(str(kind), "anything")
