"""A plugin for lightningd that knows the price of one currency: an euro is always 1,000 satoshi.

`python tests/interop/rates.py`, started by the node, which asks `currencyconvert` for offers in a currency.
"""

from __future__ import annotations

import json
import sys
from typing import Any

MSAT = {"EUR": 1_000_000}
METHOD = {"name": "currencyconvert", "usage": "amount currency", "description": "Convert to millisatoshi."}


def result(request: dict[str, Any]) -> dict[str, Any]:
    """Return what a call comes to."""
    match request["method"], request["params"]:
        case "getmanifest", _:
            return {"dynamic": True, "options": [], "rpcmethods": [METHOD]}
        case "currencyconvert", {"amount": amount, "currency": currency} | [amount, currency]:
            return {"msat": int(float(amount) * MSAT[currency])}
    return {}


def main() -> None:
    """Answer calls, which come with an empty line behind each, until there are no more."""
    text = ""
    for line in sys.stdin:
        text += line
        if text.strip() and not line.strip():
            request = json.loads(text)
            text = ""
            if "id" in request:
                answer = {"jsonrpc": "2.0", "id": request["id"], "result": result(request)}
                print(json.dumps(answer), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
