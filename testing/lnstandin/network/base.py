"""The base of the commands that need channels."""

from __future__ import annotations

from lnoffers.service.commands.base import Commands
from lnstandin.play import Play


class NetworkCommands(Commands):
    """A family of commands of a node with channels."""

    @property
    def _play(self) -> Play:
        """The play money of the server; RpcError without a server."""
        backend = self._payer.backend
        assert isinstance(backend, Play)  # by the node's options
        return backend
