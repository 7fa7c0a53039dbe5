"""The plugin: answers lightningd's five questions about the chain from a folder.

It speaks the plugin protocol over stdin and stdout with the standard library alone, so that it starts fast and needs
no package that is under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from .folder import Chain
from .transactions import Outpoint, read_transaction

_INVALID_PARAMS: Final = -32602
_UNKNOWN_METHOD: Final = -32601

FEERATE_FLOOR: Final = 1000
FEERATES: Final = {2: 4000, 6: 3000, 12: 2000, 100: 1200}
"""Satoshi for a thousand virtual bytes, by the number of blocks within which a transaction should be mined."""


@dataclass(frozen=True)
class Method:
    """A command of the plugin: its parameters by position, what it is for, and what answers it."""

    parameters: tuple[str, ...]
    description: str
    answer: Callable[[Chain, Mapping[str, Any]], dict[str, Any]]

    @property
    def usage(self) -> str:
        """Return the parameters as `help` shows them; all may be left out."""
        return " ".join(f"[{name}]" for name in self.parameters)


def getchaininfo(chain: Chain, _: Mapping[str, Any]) -> dict[str, Any]:
    """Say which chain this is, and how long."""
    height = chain.height
    return {"chain": "regtest", "headercount": height, "blockcount": height, "ibd": False}


def getrawblockbyheight(chain: Chain, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block and its hash, or nulls where there is none yet."""
    block = chain.block(int(params["height"]))
    return {"blockhash": block and block.hash, "block": block and block.raw.hex()}


def estimatefees(chain: Chain, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return feerates that never change."""
    feerates = [{"blocks": blocks, "feerate": feerate} for blocks, feerate in FEERATES.items()]
    return {"feerate_floor": FEERATE_FLOOR, "feerates": feerates}


def sendrawtransaction(chain: Chain, params: Mapping[str, Any]) -> dict[str, Any]:
    """Put a transaction where the miner finds it."""
    refusal = chain.submit(read_transaction(bytes.fromhex(params["tx"])))
    return {"success": refusal is None, "errmsg": refusal or ""}


def getutxout(chain: Chain, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return amount and script of an output in a block, or nulls where it is spent or was never there."""
    output = chain.unspent().get(Outpoint(params["txid"], int(params["vout"])))
    return {"amount": output and output.amount_sat, "script": output and output.script.hex()}


METHODS: Final = {
    "getchaininfo": Method(("last_height",), "Which chain there is, and how many blocks it has", getchaininfo),
    "getrawblockbyheight": Method(("height",), "The block at a height", getrawblockbyheight),
    "estimatefees": Method((), "What transactions should pay", estimatefees),
    "sendrawtransaction": Method(("tx", "allowhighfees"), "Have a transaction mined", sendrawtransaction),
    "getutxout": Method(("txid", "vout"), "An output, if it is unspent", getutxout),
}


def serve(chain: Chain, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until lightningd closes the pipe."""
    for request in _messages(source):
        answer = _answer(chain, request)
        if "id" in request:
            sink.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode() + b"\n\n")
            sink.flush()


def _messages(source: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield what lightningd sends; a blank line ends each message."""
    lines: list[bytes] = []
    for line in source:
        lines.append(line)
        if line == b"\n" and (text := b"".join(lines).strip()):
            lines.clear()
            yield json.loads(text)


def _answer(chain: Chain, request: Mapping[str, Any]) -> dict[str, Any]:
    name = request["method"]
    if name == "getmanifest":
        return {"result": _manifest()}
    if name == "init":
        return {"result": {}}
    method = METHODS.get(name)
    if method is None:
        return {"error": {"code": _UNKNOWN_METHOD, "message": f"The chain has no method {name}"}}
    params = request["params"]
    named = params if isinstance(params, dict) else dict(zip(method.parameters, params, strict=False))
    try:
        return {"result": method.answer(chain, named)}
    except KeyError as error:
        return {"error": {"code": _INVALID_PARAMS, "message": f"{name} needs the parameter {error}"}}
    except (TypeError, ValueError) as error:
        return {"error": {"code": _INVALID_PARAMS, "message": f"{name}: {error}"}}


def _manifest() -> dict[str, Any]:
    methods = [
        {"name": name, "usage": method.usage, "description": method.description} for name, method in METHODS.items()
    ]
    return {"options": [], "rpcmethods": methods, "subscriptions": [], "hooks": [], "dynamic": False}
