"""A plugin that holds each `xpay` back for some seconds: `python -m tests.interop.delaying SECONDS`."""

from __future__ import annotations

import sys
import time

from clnrpc import Plugin
from clnrpc.types import RpcCommandHookRequest, RpcCommandHookResponse


class Delaying(Plugin):
    """Sleeps before a payment begins."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def hook_rpc_command(self, request: RpcCommandHookRequest, /) -> RpcCommandHookResponse:
        if request.rpc_command.method == "xpay":
            time.sleep(self.seconds)
        return RpcCommandHookResponse(result="continue")


if __name__ == "__main__":
    Delaying(float(sys.argv[1])).rpc_run()
