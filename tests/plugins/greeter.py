"""A plugin with a command, two options, hooks and notifications. It remembers what it receives."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from greeting import Service
from greeting.types import GreetRequest, GreetResponse

from clnrpc import Plugin, RpcError, hook, option, subscribe
from clnrpc.types import (
    ConnectNotification,
    InvoiceCreationNotification,
    RpcCommandHookRequest,
    RpcCommandHookResponse,
    RpcCommandHookReturn,
    RpcCommandHookReturnError,
)
from tests.plugins import EVENTS


@dataclass(frozen=True)
class Options:
    greeter_word: str = option("hello", "The word that greet says", dynamic=True)
    greeter_most: int = option(10, "How often it may be said")

    def __post_init__(self) -> None:
        if not self.greeter_word:
            raise ValueError("greeter-word must not be empty")


class Greeter(Service, Plugin):
    rpc_options = Options()
    rpc_topics = ("greeted",)

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.gate = asyncio.Event()

    async def rpc_init(self) -> None:
        self.seen.append((await self.rpc_async_node.getinfo()).id)

    async def greet(self, request: GreetRequest) -> GreetResponse:
        if (request.times or 1) > self.rpc_options.greeter_most:
            raise RpcError(-32602, f"times: at most {self.rpc_options.greeter_most}")
        match request.name:
            case "slowly":
                self.rpc_message("waiting")
                await self.gate.wait()
            case "all":
                self.gate.set()
            case "node":
                await self.rpc_async_node.getinfo()  # causes the plugin's own hook
        for _ in range(EVENTS if request.name == "many" else 1):
            self.rpc_emit("greeted", {"name": request.name})
        words = [self.rpc_options.greeter_word] * (request.times or 1)
        return GreetResponse(greeting=f"{' '.join(words)} {request.name}", seen=list(self.seen))

    def on_invoice_creation(self, created: InvoiceCreationNotification, /) -> None:
        self.seen.append(f"invoice {created.label}")

    async def on_connect(self, _connected: ConnectNotification, /) -> None:
        self.seen.append("connect")

    @hook(filters=["getinfo", "ping"])
    async def hook_rpc_command(self, request: RpcCommandHookRequest, /) -> RpcCommandHookResponse:
        await asyncio.sleep(0)
        method = request.rpc_command.method
        self.seen.append(method)
        if method == "ping":
            refused = RpcCommandHookReturnError(code=401, message="Not now")
            return RpcCommandHookResponse(return_=RpcCommandHookReturn(error=refused))
        return RpcCommandHookResponse(result="continue")

    @subscribe("greeted")
    def heard(self, topic: str, payload: dict[str, Any]) -> None:
        self.seen.append(f"{topic} {payload['name']}")


if __name__ == "__main__":
    Greeter().rpc_run()
