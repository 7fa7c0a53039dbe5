"""decode: what a string says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lnoffers.service import decodecall
from lnoffers.service.commands.base import Commands

if TYPE_CHECKING:
    from clnrpc import types
    from clnrpc.runtime.values.written import FinishedJson


class DecodeCommand(Commands):
    """decode."""

    def decode(self, request: types.DecodeRequest) -> FinishedJson:
        """Return the DecodeResponse for a string, as JSON."""
        return decodecall.decode(request, now=self._node.clock.now(), unseal=self._node.unseal)

    def rpc_check_decode(self, request: types.DecodeRequest) -> None:
        """Check that the string can be decoded."""
        decodecall.check(request, now=self._node.clock.now(), unseal=self._node.unseal)
