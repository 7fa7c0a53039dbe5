"""Commands about the process itself."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from clnrpc import types
from clnrpc.commands import RELEASE
from clnrpc.runtime.errors import GENERIC, METHOD_NOT_FOUND, RpcError, unknown_command
from lnoffers.net.address import ip_version
from lnoffers.net.features import OFFERED
from lnoffers.service.commands.base import Commands


class ProcessCommands(Commands):
    """getinfo, help, check, notifications, stop, dev-inject."""

    def getinfo(self, request: types.GetinfoRequest) -> types.GetinfoResponse:  # noqa: ARG002
        """Return who this node is. Everything about channels and blocks is zero or empty."""
        options, node_id = self._node.options, self._node.keys.node_id.hex()
        local = [] if self._served is None else [_path_text(self._served.socket)]
        listening = () if self._served is None else self._served.peers.listening
        return types.GetinfoResponse(
            id=node_id,
            alias="lnoffers",
            color=node_id[:6],
            num_peers=0 if self._served is None else len(self._served.peers.links),
            num_pending_channels=0,
            num_active_channels=0,
            num_inactive_channels=0,
            address=[],
            binding=[
                *(types.GetinfoBinding(type="local socket", socket=path) for path in local),
                *(types.GetinfoBinding(type=ip_version(host), address=host, port=port) for host, port in listening),
            ],
            version=_version(),
            blockheight=0,
            network=options.network,
            fees_collected_msat=0,
            lightning_dir=_path_text(options.network_dir),
            our_features=types.GetinfoOurFeatures(init=OFFERED.hex(), node="", channel="", invoice=""),
        )

    def help(self, request: types.HelpRequest) -> types.HelpResponse:
        """Return how each command, or one of them, is called."""
        self.rpc_check_help(request)
        commands = self.rpc_commands
        names = sorted(commands) if request.command is None else [request.command]
        return types.HelpResponse(
            help=[types.HelpHelp(command=commands[name].usage) for name in names], format_hint="simple"
        )

    def rpc_check_help(self, request: types.HelpRequest) -> None:
        """Check that the command exists."""
        if request.command is not None and request.command not in self.rpc_commands:
            raise RpcError(METHOD_NOT_FOUND, f"Unknown command {request.command}")

    def check(self, request: types.CheckRequest) -> types.CheckResponse:
        """Return the command's name: the dispatcher has checked the parameters before it calls this."""
        return types.CheckResponse(command_to_check=request.command_to_check)

    def notifications(self, request: types.NotificationsRequest) -> types.NotificationsResponse:  # noqa: ARG002
        """Accept the choice whether to send notifications; this service sends none."""
        return types.NotificationsResponse()

    def stop(self, request: types.StopRequest) -> types.StopResponse:  # noqa: ARG002
        """Stop the server, which sends this response last."""
        if self._served is None:
            raise RpcError(GENERIC, "No server is running, so there is nothing to stop")
        self._served.stop()
        return types.StopResponse(result="Shutdown complete")

    def dev_inject(self, request: types.DevInjectRequest) -> types.DevInjectResponse:
        """Replace the injected entropy and clock."""
        if not self._node.options.injectable:
            raise unknown_command("dev-inject")
        entropy = None if request.entropy is None else bytes.fromhex(request.entropy)
        self._node.inject(entropy, request.time)
        return types.DevInjectResponse()


@cache
def _version() -> str:
    """Return the release of Core Lightning whose contract this is, followed by our own version."""
    from importlib.metadata import version  # noqa: PLC0415 # 0085: slow

    return f"{RELEASE}-lnoffers-{version('clnrpc')}"


def _path_text(path: Path) -> str:
    """Return a path as text for JSON; its bytes need not be UTF-8."""
    return os.fsencode(path).decode(errors="replace")
