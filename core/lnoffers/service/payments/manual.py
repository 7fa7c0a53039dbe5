"""The backend `none`: it pays nothing. Invoices that were checked wait for somebody who pays them by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from lnoffers.service.payments.backend import Backend, BackendError, Failed, Host, Outcome, Uncertain

if TYPE_CHECKING:
    from lnoffers.bolt12 import Invoice

IDENTITY: Final = "none"
COMPARE: Final = (
    "The store was restored from a backup, and this service does not know what was paid by hand since. Look which "
    "requests you have paid since the backup was made, disable those, and then call lnoffers pay-by-hand --compared"
)
NOT_PAID: Final = "this service does not pay by itself; the invoice waits for somebody to pay it by hand"


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
        """Raise BackendError, which asks the operator to compare: it knows of no payment."""
        raise BackendError(COMPARE)
        yield  # makes this a generator


def make(argument: str, _host: Host) -> Manual:
    """Return the backend. Raises BackendError if there is anything after its name."""
    if argument:
        raise BackendError("the backend none has no argument")
    return Manual()
