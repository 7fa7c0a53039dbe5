"""decode: what a string says."""

from __future__ import annotations

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken
from clnrpc.runtime.values.decode import decode as as_response
from clnrpc.runtime.values.encode import encode
from lnoffers.emergency import SealedError
from lnoffers.service.commands.base import Commands
from lnoffers.service.decoding import Shown, UnreadableError, decode


class DecodeCommand(Commands):
    """decode."""

    def decode(self, request: types.DecodeRequest) -> types.DecodeResponse:
        """Take a string apart."""
        found = self._read(request)
        answer: types.DecodeResponse = as_response(types.DecodeResponse, encode(found))
        return answer

    def rpc_check_decode(self, request: types.DecodeRequest) -> None:
        """See that the string can be taken apart."""
        self._read(request)

    def _read(self, request: types.DecodeRequest) -> Shown:
        node = self._node
        try:
            return decode(request.string, now=node.clock.now(), named_secret=node.keys.named_secret)
        except UnreadableError as error:
            place = "" if error.offset is None else f"[{error.offset}]"
            bad = BadToken(str(error), place, b'"%b"' % request.string.encode(), names_place=False)
            raise BadParameter("string", bad) from error
        except SealedError as error:
            raise RpcError(INVALID_PARAMS, str(error)) from error
