"""The service: the commands of `clnrpc`, implemented with BOLT 12 and a store, behind Core Lightning's JSON-RPC.

Use it in your own process, such as a test, without a socket:

    from clnrpc.types import InvoicerequestRequest
    from lnoffers.service import Node, OffersService, Options

    with Node.open(Options(lightning_dir=directory, network="regtest"), make=True) as node:
        service = OffersService(node)
        made = service.invoicerequest(InvoicerequestRequest(amount=1000, description="refund"))

A list of more than a hundred entries is returned as an iterator of responses, each with a part of the list.

`Server` serves a node on its Unix socket, in an asyncio event loop. The program `lnoffers` is in `cli`. All of them
raise `ServiceError` if they cannot work; a call that fails raises `clnrpc.RpcError`.
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

_MODULES = {
    "Node": "node",
    "OffersService": "commands",
    "Options": "options",
    "Server": "serving.server",
    "ServiceError": "errors",
}


def __getattr__(name: str) -> object:
    # Imported on first use: most of these load the database, which a call to a running server does not need.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
