"""sendinvoice: send an invoice to the payer who made a request, and wait until it is paid."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceRequest
from lnoffers.bolt12.features import MPP_OPTIONAL, bitmap
from lnoffers.fetching import FetchError, Reason
from lnoffers.fetching.asking import ask_in_turn
from lnoffers.fetching.question import Answered, Question, refusal
from lnoffers.net.errors import LocalProtocolError
from lnoffers.service import request_terms
from lnoffers.service.commands.asking import AskingCommands, too_long
from lnoffers.service.commands.codes import INVOICE_LABEL_ALREADY_EXISTS
from lnoffers.service.commands.fetch_errors import TIMEOUTS, error_for
from lnoffers.service.commands.invoices import shown, spelling
from lnoffers.service.commands.invoicewaits import LONGEST_PAUSE, InvoicewaitCommands
from lnoffers.service.entropy import EntropyError
from lnoffers.service.payment_paths import path_to_self
from lnoffers.service.payments.backend import BackendError, Destination, Incoming
from lnoffers.service.store import invoices
from lnoffers.service.store.invoices import MAX_NUMBER, InvoiceStatus, NewInvoice, StoredInvoice

if TYPE_CHECKING:
    from lnoffers.service.payments.backend import Backend
    from lnoffers.service.peers import Peers
    from lnoffers.service.peers.pending import AwaitedAnswer
    from lnoffers.service.store import Connection

SEND_SECONDS: Final = 90
"""The default of `timeout`."""
PREIMAGE_BYTES: Final = 32
_FEATURES: Final = bitmap([MPP_OPTIONAL])


@dataclass(frozen=True, slots=True)
class _Draft:
    """An invoice that is about to be made."""

    request: InvoiceRequest
    label: str
    amount: int
    """Millisatoshi."""
    seconds: int
    """Until it expires."""
    created_at: int
    """Unix seconds."""
    preimage: bytes = field(repr=False)

    @property
    def payment_hash(self) -> bytes:
        """SHA256 of the preimage, 32 bytes."""
        return sha256(self.preimage).digest()

    @property
    def incoming(self) -> Incoming:
        """The payment, as a backend is told to expect it."""
        description = self.request.offer_description or ""
        return Incoming(self.payment_hash, self.preimage, self.amount, self.seconds, description)


class SendinvoiceCommands(InvoicewaitCommands, AskingCommands):
    """sendinvoice."""

    def sendinvoice(self, request: types.SendinvoiceRequest) -> Awaitable[types.SendinvoiceResponse]:
        """Make an invoice for a request, send it to the payer, and wait until it is paid or refused."""
        asked = self._answerable(request)
        peers, backend, label = self._peers, self._payer.backend, spelling(request.label)
        self._expire_due()
        with self._transaction(writes=False) as connection:
            _check_label(connection, label)
        try:
            preimage = self._node.entropy.draw(PREIMAGE_BYTES)
            draft = self._draft(request, asked, preimage)
            destination = None if backend.collects else self._own_destination(draft)
        except (EntropyError, ValueError) as error:
            raise RpcError(GENERIC, f"No invoice can be made: {error}") from error
        return self._send(peers, backend, draft, destination)

    def rpc_check_sendinvoice(self, request: types.SendinvoiceRequest) -> None:
        """Check that the request can be answered, but not that the label is new."""
        self._answerable(request)

    def _answerable(self, request: types.SendinvoiceRequest) -> InvoiceRequest:
        """Return the request, if it can be answered with the given amount."""
        asked = request_terms.read_request(request.invreq, self._chain)
        try:
            asked.verify(any_amount=True)
        except Bolt12Error as error:
            raise request_terms.bad_request(error.message, request.invreq) from error
        if _amount(request, asked) > MAX_NUMBER:
            raise RpcError(INVALID_PARAMS, "Excessive invoice_amount")
        return asked

    def _draft(self, request: types.SendinvoiceRequest, asked: InvoiceRequest, preimage: bytes) -> _Draft:
        return _Draft(
            request=asked,
            label=spelling(request.label),
            amount=_amount(request, asked),
            seconds=SEND_SECONDS if request.timeout is None else request.timeout,
            created_at=self._node.clock.now(),
            preimage=preimage,
        )

    def _own_destination(self, draft: _Draft) -> Destination:
        path, payinfo = path_to_self(self._node, draft.payment_hash)
        return Destination([path], [payinfo])

    async def _send(
        self, peers: Peers, backend: Backend, draft: _Draft, destination: Destination | None
    ) -> types.SendinvoiceResponse:
        try:
            ends_at = destination or await backend.receive(draft.incoming)
        except BackendError as error:
            raise RpcError(GENERIC, f"The payment backend cannot receive: {error}") from error
        try:
            invoice = self._signed_for(draft, ends_at)
            stored = await self._node.changes.run(partial(self._store_sent, draft, invoice))
        except BaseException:
            if destination is None:
                await backend.forget(draft.payment_hash)
            raise
        return await self._until_paid(peers, draft, invoice, stored.created_index)

    def _signed_for(self, draft: _Draft, destination: Destination) -> Invoice:
        keys = self._node.keys
        try:
            unsigned = Invoice.for_request(
                draft.request,
                invoice_created_at=draft.created_at,
                invoice_payment_hash=draft.payment_hash,
                invoice_paths=destination.paths,
                invoice_blindedpay=destination.payinfos,
                invoice_node_id=keys.node_id,
                invoice_amount=draft.amount,
                invoice_relative_expiry=draft.seconds,
                invoice_features=_FEATURES,
                any_amount=True,
            )
        except Bolt12Error as error:
            raise request_terms.bad_request(error.message, draft.request.encode()) from error
        self._check_size(unsigned)
        return unsigned.sign(keys.node_signer)

    def _store_sent(self, draft: _Draft, invoice: Invoice) -> StoredInvoice:
        new = NewInvoice(
            label=draft.label,
            bolt12=invoice.encode(),
            description=invoice.offer_description,
            payer_note=invoice.invreq_payer_note,
            payment_hash=draft.payment_hash,
            payment_preimage=draft.preimage,
            amount_msat=draft.amount,
            expires_at=draft.created_at + draft.seconds,
            local_offer_id=None,
        )
        with self._transaction() as connection:
            _check_label(connection, draft.label)
            return invoices.add(connection, new)

    async def _until_paid(
        self, peers: Peers, draft: _Draft, invoice: Invoice, created_index: int
    ) -> types.SendinvoiceResponse:
        """Send the invoice, and return it when it is paid. It stays payable after an error until it expires."""
        question, answer = Question(invoice), asyncio.get_running_loop().create_future()
        look = partial(self._sent_if_paid, created_index)
        paid = asyncio.ensure_future(self._node.changes.until(look, lambda: LONGEST_PAUSE))
        failed = asyncio.ensure_future(self._failure(peers, draft, question, answer))
        try:
            await asyncio.wait([paid, failed], return_when=asyncio.FIRST_COMPLETED)
            if paid.done():
                return paid.result()
            at_last = await self._node.changes.run(look)  # it may have been paid at the last moment
            if at_last is not None:
                return at_last
            raise failed.result()
        finally:
            peers.pending.forget(question.path_ids)
            for task in (paid, failed):
                task.cancel()

    def _sent_if_paid(self, created_index: int) -> types.SendinvoiceResponse | None:
        with self._transaction(writes=False) as connection:
            stored = invoices.by_created_index(connection, created_index)
        if stored is None:
            raise RpcError(GENERIC, "Invoice deleted during wait")
        return types.SendinvoiceResponse(**shown(stored)) if stored.status is InvoiceStatus.PAID else None

    async def _failure(self, peers: Peers, draft: _Draft, question: Question, answer: AwaitedAnswer) -> RpcError:
        """Send the invoice along each route until it is refused; return why it is not paid."""
        clock = asyncio.get_running_loop().time
        deadline, target = clock() + draft.seconds, draft.request
        try:
            answered = await ask_in_turn(target, question, self._entries(peers, target, answer), draft.seconds)
        except FetchError as error:
            if error.reason not in TIMEOUTS:
                return error_for(error, target)
            silence = error
        except LocalProtocolError:
            return too_long()
        else:
            return error_for(_bad_answer(answered, question), target)
        # It may have been sent along a route before the last one, and the payer may still pay it or refuse it.
        await asyncio.wait([answer], timeout=max(deadline - clock(), 0))
        try:
            late = question.read(answer.result()) if answer.done() else None
        except FetchError as error:
            return error_for(error, target)
        if late is not None:
            return error_for(_bad_answer(late, question), target)
        timeout = error_for(silence, target)
        return RpcError(timeout.code, timeout.message, {"invstring": question.sent.encode(), **(timeout.data or {})})


def _amount(request: types.SendinvoiceRequest, asked: InvoiceRequest) -> int:
    return (asked.invreq_amount or 0) if request.amount_msat is None else request.amount_msat


def _check_label(connection: Connection, label: str) -> None:
    if (clash := invoices.by_label(connection, label)) is not None:
        raise RpcError(INVOICE_LABEL_ALREADY_EXISTS, "Duplicate label", shown(clash))


def _bad_answer(answered: Answered, question: Question) -> FetchError:
    """Return the error for an answer to an invoice, which must be a refusal."""
    refused = refusal(answered, question.sent)
    return refused or FetchError(Reason.BAD_ANSWER, "an invoice came in answer to the invoice", raw=answered.raw)
