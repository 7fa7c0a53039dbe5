"""connect, disconnect, listpeers, ping: the connections to other nodes. Only a server has any."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from lnoffers.net.address import Address, host_kind, place_text
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.codes import CONNECT_ALL_ADDRESSES_FAILED, CONNECT_NO_KNOWN_ADDRESS
from lnoffers.service.errors import PeerUnavailableError, UnknownHostError
from lnoffers.service.parameters.peers import PeerAddress, peer_address

if TYPE_CHECKING:
    from lnoffers.service.peers import Link, Peers

MAX_PING: Final = 65_529
"""Bytes of a ping beside its type and its two lengths, in a message of 65,535."""


class PeerCommands(Commands):
    """connect, disconnect, listpeers, ping."""

    def connect(self, request: types.ConnectRequest) -> Awaitable[types.ConnectResponse]:
        """Connect to a node, or find the connection to it."""
        return _connect(self._peers, peer_address(request, self._node.options.network))

    def rpc_check_connect(self, request: types.ConnectRequest) -> None:
        """Check that the parameters name a node, and perhaps a place."""
        peer_address(request, self._node.options.network)

    def disconnect(self, request: types.DisconnectRequest) -> Awaitable[types.DisconnectResponse]:
        """End the connection to a node."""
        return _disconnect(self._peers, request.id)

    def listpeers(self, request: types.ListpeersRequest) -> types.ListpeersResponse:
        """List the nodes that are connected."""
        links = () if self._served is None else self._served.peers.links
        wanted = [link for link in links if request.id in (None, link.node_id.hex())]
        return types.ListpeersResponse(peers=[types.ListpeersPeer(**_shown(link)) for link in wanted])

    def ping(self, request: types.PingRequest) -> Awaitable[types.PingResponse]:
        """Exchange a ping and a pong."""
        self.rpc_check_ping(request)
        return _ping(self._peers, request)

    def rpc_check_ping(self, request: types.PingRequest) -> None:
        """Check that the ping fits a message."""
        if request.len > MAX_PING:
            raise RpcError(INVALID_PARAMS, f"{request.len} would result in oversize ping")


async def _connect(peers: Peers, wanted: PeerAddress) -> types.ConnectResponse:
    link = peers.link(wanted.node_id)
    if link is None:
        address = peers.addresses.get(wanted.node_id)
        if wanted.host is not None:
            address = Address(wanted.node_id, wanted.host, wanted.port)
        if address is None:
            raise RpcError(CONNECT_NO_KNOWN_ADDRESS, "Unable to connect, no address known for peer")
        try:
            link = await peers.connect(address)
        except UnknownHostError as error:
            raise RpcError(GENERIC, str(error)) from error
        except PeerUnavailableError as error:
            raise RpcError(CONNECT_ALL_ADDRESSES_FAILED, f"All addresses failed: {error}") from error
    host, port = link.remote
    return types.ConnectResponse(
        id=link.node_id.hex(),
        features=link.features.hex(),
        direction="in" if link.address is None else "out",
        address=types.ConnectAddress(type=host_kind(host), address=host, port=port),
    )


async def _disconnect(peers: Peers, node_id: str) -> types.DisconnectResponse:
    if not await peers.disconnect(bytes.fromhex(node_id)):
        raise RpcError(INVALID_PARAMS, f"Unknown peer '{node_id}'")
    return types.DisconnectResponse()


async def _ping(peers: Peers, request: types.PingRequest) -> types.PingResponse:
    try:
        found = await peers.ping(bytes.fromhex(request.id), length=request.len, pong_length=request.pongbytes)
    except PeerUnavailableError as error:
        raise RpcError(GENERIC, str(error)) from error
    return types.PingResponse(totlen=0 if found is None else found + 4)


def _shown(link: Link) -> dict[str, Any]:
    return {
        "id": link.node_id.hex(),
        "connected": True,
        "num_channels": 0,
        "netaddr": [place_text(*link.remote)],
        "features": link.features.hex(),
    }
