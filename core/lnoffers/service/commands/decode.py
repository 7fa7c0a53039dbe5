"""decode: what a string says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clnrpc.runtime.decode import decode as as_response
from clnrpc.runtime.encode import encode
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from clnrpc.types import DecodeResponse
from lnoffers.emergency import SealedError
from lnoffers.service.commands.base import Commands
from lnoffers.service.decoding import Shown, UnreadableError, decode

if TYPE_CHECKING:
    from clnrpc.types import DecodeRequest


class DecodeCommand(Commands):
    """decode."""

    def decode(self, request: DecodeRequest) -> DecodeResponse:
        """Take a string apart."""
        found = self._read(request, show_token=self._node.options.developer)
        answer: DecodeResponse = as_response(DecodeResponse, encode(found))
        return answer

    def rpc_check_decode(self, request: DecodeRequest) -> None:
        """See that the string can be taken apart."""
        self._read(request, show_token=True)

    def _read(self, request: DecodeRequest, *, show_token: bool) -> Shown:
        node = self._node
        try:
            return decode(request.string, now=node.clock.now(), named_secret=node.keys.named_secret)
        except UnreadableError as error:
            token = f"'\"{request.string}\"'" if show_token else "(see logs for details)"
            raise RpcError(INVALID_PARAMS, f"string: {error}: invalid token {token}") from error
        except SealedError as error:
            raise RpcError(INVALID_PARAMS, str(error)) from error
