"""xpay and pay: over a channel with the payee, for BOLT 11 and BOLT 12."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass, replace

from clnrpc import types
from clnrpc.errors import (
    PAY_DESTINATION_PERM_FAIL,
    PAY_IN_PROGRESS,
    PAY_INJECTPAYMENTONION_ALREADY_PAID,
    PAY_INVOICE_EXPIRED,
    PAY_RHASH_ALREADY_USED,
    PAY_ROUTE_NOT_FOUND,
    PAY_UNSPECIFIED_ERROR,
    PLUGIN_ERROR,
)
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from lnoffers import bolt11
from lnoffers.bolt12 import Bolt12Error, Invoice, without_scheme
from lnoffers.service.commands.xpay import PAY_SECONDS, XpayCommands, result_within
from lnoffers.service.payments.backend import BackendError, FailureCode
from lnstandin.network.base import NetworkCommands
from lnstandin.network.payments import bolt11_invoice
from lnstandin.play.channels import NoRoute
from lnstandin.play.ledger import Sent, State
from lnstandin.play.sender import LABEL, Failure
from lnstandin.play.target import Target, UnreachableError


@dataclass(frozen=True, slots=True)
class Order:
    """A payment that is wanted."""

    target: Target
    amount_msat: int
    label: str | None
    seconds: int
    """How long the caller waits."""


class PayingCommands(NetworkCommands, XpayCommands):
    """xpay, pay."""

    def xpay(self, request: types.XpayRequest) -> Awaitable[types.XpayResponse]:
        """Pay an invoice, or an offer after fetching an invoice for it."""
        if not _is_bolt11(request.invstring):
            paying = super().xpay(_without_routing(request))
            return self._over_bolt12(paying, _bolt12_target(request.invstring), request.label)
        return self._xpay_bolt11(self._order(request.invstring, request))

    def rpc_check_xpay(self, request: types.XpayRequest) -> None:
        """Check that the string can be paid, but not that a channel has the amount."""
        self._check(request, _without_routing(request))

    async def _xpay_bolt11(self, order: Order) -> types.XpayResponse:
        known = await self._known(order)
        if known is not None and known.state is State.PAID:
            raise RpcError(PAY_INJECTPAYMENTONION_ALREADY_PAID, "Already paid this invoice successfully")
        sent = await self._over_channel(order, known)
        return types.XpayResponse(
            payment_preimage=(sent.preimage or b"").hex(),
            amount_msat=sent.amount_msat,
            amount_sent_msat=sent.amount_msat,
            failed_parts=0,
            successful_parts=1,
        )

    async def _over_bolt12(
        self, paying: Awaitable[types.XpayResponse], target: Target | None, label: str | None
    ) -> types.XpayResponse:
        """Pay as the service does, but with a label, and fail as lightningd does, or with the code of a test."""
        token = LABEL.set(label)
        try:
            return await paying
        except RpcError as error:
            if error.code == PAY_IN_PROGRESS:
                raise _refused_onion(error.code, error.message) from error
            if error.code not in {*FailureCode} or target is None:
                raise
            sent = await self._play.ledger.sent(target.payment_hash)
            if sent is None or sent.state is not State.FAILED:  # it has not left
                raise
            raise _failed(sent) from error
        finally:
            LABEL.reset(token)

    def pay(self, request: types.PayRequest) -> Awaitable[types.PayResponse]:
        """Pay an invoice; one that is paid already is shown as paid again, as by lightningd."""
        if request.maxfee is not None and (request.maxfeepercent is not None or request.exemptfee is not None):
            raise RpcError(INVALID_PARAMS, "fee options maxfee and maxfeepercent/exemptfee are mutually exclusive")
        if not _is_bolt11(request.bolt11):
            return self._pay_bolt12(request)
        return self._pay_bolt11(self._order(request.bolt11, request))

    def rpc_check_pay(self, request: types.PayRequest) -> None:
        """Check that the invoice can be paid, but not that a channel has the amount."""
        self._check(request, _as_xpay(request))

    async def _pay_bolt11(self, order: Order) -> types.PayResponse:
        began, known = self._seconds(), await self._known(order)
        if known is not None and known.state is State.PAID:
            return _pay_response(known, known.created_at)
        return _pay_response(await self._over_channel(order, known), began)

    async def _pay_bolt12(self, request: types.PayRequest) -> types.PayResponse:
        prefix = without_scheme(request.bolt11)[:3]
        if prefix.lower() != "lni":
            raise RpcError(INVALID_PARAMS, f"Invalid bolt12 invoice: unexpected prefix {prefix}")
        super().rpc_check_xpay(_as_xpay(request))
        target, began = _bolt12_target(request.bolt11), self._seconds()
        if target is None:
            raise RpcError(PAY_ROUTE_NOT_FOUND, "Failed: the path in the invoice has more than one hop")
        known = await self._play.ledger.sent(target.payment_hash)
        if known is not None and known.state is State.PAID:
            return _pay_response(known, known.created_at)
        await self._over_bolt12(super().xpay(_as_xpay(request)), target, request.label)
        known = await self._play.ledger.sent(target.payment_hash)
        assert known is not None  # it is paid
        return _pay_response(known, began)

    def _seconds(self) -> float:
        """Return the Unix time with its fraction, as lightningd has it in the answer to `pay`."""
        return self._node.clock.now_ns() / 10**9

    async def _known(self, order: Order) -> Sent | None:
        """Return the last attempt at a payment.

        Raises:
            RpcError: if it has succeeded, with another amount.
        """
        known = await self._play.ledger.sent(order.target.payment_hash)
        if known is not None and known.state is State.PAID and known.amount_msat != order.amount_msat:
            why = f"Already succeeded with amount {known.amount_msat}msat (not {order.amount_msat}msat)"
            raise _refused_onion(PAY_RHASH_ALREADY_USED, why)
        return known

    def _check(self, request: types.XpayRequest | types.PayRequest, of_service: types.XpayRequest) -> None:
        """Check a call; `of_service` is the same for the service's own xpay, which pays BOLT 12."""
        if _is_bolt11(of_service.invstring):
            self._order(of_service.invstring, request)
        else:
            super().rpc_check_xpay(of_service)

    def _order(self, text: str, request: types.XpayRequest | types.PayRequest) -> Order:
        """Return the payment that a call wants.

        Raises:
            RpcError: if the invoice cannot be paid now, or not with these parameters.
        """
        if isinstance(request, types.XpayRequest) and request.localinvreqid is not None:
            raise RpcError(INVALID_PARAMS, "Cannot use localinvreqid with BOLT11 payment")
        invoice = bolt11_invoice(without_scheme(text).lower(), "bolt11 invoice")
        amount = invoice.amount_msat if request.amount_msat is None else request.amount_msat
        if amount is None:
            raise RpcError(INVALID_PARAMS, "amount_msat required")
        if invoice.amount_msat is not None and request.amount_msat is not None:
            raise RpcError(INVALID_PARAMS, "amount_msat unnecessary")
        if amount == 0:
            raise RpcError(INVALID_PARAMS, "Cannot pay bolt11 invoice with zero amount")
        if request.partial_msat not in (None, amount):
            raise RpcError(INVALID_PARAMS, "partial_msat: not available here: each payment has one part")
        ago = self._node.clock.now() - invoice.timestamp - invoice.expiry
        if ago > 0:
            raise RpcError(PAY_INVOICE_EXPIRED, f"Invoice expired {ago} seconds ago")
        seconds = PAY_SECONDS if request.retry_for is None else request.retry_for
        return Order(Target.of_bolt11(invoice), amount, request.label, seconds)

    async def _over_channel(self, order: Order, known: Sent | None) -> Sent:
        """Pay, and return the payment when it has succeeded. It goes on if nobody waits any more.

        Raises:
            RpcError: if it has not left, has failed, or is not decided in time.
        """
        if known is not None and known.state is State.PENDING:
            raise _in_progress()
        sender = self._play.sender
        try:
            sent = await sender.begin(order.target, order.amount_msat, order.label)
        except BackendError as error:
            raise RpcError(PAY_UNSPECIFIED_ERROR, f"Failed: {error}") from error
        match sent:
            case NoRoute(reason, code) | Failure(code, reason):
                raise RpcError(code, f"Failed: {reason}")
            case Sent() if sent.amount_msat != order.amount_msat:  # another call was faster
                raise _in_progress()
            case Sent():
                done = await result_within(sender.follow(sent, order.target), order.seconds)
        if done.state is State.FAILED:
            raise _failed(done)
        return done


