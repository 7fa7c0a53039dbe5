#!/usr/bin/env python3
"""A plugin that keeps small channels out, and says in the log which ones came in."""

from __future__ import annotations

from clnrpc import Plugin
from clnrpc.types import ChannelOpenedNotification, OpenchannelHookRequest, OpenchannelHookResponse

SMALLEST_MSAT = 100_000_000


class Bouncer(Plugin):
    """Is told of opened channels, and asked about those that peers want to open."""

    def rpc_init(self) -> None:
        """Says whose door it keeps."""
        self.rpc_log(f"guarding {self.rpc_client.getinfo().id}")

    def on_channel_opened(self, opened: ChannelOpenedNotification, /) -> None:
        """Says who came in."""
        self.rpc_log(f"{opened.id} opened a channel of {opened.funding_msat} msat")

    def hook_openchannel(self, request: OpenchannelHookRequest, /) -> OpenchannelHookResponse:
        """Lets pass whoever brings enough."""
        if request.openchannel.funding_msat < SMALLEST_MSAT:
            return OpenchannelHookResponse(result="reject", error_message=f"at least {SMALLEST_MSAT} msat, please")
        return OpenchannelHookResponse(result="continue")


if __name__ == "__main__":
    Bouncer().rpc_run()
