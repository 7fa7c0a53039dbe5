#!/usr/bin/env python3
"""A plugin that keeps small channels out, and says in the log which ones came in."""

from __future__ import annotations

from clnrpc import Plugin
from clnrpc.types import ChannelOpenedNotification, OpenchannelHookRequest, OpenchannelHookResponse

SMALLEST_MSAT = 100_000_000


class Bouncer(Plugin):
    """Logs opened channels, and refuses small ones that peers want to open."""

    def rpc_init(self) -> None:
        """Log which node the plugin guards."""
        self.rpc_log(f"guarding {self.rpc_node.getinfo().id}")

    def on_channel_opened(self, opened: ChannelOpenedNotification, /) -> None:
        """Log who has opened a channel."""
        self.rpc_log(f"{opened.id} opened a channel of {opened.funding_msat} msat")

    def hook_openchannel(self, request: OpenchannelHookRequest, /) -> OpenchannelHookResponse:
        """Accept channels that are large enough."""
        if request.openchannel.funding_msat < SMALLEST_MSAT:
            return OpenchannelHookResponse(result="reject", error_message=f"at least {SMALLEST_MSAT} msat, please")
        return OpenchannelHookResponse(result="continue")


if __name__ == "__main__":
    Bouncer().rpc_run()
