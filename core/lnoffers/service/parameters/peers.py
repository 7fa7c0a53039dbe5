"""Parameters of `connect` and its siblings: which node, and where it is.

Source: Core Lightning, lightningd/connect_control.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from clnrpc.runtime.server.convert import BadToken, Converter, content, pubkey, raw_text
from lnoffers.net.address import AddressError, parse_place
from lnoffers.service.options import PORTS
from lnoffers.service.parameters.strings import with_text

_LEVELS: Final = ("io", "trace", "debug", "info", "unusual")


class PeerAddress(NamedTuple):
    """A node to connect to, by its id (33 bytes), and its host and TCP port; no host if it is not given."""

    node_id: bytes
    host: str | None
    port: int


def peer_address(request: types.ConnectRequest, network: str) -> PeerAddress:
    """Return the node that a converted request names.

    Raises:
        RpcError: if the place is given twice, or in part.
    """
    digits, at, place = request.id.partition("@")
    if at and request.host is not None:
        raise RpcError(INVALID_PARAMS, "Can't specify host as both xxx@yyy and separate argument")
    if request.port is not None and request.host is None:
        raise RpcError(INVALID_PARAMS, "Can't specify port without host")
    default = PORTS[network]
    if not at:
        return PeerAddress(bytes.fromhex(digits), request.host, default if request.port is None else request.port)
    try:
        return PeerAddress(bytes.fromhex(digits), *parse_place(place, default))
    except AddressError as error:
        raise RpcError(INVALID_PARAMS, f"malformed host @part: {error}") from None


_node_id: Final = with_text("should be a node id", pubkey)


def _node(raw: bytes) -> str:
    """Convert a node id, alone or followed by @ and a place."""
    digits, _, _ = content(raw).partition(b"@")
    _node_id(b'"%b"' % digits if raw.startswith(b'"') else digits)
    return raw_text(raw)


def _level(raw: bytes) -> str:
    text = raw_text(raw)
    if text not in _LEVELS:
        raise BadToken("should be 'io', 'debug', 'info', or 'unusual'")
    return text


OF_PEERS: Final[Mapping[str, Mapping[str, Converter]]] = {
    "connect": {"id": _node},
    "disconnect": {"id": with_text("invalid peer id", pubkey)},
    "listpeers": {"level": _level},
}
"""Command -> parameter -> converter."""
