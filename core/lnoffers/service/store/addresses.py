"""The addresses at which this node has reached others: functions over a connection in a transaction of the caller's.

One address of each node is kept, the last that worked, of at most `MAX_ADDRESSES` nodes.
"""

from __future__ import annotations

from typing import Any, Final

from lnoffers.bolt12.curve import is_point
from lnoffers.net.address import Address
from lnoffers.service.store.database import Connection
from lnoffers.service.store.rows import Rows
from lnoffers.service.store.schema import ADDRESSES as TABLE

MAX_ADDRESSES: Final = 1000
"""How many are kept; each further one replaces that of the node to which the last connection is the longest ago."""


def remember(connection: Connection, address: Address, at: int) -> None:
    """Store the address at which a node was reached `at`, Unix seconds, in place of an earlier one."""
    connection.execute(_REMEMBER, (address.node_id, address.host, address.port, at))
    connection.execute(_FORGET, (MAX_ADDRESSES,))


def is_known(connection: Connection, address: Address, since: int) -> bool:
    """Return whether this address is stored for its node, and was reached after `since`, Unix seconds."""
    place = (address.node_id, address.host, address.port, since)
    return connection.execute(_IS_KNOWN, place).fetchone() is not None


def find(connection: Connection) -> list[Address]:
    """Return all addresses, in the order of their last connections; those that cannot be read are skipped."""
    return _ROWS.read_many(connection, f"{TABLE.select} ORDER BY {_ORDER}", (), None)


def fault_of(node_id: bytes, host: str, port: int) -> str:
    """Return what is wrong with a stored address; empty if nothing is."""
    if not is_point(node_id):
        return "its node_id is not a node id"
    if not host:
        return "its host is empty"
    return "" if 0 < port < 1 << 16 else f"its port is {port}"


def _address(node_id: bytes, host: str, port: int, _last_connected: int) -> Address:
    if fault := fault_of(node_id, host, port):
        raise ValueError(fault)
    return Address(node_id, host, port)


_ORDER: Final = "last_connected, node_id"
_ROWS: Final[Rows[Address]] = Rows[Any](TABLE, _address)
_REMEMBER: Final = f"""
    {TABLE.insert()} ON CONFLICT (node_id) DO UPDATE SET
        host = excluded.host, port = excluded.port, last_connected = excluded.last_connected
"""
_IS_KNOWN: Final = "SELECT 1 FROM addresses WHERE node_id = ? AND host = ? AND port = ? AND last_connected > ?"
_FORGET: Final = """
    DELETE FROM addresses WHERE node_id NOT IN (
        SELECT node_id FROM addresses ORDER BY last_connected DESC, node_id DESC LIMIT ?
    )
"""
