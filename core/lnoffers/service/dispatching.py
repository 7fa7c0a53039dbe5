"""Requests as text to the service's methods: which commands there are, and which parameters are read otherwise."""

from __future__ import annotations

from clnrpc.runtime.convert import raw_text
from clnrpc.runtime.dispatch import Answer, Dispatcher
from lnoffers.service.commands import OffersService

# lightningd takes these as they are written, escapes and all, and takes any token.
_CONVERTERS = {"decode": {"string": raw_text}, "help": {"command": raw_text}}


def dispatcher(service: OffersService, *, developer: bool) -> Dispatcher:
    """What answers the requests that a server or `lnoffers call` receives."""
    return Dispatcher(service, service.rpc_commands, developer=developer, converters=_CONVERTERS)


def answer(through: Dispatcher, message: bytes) -> Answer:
    """The answer to one message. Every command of this service is done when its method returns."""
    found = through.answer(message)
    assert isinstance(found, Answer)
    return found
