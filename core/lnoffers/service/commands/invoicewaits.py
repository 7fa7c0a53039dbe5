"""waitinvoice and waitanyinvoice, which answer when an invoice is paid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Final, TypeVar

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, RpcError
from lnoffers.service.commands.codes import INVOICE_EXPIRED_DURING_WAIT, INVOICE_WAIT_TIMED_OUT
from lnoffers.service.commands.invoices import InvoiceCommands, shown, spelling
from lnoffers.service.store import invoices
from lnoffers.service.store.invoices import InvoiceStatus, StoredInvoice

T = TypeVar("T")

LONGEST_PAUSE: Final = 3600.0
"""Seconds after which to look again even if no change was noticed."""
SHORTEST_PAUSE: Final = 0.1
"""Seconds: the clock counts whole ones, and may be late."""


class InvoicewaitCommands(InvoiceCommands):
    """waitinvoice, waitanyinvoice. A method returns an awaitable if there is no response yet."""

    def waitinvoice(
        self, request: types.WaitinvoiceRequest
    ) -> types.WaitinvoiceResponse | Awaitable[types.WaitinvoiceResponse]:
        """Wait until an invoice is paid."""
        stored = self._named(request)
        look = partial(self._paid, stored.created_index)
        return look() or self._later(look, due=stored.expires_at)

    def rpc_check_waitinvoice(self, request: types.WaitinvoiceRequest) -> None:
        """Check that the invoice exists."""
        self._named(request)

    def waitanyinvoice(
        self, request: types.WaitanyinvoiceRequest
    ) -> types.WaitanyinvoiceResponse | Awaitable[types.WaitanyinvoiceResponse]:
        """Wait until an invoice is paid after a given one."""
        with self._transaction(writes=False) as connection:
            # Whoever names a payment that is still to come gets the next one, as from lightningd.
            known = min(request.lastpay_index or 0, invoices.last_pay_index(connection))
        look = partial(self._paid_after, known)
        return look() or self._later(look, seconds=request.timeout)

    def _named(self, request: types.WaitinvoiceRequest) -> StoredInvoice:
        with self._transaction(writes=False) as connection:
            stored = invoices.by_label(connection, spelling(request.label))
        if stored is None:
            raise RpcError(GENERIC, "Label not found")
        return stored

    def _paid(self, created_index: int) -> types.WaitinvoiceResponse | None:
        """Return the response about this invoice; None while it is unpaid."""
        self._expire_due()
        with self._transaction(writes=False) as connection:
            stored = invoices.by_created_index(connection, created_index)
        if stored is None:
            raise RpcError(GENERIC, "Invoice deleted during wait")
        match stored.status:
            case InvoiceStatus.PAID:
                return types.WaitinvoiceResponse(**shown(stored))
            case InvoiceStatus.EXPIRED:
                raise RpcError(INVOICE_EXPIRED_DURING_WAIT, "invoice expired during wait", shown(stored))
        return None

    def _paid_after(self, pay_index: int) -> types.WaitanyinvoiceResponse | None:
        with self._transaction(writes=False) as connection:
            stored = invoices.first_paid_after(connection, pay_index)
        return None if stored is None else types.WaitanyinvoiceResponse(**shown(stored))

    def _later(
        self, look: Callable[[], T | None], *, seconds: int | None = None, due: int | None = None
    ) -> Awaitable[T]:
        """Return what `look` finds once the store has changed, or the time is `due` (unix seconds).

        Error 904 if that takes longer than `seconds`.
        """
        begun = monotonic()

        def pause() -> float:
            left = LONGEST_PAUSE if seconds is None else begun + seconds - monotonic()
            if left <= 0:
                raise RpcError(INVOICE_WAIT_TIMED_OUT, "Timed out while waiting for invoice to be paid")
            until_due = LONGEST_PAUSE if due is None else due - self._node.clock.now()
            return min(left, max(until_due, SHORTEST_PAUSE), LONGEST_PAUSE)

        return self._node.changes.until(look, pause)