def _in_progress() -> RpcError:
    return _refused_onion(PAY_IN_PROGRESS, "The payment of this invoice is still in progress: see listpays")


def _refused_onion(code: int, why: str) -> RpcError:
    """Return lightningd's error for a payment that it does not begin: its plugin does not expect the code."""
    inner = json.dumps({"code": code, "message": why}, separators=(",", ":"))
    return RpcError(PLUGIN_ERROR, f"Unexpected injectpaymentonion error {code}: {inner}")


def _is_bolt11(text: str) -> bool:
    return bolt11.has_prefix(without_scheme(text).lower())


def _bolt12_target(text: str) -> Target | None:
    """Return the end of the payment of an invoice of BOLT 12; None for anything else."""
    string = without_scheme(text)
    try:
        return Target.of_bolt12(Invoice.parse(string)) if string.lower().startswith("lni1") else None
    except (Bolt12Error, UnreachableError):
        return None


def _failed(sent: Sent) -> RpcError:
    """Return the error for a payment that has failed: the payee has refused it, unless a test chose a code."""
    return RpcError(PAY_DESTINATION_PERM_FAIL if sent.code is None else sent.code, f"Failed: {sent.reason}")


def _without_routing(request: types.XpayRequest) -> types.XpayRequest:
    """Return a request without what only matters where there are fees and routes."""
    return replace(request, maxfee=None, layers=None, label=None, maxdelay=2016, dev_use_shadow=None)


def _as_xpay(request: types.PayRequest) -> types.XpayRequest:
    return types.XpayRequest(
        invstring=request.bolt11,
        amount_msat=request.amount_msat,
        retry_for=request.retry_for,
        partial_msat=request.partial_msat,
        localinvreqid=request.localinvreqid,
    )


def _pay_response(sent: Sent, began: float) -> types.PayResponse:
    return types.PayResponse(
        payment_preimage=(sent.preimage or b"").hex(),
        destination=sent.payee.hex(),
        payment_hash=sent.payment_hash.hex(),
        created_at=began,
        parts=1,
        amount_msat=sent.amount_msat,
        amount_sent_msat=sent.amount_msat,
        status="complete",
    )
