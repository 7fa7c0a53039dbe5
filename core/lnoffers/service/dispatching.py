"""Requests as text to the service's methods: which commands there are, and which parameters are read otherwise."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.jsontext import members
from clnrpc.runtime.server.dispatch import Answer, Dispatcher
from lnoffers.service.commands import OffersService
from lnoffers.service.parameters import CONVERTERS

INTERNAL_ERROR: Final = RpcError(GENERIC, "Internal error")
"""What a call that ends in a bug is answered with."""

_SEE_LOG: Final = b": invalid token (see logs for details)"

logger = logging.getLogger(__name__)

# lightningd has these pass on what another command answered, as it is.
_UNFILTERED: Final = frozenset({"invoicerequest", "offer"})


def dispatcher(service: OffersService, *, developer: bool) -> Dispatcher:
    """What answers the requests that a server or `lnoffers call` receives."""
    return Dispatcher(service, service.rpc_commands, developer=developer, converters=CONVERTERS, unfiltered=_UNFILTERED)


def answer(through: Dispatcher, message: bytes) -> Answer | Awaitable[Answer]:
    """The answer to one message; awaitable where the command waits for something to happen.

    Answers that send people to the log, because a token may be a secret, are logged; without the token.
    """
    found = through.answer(message)
    if isinstance(found, Answer) and found.data.endswith(_SEE_LOG + b'"}}\n\n'):
        error = dict(members(found.data)).get(b"error")
        if error is not None:
            method = dict(reversed(members(message)))[b"method"].decode()
            why = dict(members(error))[b"message"].decode().removesuffix(f'{_SEE_LOG.decode()}"')
            logger.info("Refused %s: %s", method, why.removeprefix('"'))
    return found
