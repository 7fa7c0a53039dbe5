"""decode: what a string says."""

from __future__ import annotations

from clnrpc import types
from lnoffers.service import decodecall
from lnoffers.service.commands.base import Commands


class DecodeCommand(Commands):
    """decode."""

    def decode(self, request: types.DecodeRequest) -> types.DecodeResponse:
        """Take a string apart."""
        return decodecall.decode(request, now=self._node.clock.now(), unseal=self._node.unseal)

    def rpc_check_decode(self, request: types.DecodeRequest) -> None:
        """See that the string can be taken apart."""
        decodecall.check(request, now=self._node.clock.now(), unseal=self._node.unseal)
