"""Requests as text to the service's methods: which commands there are, and which parameters are read otherwise."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Final

from clnrpc.runtime.convert import BadToken, raw_text
from clnrpc.runtime.dispatch import Answer, Dispatcher
from clnrpc.runtime.jsontext import members
from lnoffers.service import parameters
from lnoffers.service.commands import OffersService
from lnoffers.service.invoiceparameters import OF_INVOICES

MAX_STRING: Final = 1 << 17
"""Characters of a string to take apart. No message that travels has more: 65,535 bytes (BOLT 1) are 104,856 symbols."""

_SEE_LOG: Final = b": invalid token (see logs for details)"

logger = logging.getLogger(__name__)


def string_to_read(raw: bytes) -> str:
    """The text of any token as written, if it is not so long that others would wait while it is read."""
    text = raw_text(raw)
    if len(text) > MAX_STRING:
        raise BadToken(f"should have {MAX_STRING} characters at most")
    return text


# lightningd takes the texts of check, decode and help as they are written, escapes and all, and takes any token.
_CONVERTERS: Final = {
    "check": {"command_to_check": raw_text},
    "decode": {"string": string_to_read},
    "help": {"command": raw_text},
    "offer": parameters.OF_OFFER,
    **OF_INVOICES,
}
# lightningd has these pass on what another command answered, as it is.
_UNFILTERED: Final = frozenset({"invoicerequest", "offer"})


def dispatcher(service: OffersService, *, developer: bool) -> Dispatcher:
    """What answers the requests that a server or `lnoffers call` receives."""
    return Dispatcher(
        service, service.rpc_commands, developer=developer, converters=_CONVERTERS, unfiltered=_UNFILTERED
    )


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
