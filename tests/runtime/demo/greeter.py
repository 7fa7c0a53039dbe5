"""A plugin with commands, options, a hook and notifications, as its author writes it."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import Any

from rpcschema.runtime.errors import RpcError
from rpcschema.runtime.plugin.declare import PluginDisabled, hook, subscribe
from rpcschema.runtime.plugin.options import option
from rpcschema.runtime.server.stubs import BaseService, Reply, stub
from tests.runtime import demo
from tests.runtime.demo.plugin import Plugin
from tests.runtime.demo.types.greet import GreetRequest, GreetResponse
from tests.runtime.demo.types.nothing import NothingRequest, NothingResponse
from tests.runtime.demo.types.pay_all import PayAllFee, PayAllRequest, PayAllResponse
from tests.runtime.demo.types.tidings import TidingsHookRequest, TidingsHookResponse, TidingsNotification


class Service(BaseService):
    rpc_service_package = demo.NAME
    rpc_service_commands = demo.COMMANDS

    @stub
    def greet(self, request: GreetRequest) -> Reply[GreetResponse]:
        """Greet somebody.

        The **greet** command says hello.

        It costs nothing.
        """
        raise NotImplementedError

    @stub
    def pay_all(self, request: PayAllRequest) -> Reply[PayAllResponse]:
        """Pay."""
        raise NotImplementedError

    @stub
    def old(self, request: NothingRequest) -> Reply[NothingResponse]:
        """Do what nobody needs."""
        raise NotImplementedError

    @stub
    def nothing(self, request: NothingRequest) -> Reply[NothingResponse]:
        """Do nothing."""
        raise NotImplementedError


@dataclass(frozen=True)
class Options:
    greeting: str = option("hello", "The first word", dynamic=True)
    greet_times: int = option(1, "How often", dynamic=True)
    loud: bool = option(default=False, description="Whether to shout", flag=True)
    greet_names: list[str] = option([], "Who may be greeted", dynamic=True)  # noqa: RUF009
    secret: str | None = option(None, "What nobody sees", name="greet-secret", conceal=True, deprecated=["v26.06"])
    polite: bool = option(default=True, description="Whether to be polite", dynamic=True)

    def __post_init__(self) -> None:
        if self.greet_times < 1:
            raise ValueError("greet-times must be positive")


class Greeter(Service, Plugin):
    rpc_options = Options()
    rpc_topics = ("greeted",)

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    def rpc_init(self) -> None:
        if self.rpc_options.greeting == "none":
            raise PluginDisabled("there is nothing to say")

    def rpc_options_changed(self, before: Options, /) -> None:
        if self.rpc_options.greeting == "refused":
            raise RpcError(5, "not this one")
        if self.rpc_options.greeting == "bug":
            raise LookupError("not this time")
        self.rpc_log(f"{before.greeting} -> {self.rpc_options.greeting}")

    def greet(self, request: GreetRequest) -> GreetResponse:
        match request.name:
            case "nobody":
                raise RpcError(7, "nobody is there", {"name": request.name})
            case "bug":
                raise LookupError("not this time")
        self.rpc_emit("greeted", {"name": request.name})
        words = [self.rpc_options.greeting] * self.rpc_options.greet_times
        return GreetResponse(greeting=f"{' '.join(words)} {request.name}", amount_msat=request.amount)

    async def pay_all(self, request: PayAllRequest) -> PayAllResponse:
        """Wait at the gate; without outputs, open it."""
        if not request.outputs:
            self.gate.set()
            raise RpcError(301, "nothing to pay")
        self.rpc_message("waiting")
        self.rpc_progress(0, 2, stage=(0, 1))
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.rpc_log("cancelled")
            raise
        return PayAllResponse(paid=sum(each.amount for each in request.outputs), fees=[PayAllFee(per_kw=1)])

    def old(self, _request: NothingRequest) -> NothingResponse:
        self.rpc_log(f"deprecated: {self.rpc_allows_deprecated}")
        return NothingResponse()

    async def on_custommsg(self, tidings: TidingsNotification, /) -> None:
        await asyncio.sleep(0)
        if tidings.do == "fail":
            raise LookupError("not this time")
        if tidings.do == "leave":
            sys.exit(7)
        self.rpc_log(f"heard {tidings.do}")

    async def hook_custommsg(self, request: TidingsHookRequest, /) -> TidingsHookResponse:
        await asyncio.sleep(0)
        if request.do == "fail":
            raise LookupError("not this time")
        if request.do == "nothing":
            return None  # type: ignore[return-value] # a mistake of an author
        return TidingsHookResponse(result=request.do)

    @hook(before=["other.py"], after=["first.py"])
    def hook_openchannel(self, request: TidingsHookRequest, /) -> TidingsHookResponse:
        return TidingsHookResponse(result=request.do)

    @subscribe("greeted")
    def heard(self, topic: str, payload: dict[str, Any]) -> None:
        self.rpc_log(f"{topic}: {payload}")


if __name__ == "__main__":
    Greeter().rpc_run()
