"""JSON-RPC around a call, as lightningd reads and writes it.

The checks, their order and their texts are lightningd's (common/jsonrpc_io.c, lightningd/jsonrpc.c). If a request has
several members of one name, the first one counts. A response repeats the id as it was written, and ends with two line
feeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import INVALID_REQUEST, RpcError
from ..jsontext import FramingError, JsonType, LimitExceeded, json_type, members
from ..values.encode import encode
from .convert import content

QUOTED_BYTES: Final = 1000
"""The number of bytes that an error quotes of a message that is not a JSON-RPC request."""
NO_ID: Final = b"null"
"""The id of a response to a request whose id cannot be read."""
BEGINNING: Final = b'{"jsonrpc":"2.0","id":%b,"result":'
END: Final = b"}\n\n"

RequestMembers = Mapping[bytes, bytes]
"""The members of a request, as written."""


def members_by_name(message: bytes) -> RequestMembers:
    """Return the members of one message of a Framer."""
    return dict(reversed(members(message)))


def has_version(request: RequestMembers) -> bool:
    """Return whether a message says that it is JSON-RPC; if not, the connection must be closed after `no_version`."""
    return b"jsonrpc" in request


def no_version(message: bytes) -> RpcError:
    """Return the error for a message that does not say that it is JSON-RPC."""
    text = f"JSON-RPC message does not contain \"jsonrpc\" field: '{_quoted(message)}'"
    return RpcError(INVALID_REQUEST, text)


def malformed(error: FramingError) -> RpcError:
    """Return the error for bytes that a Framer refused; the connection must be closed after it."""
    if isinstance(error, LimitExceeded):
        return RpcError(INVALID_REQUEST, f"Request refused: {error}")
    if error.text.lstrip().startswith(b"["):
        return no_version(error.text)
    return RpcError(INVALID_REQUEST, f"Failed to parse RPC JSON response '{_quoted(error.text)}'")


def identity_of(request: RequestMembers) -> bytes:
    """Return the id as written.

    Raises:
        RpcError: if the id is missing, an object or an array, or if the JSON-RPC version is not 2.0.
    """
    identity = request.get(b"id")
    if identity is None:
        raise RpcError(INVALID_REQUEST, "No id")
    if json_type(identity) in (JsonType.OBJECT, JsonType.ARRAY):
        raise RpcError(INVALID_REQUEST, "Expected string/primitive for id")
    if request[b"jsonrpc"] != b'"2.0"':
        raise RpcError(INVALID_REQUEST, 'jsonrpc: "2.0" must be specified in the request')
    return identity


def method_of(request: RequestMembers) -> bytes:
    """Return the command's name as written, without quotes.

    Raises:
        RpcError: if the name is missing or no string, or if there are no params.
    """
    if b"method" not in request or b"params" not in request:
        raise RpcError(INVALID_REQUEST, "No params" if b"method" in request else "No method")
    if json_type(request[b"method"]) is not JsonType.STRING:
        raise RpcError(INVALID_REQUEST, "Expected string for method")
    return content(request[b"method"])


def success(identity: bytes, result: bytes) -> bytes:
    """Return the response with a result (JSON text)."""
    return BEGINNING % identity + result + END


def failure(identity: bytes, error: RpcError) -> bytes:
    """Return the response with an error."""
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}\n\n' % (identity, encode(error.as_json()))


def _quoted(text: bytes) -> str:
    return text[:QUOTED_BYTES].decode(errors="replace")
