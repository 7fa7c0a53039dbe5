"""The dispatcher of the service: which commands exist, where they run, and which parameters have own converters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.server.convert import Converter, raw_text, unsigned
from clnrpc.runtime.server.dispatch import Dispatcher
from lnoffers.service import decodecall
from lnoffers.service.clock import TIME_BITS
from lnoffers.service.commands import OffersService
from lnoffers.service.commands.codes import LIGHTNINGD_SHUTDOWN
from lnoffers.service.parameters.invoices import OF_INVOICES
from lnoffers.service.parameters.offers import OF_OFFER
from lnoffers.service.parameters.payments import OF_PAYMENTS
from lnoffers.service.parameters.peers import OF_PEERS
from lnoffers.service.parameters.requests import OF_REQUESTS
from lnoffers.service.parameters.runes import OF_RUNES
from lnoffers.service.parameters.strings import label
from lnoffers.service.refusals import log_hidden

STORELESS: Final = frozenset(
    {
        *(b'"decode"', b'"getinfo"', b'"help"', b'"notifications"'),
        *(b'"connect"', b'"disconnect"', b'"listpeers"', b'"ping"'),
    }
)
"""The commands, in quotes, that use neither the store nor the disk, and that take a millisecond at most.

A string that takes longer to decode goes to a process of its own (`serving.decoder`).
"""
INTERNAL_ERROR: Final = RpcError(GENERIC, "Internal error")
"""The answer to a call that ends in a bug."""
STOPPING: Final = RpcError(LIGHTNINGD_SHUTDOWN, "The server stops")
"""The answer to a call that still waits, or is being decoded, when the server stops."""


def to_raise(error: RpcError) -> RpcError:
    """Return a copy, for one call: raising an error adds a traceback to it, which would keep that call's data alive."""
    return RpcError(error.code, error.message)


# lightningd takes the text of help as it is written, escapes and all, and takes any token.
_CONVERTERS: Final[dict[str, Mapping[str, Converter]]] = {
    "dev-inject": {"time": unsigned(TIME_BITS)},
    "help": {"command": raw_text},
    "invoicerequest": {"label": label},
    "offer": OF_OFFER,
    **decodecall.CONVERTERS,
    **OF_INVOICES,
    **OF_PAYMENTS,
    **OF_PEERS,
    **OF_REQUESTS,
    **OF_RUNES,
}
"""Command -> parameter -> converter in place of its type's."""

# lightningd has these pass on what another command answered, as it is.
_UNFILTERED: Final = frozenset({"invoicerequest", "offer"})


def dispatcher(service: OffersService, *, developer: bool) -> Dispatcher:
    """Return what answers the requests of a server or of `lnoffers call`."""
    return Dispatcher(
        service,
        service.rpc_commands,
        developer=developer,
        hidden=log_hidden,
        converters=_CONVERTERS | service.rpc_converters,
        unfiltered=_UNFILTERED,
    )
