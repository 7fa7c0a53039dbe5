"""A plugin as its author writes it, on a `Plugin` as the generator makes it: it does what the payloads tell it to."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, ClassVar

from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.plugin.base import BasePlugin
from rpcschema.runtime.plugin.declare import Handled, PluginEvent
from rpcschema.runtime.server.stubs import stub
from tests.runtime import demo
from tests.runtime.demo.types.tidings import TidingsHookRequest, TidingsHookResponse, TidingsNotification


def notification(name: str) -> PluginEvent:
    return PluginEvent(name, f"on_{name}", "tidings", "TidingsNotification")


def hook(name: str) -> PluginEvent:
    return PluginEvent(name, f"hook_{name}", "tidings", "TidingsHookRequest", "TidingsHookResponse")


class Plugin(BasePlugin):
    rpc_package = demo.NAME
    rpc_notifications: ClassVar = {name: notification(name) for name in ("custommsg", "log", "shutdown", "unheard")}
    rpc_hooks: ClassVar = {
        name: hook(name) for name in ("custommsg", "htlc_accepted", "openchannel", "db_write", "rpc_command", "unasked")
    }

    @stub
    def on_custommsg(self, payload: TidingsNotification, /) -> Handled[None]: ...

    @stub
    def on_log(self, payload: TidingsNotification, /) -> Handled[None]: ...

    @stub
    def on_shutdown(self, payload: TidingsNotification, /) -> Handled[None]: ...

    @stub
    def on_unheard(self, payload: TidingsNotification, /) -> Handled[None]: ...

    @stub
    def hook_custommsg(self, payload: TidingsHookRequest, /) -> Handled[TidingsHookResponse]:
        raise NotImplementedError

    @stub
    def hook_htlc_accepted(self, payload: TidingsHookRequest, /) -> Handled[TidingsHookResponse]:
        raise NotImplementedError

    @stub
    def hook_openchannel(self, payload: TidingsHookRequest, /) -> Handled[TidingsHookResponse]:
        raise NotImplementedError

    @stub
    def hook_db_write(self, payload: TidingsHookRequest, /) -> Handled[TidingsHookResponse]:
        raise NotImplementedError

    @stub
    def hook_rpc_command(self, payload: TidingsHookRequest, /) -> Handled[TidingsHookResponse]:
        raise NotImplementedError

    @stub
    def hook_unasked(self, payload: TidingsHookRequest, /) -> Handled[TidingsHookResponse]:
        raise NotImplementedError


class Client(BaseClient):
    rpc_package = demo.NAME


class Obedient(Plugin):
    def rpc_init(self) -> None:
        if "fail" in self.rpc_configuration:
            raise LookupError("not this time \udcff")

    def rpc_manifest(self) -> dict[str, Any]:
        return super().rpc_manifest() | {"custommessages": [11008]}

    def on_custommsg(self, tidings: TidingsNotification, /) -> None:
        self.obey(tidings.do, repr(tidings))

    def on_log(self, tidings: TidingsNotification, /) -> None:
        self.obey(tidings.do, repr(tidings))

    def on_shutdown(self, _tidings: TidingsNotification, /) -> None:
        self.rpc_log("good bye")

    def hook_custommsg(self, request: TidingsHookRequest, /) -> TidingsHookResponse:
        return self.answer(request)

    def hook_htlc_accepted(self, request: TidingsHookRequest, /) -> TidingsHookResponse:
        return self.answer(request)

    def hook_openchannel(self, request: TidingsHookRequest, /) -> TidingsHookResponse:
        return self.answer(request)

    def hook_db_write(self, request: TidingsHookRequest, /) -> TidingsHookResponse:
        return self.answer(request)

    def answer(self, request: TidingsHookRequest) -> Any:
        if request.do == "call":
            with Client(self.rpc_socket) as client:
                return TidingsHookResponse(result=client.rpc_call("getinfo")["method"])
        self.obey(request.do, "obeyed")
        answers = {"nothing": None, "surrogate": TidingsHookResponse(result="\udcff")}
        return answers.get(request.do, TidingsHookResponse(result="done"))

    def obey(self, command: str, seen: str) -> Any:
        match command:
            case "say":
                self.rpc_log(seen, "debug")
            case "fail":
                raise LookupError("not this time \udcff")
            case "leave":
                sys.exit(7)
            case "print":
                print("printed")
                os.write(1, b"written\n")
                subprocess.run(["/bin/sh", "-c", "echo by a child; cat"], check=True)
            case "read":
                self.rpc_log(f"stdin has {sys.stdin.read()!r}")


if __name__ == "__main__":
    print("too early")
    Obedient().rpc_run()
