"""A plugin in the plain protocol: it echoes, and remembers what it hears. The tests run it as a program."""

import json
import os
import sys
from typing import Any

MANIFEST = {
    "options": [
        {"name": "greeting", "type": "string", "default": "hello", "description": ""},
        {"name": "loud", "type": "flag", "description": ""},
        {"name": "count", "type": "int", "description": ""},
    ],
    "rpcmethods": [
        {"name": "echo", "usage": "[text]", "description": ""},
        {"name": "heard", "usage": "", "description": ""},
        {"name": "refuse", "usage": "", "description": ""},
        {"name": "die", "usage": "", "description": ""},
        {"name": "tell", "usage": "", "description": ""},
    ],
    "subscriptions": ["connect", "gossip", "shutdown"],
    "hooks": [{"name": "peer_connected"}, {"name": "rpc_command"}],
    "notifications": [{"method": "gossip"}],
    "nonnumericids": True,
}
heard: list[Any] = [{"plugin": os.environ.get("LIGHTNINGD_PLUGIN")}]


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n\n")
    sys.stdout.flush()


def answer(method: str, params: Any, identity: Any) -> dict[str, Any]:
    if method == "getmanifest":
        return {"result": MANIFEST}
    if method == "init":
        heard.append(params)
        disables = params["options"]["greeting"] == "disable"
        return {"result": {"disable": "no greeting"} if disables else {}}
    if method == "echo":
        send({"method": "message", "params": {"id": identity, "level": "info", "message": "echoing"}})
        return {"result": {"params": params}}
    if method == "heard":
        return {"result": {"heard": heard}}
    if method == "tell":
        send({"method": "log", "params": {"level": "warn", "message": "telling"}})
        send({"method": "gossip", "params": {"news": 1}})
        print("printed", file=sys.stderr, flush=True)
        return {"result": {}}
    if method == "peer_connected":
        return {"result": {"result": "disconnect", "error_message": params["peer"]["id"]}}
    if method == "rpc_command":
        return {"result": intercepted(params["rpc_command"])}
    if method == "die":
        os._exit(1)
    return {"error": {"code": 7, "message": "refused", "data": {"method": method}}}


def intercepted(call: dict[str, Any]) -> dict[str, Any]:
    if call["method"] == "ping":
        return {"replace": {**call, "method": "echo", "params": ["instead"]}}
    if call["method"] == "stop":
        return {"return": {"error": {"code": 401, "message": "Not you"}}}
    return {"result": "continue"}


def main() -> None:
    for line in sys.stdin:
        if not line.strip():
            continue
        message = json.loads(line)
        if "id" in message:
            send({"id": message["id"], **answer(message["method"], message["params"], message["id"])})
        else:
            heard.append({key: value for key, value in message.items() if key != "jsonrpc"})
        if message["method"] == "shutdown":
            print("goodbye", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
