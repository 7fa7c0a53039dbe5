"""The backend `none`: it pays nothing. Invoices that were checked wait for somebody who pays them by hand."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from lnoffers.service.payments.backend import Backend, BackendError, Failed, Host, Outcome, Uncertain

if TYPE_CHECKING:
    from lnoffers.bolt12 import Invoice

IDENTITY: Final = "none"
COMPARE: Final = (
    "This service does not know what was paid by hand since the backup was made: before you pay an invoice, look "
    "whether you have paid for its request already"
)
NOT_PAID: Final = "this service does not pay by itself; the invoice waits for somebody to pay it by hand"


logger = logging.getLogger(__name__)


class Manual(Backend):
    """Pays nothing, and cannot tell what was paid."""

    identity = IDENTITY
    pays = False

    async def pay(self, _invoice: Invoice) -> Outcome:
        """Refuse."""
        return Failed(NOT_PAID)

    async def find(self, _invoice: Invoice) -> Outcome:
        """Return that only a person knows."""
        return Uncertain("only the person who was asked to pay can tell")

    async def payments(self) -> AsyncIterator[tuple[Invoice, Outcome]]:
        """Return nothing: it knows of no payment. The log asks the operator to compare."""
        logger.warning("%s", COMPARE)
        return
        yield  # makes this a generator


def make(argument: str, _host: Host) -> Manual:
    """Return the backend. Raises BackendError if there is anything after its name."""
    if argument:
        raise BackendError("the backend none has no argument")
    return Manual()
