"""The command `decode` apart from the node: a server also has it in a process that has no node (`serving.decoder`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken, Converter, raw_text
from clnrpc.runtime.values.decode import decode as as_response
from clnrpc.runtime.values.encode import encode
from lnoffers.emergency import SealedError
from lnoffers.service import decoding
from lnoffers.service.decoding import Shown, UnreadableError, Unseal
from lnoffers.service.parameters.strings import MAX_STRING, string_to_read

# lightningd takes these texts as they are written, escapes and all, and takes any token.
CONVERTERS: Final[Mapping[str, Mapping[str, Converter]]] = {
    "check": {"command_to_check": raw_text},
    "decode": {"string": string_to_read(MAX_STRING)},
}
"""Command -> parameter -> converter in place of its type's."""


def decode(request: types.DecodeRequest, *, now: int, unseal: Unseal) -> types.DecodeResponse:
    """Take a string apart; `now` in unix seconds.

    Raises:
        RpcError: if it cannot be read or opened.
    """
    answer: types.DecodeResponse = as_response(types.DecodeResponse, encode(_read(request, now, unseal)))
    return answer


def check(request: types.DecodeRequest, *, now: int, unseal: Unseal) -> None:
    """See that the string can be taken apart.

    Raises:
        RpcError: if it cannot be read or opened.
    """
    _read(request, now, unseal)


def _read(request: types.DecodeRequest, now: int, unseal: Unseal) -> Shown:
    try:
        return decoding.decode(request.string, now=now, unseal=unseal)
    except UnreadableError as error:
        place = "" if error.offset is None else f"[{error.offset}]"
        bad = BadToken(str(error), place, b'"%b"' % request.string.encode(), names_place=False)
        raise BadParameter("string", bad) from error
    except SealedError as error:
        raise RpcError(INVALID_PARAMS, str(error)) from error
