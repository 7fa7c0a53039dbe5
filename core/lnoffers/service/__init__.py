"""The service: the commands of `clnrpc`, filled in with BOLT 12, on a store, behind Core Lightning's JSON-RPC.

In a process of one's own, a test's for example, without a socket:

    from clnrpc.types import InvoicerequestRequest
    from lnoffers.service import Node, OffersService, Options

    with Node.open(Options(lightning_dir=directory, network="regtest"), make=True) as node:
        service = OffersService(node)
        made = service.invoicerequest(InvoicerequestRequest(amount=1000, description="refund"))

A list of more than a hundred entries comes as an iterator of responses, each with a part of it.

`Server` serves a node on its Unix socket, within an asyncio event loop; the program `lnoffers` is in `cli`. What keeps
any of them from working is a `ServiceError`; a call that fails raises `clnrpc.RpcError`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lnoffers.service.commands import OffersService
    from lnoffers.service.errors import ServiceError
    from lnoffers.service.node import Node
    from lnoffers.service.options import Options
    from lnoffers.service.serving.server import Server

__all__ = ["Node", "OffersService", "Options", "Server", "ServiceError"]

_HOMES = {
    "Node": "node",
    "OffersService": "commands",
    "Options": "options",
    "Server": "serving.server",
    "ServiceError": "errors",
}


def __getattr__(name: str) -> object:
    # Most of these load the store and the keys, and the command line must not where it only talks to a server.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
