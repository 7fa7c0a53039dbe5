"""The command `decode`, without a node: a server also runs it in a process that has none (`serving.decoder`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken, Converter, raw_text
from clnrpc.runtime.values.encode import finish
from lnoffers.emergency import SealedError
from lnoffers.service import string_kinds
from lnoffers.service.parameters.strings import MAX_STRING, string_to_read
from lnoffers.service.string_kinds import Decoded, UnreadableError, Unseal

if TYPE_CHECKING:
    from clnrpc.runtime.values.written import FinishedJson

# lightningd takes any token here, and takes its text as it is written, escapes and all.
CONVERTERS: Final[Mapping[str, Mapping[str, Converter]]] = {
    "check": {"command_to_check": raw_text},
    "decode": {"string": string_to_read(MAX_STRING)},
}
"""Command -> parameter -> converter in place of its type's."""


def decode(request: types.DecodeRequest, *, now: int, unseal: Unseal) -> FinishedJson:
    """Return the DecodeResponse for a string; `now` is in unix seconds.

    Raises:
        RpcError: if it cannot be read or opened.
    """
    return finish(_decode(request, now, unseal))


def check(request: types.DecodeRequest, *, now: int, unseal: Unseal) -> None:
    """Check that the string can be decoded.

    Raises:
        RpcError: if it cannot be read or opened.
    """
    _decode(request, now, unseal)


def _decode(request: types.DecodeRequest, now: int, unseal: Unseal) -> Decoded:
    try:
        return string_kinds.decode(request.string, now=now, unseal=unseal)
    except UnreadableError as error:
        place = "" if error.offset is None else f"[{error.offset}]"
        bad = BadToken(str(error), place, b'"%b"' % request.string.encode(), names_place=False)
        raise BadParameter("string", bad) from error
    except SealedError as error:
        raise RpcError(INVALID_PARAMS, str(error)) from error
