"""fetchinvoice and cancelrecurringinvoice: requests to issuers, sent over the connections of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from clnrpc import types
from clnrpc.runtime.errors import RpcError
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken
from clnrpc.runtime.values.written import Written
from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceRequest, Offer, paywindow, period_start
from lnoffers.fetching import FetchError, Reason
from lnoffers.fetching.question import Question
from lnoffers.net.errors import LocalProtocolError
from lnoffers.service import request_terms
from lnoffers.service.commands.asking import FETCH_SECONDS, METADATA_BYTES, AskingCommands, too_long
from lnoffers.service.commands.codes import OFFER_EXPIRED
from lnoffers.service.commands.fetch_errors import error_for
from lnoffers.service.parameters import requests as parameters
from lnoffers.service.peers.entries import send_along_all
from lnoffers.service.request_terms import Terms

if TYPE_CHECKING:
    from lnoffers.service.peers import Peers

_ANY_AMOUNT: Final = 2**64 - 1


class FetchCommands(AskingCommands):
    """fetchinvoice, cancelrecurringinvoice."""

    def fetchinvoice(self, request: types.FetchinvoiceRequest) -> Awaitable[types.FetchinvoiceResponse]:
        """Request an invoice for an offer, and verify it."""
        offer, terms = self._asked(request)
        peers = self._peers
        signed = self._signed(offer, terms, self._metadata(request, offer))
        limit = _default_limit(signed) if request.max_amount_msat is None else request.max_amount_msat
        seconds = FETCH_SECONDS if request.timeout is None else request.timeout
        return self._fetch(peers, offer, self._question(request, signed), limit, seconds)

    def rpc_check_fetchinvoice(self, request: types.FetchinvoiceRequest) -> None:
        """Check that such a request can be made."""
        self._asked(request)

    def cancelrecurringinvoice(
        self, request: types.CancelrecurringinvoiceRequest
    ) -> Awaitable[types.CancelrecurringinvoiceResponse]:
        """Tell the issuer that a recurring offer is not paid any more."""
        offer, terms = self._cancelled(request)
        metadata = self._recurrence_metadata(offer, request.recurrence_label)
        return self._cancel(self._peers, offer, self._signed(offer, terms, metadata))

    def rpc_check_cancelrecurringinvoice(self, request: types.CancelrecurringinvoiceRequest) -> None:
        """Check that such a request can be made."""
        self._cancelled(request)

    def _cancelled(self, request: types.CancelrecurringinvoiceRequest) -> tuple[Offer, Terms]:
        """Return the offer, and the fields of the request; check that they go together."""
        offer = request_terms.read_offer(request.offer, self._chain)
        terms = request_terms.to_cancel(request, offer)
        request_terms.build(offer, terms, bytes(METADATA_BYTES), self._node.keys.node_id, self._chain)
        return offer, terms

    def _asked(self, request: types.FetchinvoiceRequest) -> tuple[Offer, Terms]:
        """Return the offer, and what is asked for; check that they go together."""
        self._check_developer(request)
        offer = request_terms.read_offer(request.offer, self._chain)
        expiry = offer.offer_absolute_expiry
        if expiry is not None and self._node.clock.now() > expiry and not request.recurrence_counter:
            raise RpcError(OFFER_EXPIRED, "Offer expired")
        terms = request_terms.to_fetch(request, offer)
        request_terms.build(offer, terms, bytes(METADATA_BYTES), self._node.keys.node_id, self._chain)
        return offer, terms

    def _check_developer(self, request: types.FetchinvoiceRequest) -> None:
        for name in ("dev_path_use_scidd", "dev_reply_path"):
            token = getattr(request, name)
            if token is not None and not self._node.options.developer:
                raise BadParameter(name, BadToken("not available outside --developer mode", token=token.encode()))

    def _question(self, request: types.FetchinvoiceRequest, signed: InvoiceRequest) -> Question:
        """Return the signed request, with the reply path that a test asks for."""
        nodes, channel = request.dev_reply_path, request.dev_path_use_scidd
        try:
            reply_nodes = None if nodes is None else parameters.nodes(nodes)
            reply_channel = None if channel is None else parameters.channel_end(channel)
        except BadToken as bad:
            raise BadParameter("dev_reply_path" if nodes else "dev_path_use_scidd", bad) from bad
        return Question(signed, reply_nodes=reply_nodes, reply_channel=reply_channel)

    def _metadata(self, request: types.FetchinvoiceRequest, offer: Offer) -> bytes:
        if request.payer_metadata is not None:
            return bytes.fromhex(request.payer_metadata)
        if offer.offer_recurrence is not None:
            return self._recurrence_metadata(offer, request.recurrence_label or "")
        return self._new_metadata()

    def _recurrence_metadata(self, offer: Offer, label: str) -> bytes:
        spelling = label.spelling if isinstance(label, Written) else label
        return self._node.keys.recurrence_metadata(offer.offer_id, spelling.encode())

    async def _fetch(
        self, peers: Peers, offer: Offer, question: Question, limit: int | None, seconds: float
    ) -> types.FetchinvoiceResponse:
        invoice = await self._fetched(peers, offer, question, max_amount=limit, seconds=seconds)
        try:
            return _response(invoice)
        except FetchError as error:
            raise error_for(error, offer) from error

    async def _cancel(
        self, peers: Peers, offer: Offer, request: InvoiceRequest
    ) -> types.CancelrecurringinvoiceResponse:
        unused = asyncio.get_running_loop().create_future()
        try:
            await send_along_all(offer, request, self._entries(peers, offer, unused))
        except FetchError as error:
            raise error_for(error, offer) from error
        except LocalProtocolError as error:
            raise too_long() from error
        return types.CancelrecurringinvoiceResponse(bolt12=request.encode())


def _expected_amount(request: InvoiceRequest | Invoice) -> int | None:
    return request.expected_amount if request.invreq_amount is None else request.invreq_amount


def _default_limit(request: InvoiceRequest) -> int | None:
    """Return the largest amount of an invoice, in millisatoshi; None if it must be the expected amount.

    If the request does not determine the amount, the caller sees it in `changes`.
    """
    if _expected_amount(request) is not None:
        return None
    return _ANY_AMOUNT if request.full_price is None else request.full_price


def _response(invoice: Invoice) -> types.FetchinvoiceResponse:
    amount = invoice.invoice_amount
    changes = types.FetchinvoiceChanges(amount_msat=None if amount == _expected_amount(invoice) else amount)
    return types.FetchinvoiceResponse(invoice=invoice.encode(), changes=changes, next_period=_next_period(invoice))


def _next_period(invoice: Invoice) -> types.FetchinvoiceNextPeriod | None:
    """Return the period after that of the invoice; None if the offer does not recur, or this was its last one.

    Raises:
        FetchError: if its times are out of range.
    """
    recurrence, basetime = invoice.offer_recurrence, invoice.invoice_recurrence_basetime
    index = invoice.period_index + 1
    if recurrence is None or basetime is None or index > (invoice.offer_recurrence_limit or index):
        return None
    try:
        start, end = (period_start(recurrence, basetime, number) for number in (index, index + 1))
        window = paywindow(
            recurrence, invoice.offer_recurrence_paywindow, invoice.offer_recurrence_base, basetime, index
        )
    except Bolt12Error as error:
        raise FetchError(Reason.BAD_ANSWER, error.message, fault=error, raw=invoice.to_bytes()) from error
    return types.FetchinvoiceNextPeriod(
        counter=(invoice.invreq_recurrence_counter or 0) + 1,
        starttime=start,
        endtime=end - 1,
        paywindow_start=max(window.start, 0),
        paywindow_end=window.end,
    )
