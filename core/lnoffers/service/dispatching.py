"""Requests as text to the service's methods: which commands there are, and which parameters are read otherwise."""

from __future__ import annotations

import logging
from typing import Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.jsontext import kind
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.dispatch import Dispatcher
from lnoffers.service.commands import OffersService
from lnoffers.service.parameters import CONVERTERS

INTERNAL_ERROR: Final = RpcError(GENERIC, "Internal error")
"""What a call that ends in a bug is answered with."""

logger = logging.getLogger(__name__)

# lightningd has these pass on what another command answered, as it is.
_UNFILTERED: Final = frozenset({"invoicerequest", "offer"})


def dispatcher(service: OffersService, *, developer: bool) -> Dispatcher:
    """What answers the requests that a server or `lnoffers call` receives."""
    return Dispatcher(
        service,
        service.rpc_commands,
        developer=developer,
        hidden=_log_hidden,
        converters=CONVERTERS,
        unfiltered=_UNFILTERED,
    )


def _log_hidden(method: str, error: BadParameter) -> None:
    """Say where the token is that an answer hides: of the token itself, which may be a secret, only kind and length."""
    token = error.bad.token
    logger.info(
        "Refused %s: invalid token at %s (%s); to have errors show such tokens, start with --developer",
        method,
        error.parameter + error.bad.place,
        f"{kind(token)}, {len(token)} bytes" if token else "all parameters together",
    )
