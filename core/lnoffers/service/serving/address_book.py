"""The addresses at which a server has reached other nodes: read when it starts, stored when a connection is open.

An address that was stored within the last day is not stored again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Final

from clnrpc.runtime.errors import RpcError
from lnoffers.net.address import Address
from lnoffers.service.node import Node
from lnoffers.service.store import addresses

KNOWN_SECONDS: Final = 86_400
"""How long an address that was stored is not stored again. A peer may end a connection every second, and each write
syncs the disk; the time only decides which of a thousand nodes is forgotten first, for which a day is near enough."""

logger = logging.getLogger(__name__)


class AddressBook:
    """The addresses in the store of a node. Use it within the server's event loop."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def load(self) -> Mapping[bytes, Address]:
        """Return all addresses by node id, in the order of their last connections; none if the store fails."""
        try:
            return {address.node_id: address for address in await self._node.changes.run(self._find)}
        except RpcError as error:
            logger.warning("No address is remembered: %s", error.message)
            return {}

    def remember(self, address: Address) -> None:
        """Store the address at which a node was reached. If that fails, nothing is lost but this."""
        stored = asyncio.ensure_future(self._node.changes.run(partial(self._store, address)))
        stored.add_done_callback(_log_failure)

    def _find(self) -> list[Address]:
        with self._node.store.transaction(writes=False) as connection:
            return addresses.find(connection)

    def _store(self, address: Address) -> None:
        now = self._node.clock.now()
        with self._node.store.transaction(writes=False) as connection:
            if addresses.is_known(connection, address, now - KNOWN_SECONDS):
                return
        with self._node.store.transaction() as connection:
            addresses.remember(connection, address, now)


def _log_failure(stored: asyncio.Future[None]) -> None:
    if not stored.cancelled() and (error := stored.exception()) is not None:
        logger.debug("An address is not remembered: %s", error)
