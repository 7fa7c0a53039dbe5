"""waitinvoice and waitanyinvoice: answers that come when an invoice is paid."""

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
"""Seconds after which to look again though nothing is known to have happened."""
SHORTEST_PAUSE: Final = 0.1
"""Seconds, for a clock that counts whole ones may be behind."""


class InvoicewaitCommands(InvoiceCommands):
    """waitinvoice, waitanyinvoice. What cannot be answered at once is awaitable, in one event loop for all."""

    def waitinvoice(
        self, request: types.WaitinvoiceRequest
    ) -> types.WaitinvoiceResponse | Awaitable[types.WaitinvoiceResponse]:
        """Answer when an invoice is paid."""
        stored = self._named(request)
        look = partial(self._paid, stored.created_index)
        return look() or self._later(look, due=stored.expires_at)

    def rpc_check_waitinvoice(self, request: types.WaitinvoiceRequest) -> None:
        """See that there is such an invoice."""
        self._named(request)

    def waitanyinvoice(
        self, request: types.WaitanyinvoiceRequest
    ) -> types.WaitanyinvoiceResponse | Awaitable[types.WaitanyinvoiceResponse]:
        """Answer when an invoice is paid after a given one."""
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
        """The answer about this invoice, None while there is none."""
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
        """What `look` finds once the store has changed, or it is `due`, in unix seconds.

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
