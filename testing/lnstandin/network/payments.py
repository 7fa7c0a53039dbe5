"""listpays, listsendpays and waitsendpay: the payments in the ledger, of BOLT 11 and BOLT 12."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from clnrpc import types
from clnrpc.errors import PAY_IN_PROGRESS, PAY_NO_SUCH_PAYMENT, PAY_UNPARSEABLE_ONION
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from lnoffers import bolt11
from lnoffers.bolt12 import Invoice, without_scheme
from lnoffers.service.commands.listpays import PayStatus, check_selection
from lnoffers.service.parameters.payments import to_pay
from lnstandin.network.base import NetworkCommands
from lnstandin.play.ledger import Sent, State
from lnstandin.play.target import Target, is_bolt11

if TYPE_CHECKING:
    from clnrpc.runtime.server.stubs import Reply

T = TypeVar("T")
Listing: TypeAlias = types.ListpaysRequest | types.ListsendpaysRequest

_REGTEST: Final = bolt11.CHAINS["bcrt"]
PART: Final = 1
"""The number of the only part of each payment: lightningd's xpay counts from here."""
_STATUSES: Final[Mapping[State, PayStatus]] = {
    State.PENDING: "pending",
    State.PAID: "complete",
    State.FAILED: "failed",
}


class PaymentsCommands(NetworkCommands):
    """listpays, listsendpays, waitsendpay."""

    def listpays(self, request: types.ListpaysRequest) -> Reply[types.ListpaysResponse]:
        """Return the payments of this node, oldest first, attempts that have failed included."""
        return self._listed(request, lambda found: types.ListpaysResponse(pays=[_pay(each) for each in found]))

    def listsendpays(self, request: types.ListsendpaysRequest) -> Reply[types.ListsendpaysResponse]:
        """Return the same with the members of parts; each payment has one."""
        return self._listed(request, lambda found: types.ListsendpaysResponse(payments=[_part(each) for each in found]))

    def rpc_check_listpays(self, request: types.ListpaysRequest) -> None:
        """Check that the parameters go together."""
        _check_selection(request)

    def _listed(self, request: Listing, respond: Callable[[Sequence[Sent]], T]) -> Awaitable[T]:
        _check_selection(request)
        payment_hash = None if request.payment_hash is None else bytes.fromhex(request.payment_hash)
        if request.bolt11 is not None:
            payment_hash = _hash_of(request.bolt11)

        async def read() -> T:
            found = await self._play.ledger.all_sent(payment_hash, failed=True)
            return respond(_chosen(found, request))

        return read()

    def rpc_check_listsendpays(self, request: types.ListsendpaysRequest) -> None:
        """Check that the parameters go together."""
        _check_selection(request)

    def waitsendpay(self, request: types.WaitsendpayRequest) -> Awaitable[types.WaitsendpayResponse]:
        """Wait until a payment has succeeded or failed."""
        return self._until_known(request)

    async def _until_known(self, request: types.WaitsendpayRequest) -> types.WaitsendpayResponse:
        sent = await self._attempt(request)
        if sent.state is State.PENDING:
            task = self._play.sender.follow(sent, Target.read(sent.invoice))
            await asyncio.wait([task], timeout=request.timeout)
            if not task.done():
                raise RpcError(PAY_IN_PROGRESS, "Timed out while waiting")
            sent = await self._attempt(replace(request, groupid=sent.attempt))
        if sent.state is State.FAILED:  # lightningd cannot read the errors of payments that xpay and pay have made
            data = {name: value for name, value in _shared(sent).items() if value is not None}
            raise RpcError(PAY_UNPARSEABLE_ONION, "Malformed error reply", data | {"status": "failed"})
        return types.WaitsendpayResponse(**_shared(sent), payment_preimage=_hex(sent.preimage), status="complete")

    async def _attempt(self, request: types.WaitsendpayRequest) -> Sent:
        """Return the attempt that a call is about, by default the last one.

        Raises:
            RpcError: if there is none.
        """
        found = await self._play.ledger.all_sent(bytes.fromhex(request.payment_hash), failed=True)
        chosen = [each for each in found if request.groupid in (None, each.attempt)]
        part = request.partid or 0
        if not chosen or part != PART:
            why = f"Never attempted payment part {part} for '{request.payment_hash}'"
            raise RpcError(PAY_NO_SUCH_PAYMENT, why)
        return chosen[-1]


def _check_selection(request: Listing) -> None:
    """Check that the parameters go together. Unlike the service's store, the ledger has the index "updated", too."""
    check_selection(replace(request, index="created" if request.index == "updated" else request.index))


def _hash_of(text: str) -> bytes:
    """Return the payment hash, 32 bytes, of an invoice."""
    string = without_scheme(text.strip())
    if not bolt11.has_prefix(string.lower()):
        try:
            return to_pay(string)
        except ValueError as error:
            raise RpcError(INVALID_PARAMS, f"bolt11: {error}") from error
    return bolt11_invoice(string, "bolt11").payment_hash


def bolt11_invoice(string: str, what: str) -> bolt11.Invoice:
    """Return an invoice of this network; `what` names it in errors.

    Raises:
        RpcError: if it cannot be read, or is for another network.
    """
    try:
        invoice = bolt11.Invoice.parse(string)
    except bolt11.Bolt11Error as error:
        raise RpcError(INVALID_PARAMS, f"Invalid {what}: {error}") from error
    if invoice.chain != _REGTEST:
        raise RpcError(INVALID_PARAMS, f"Invalid {what}: Prefix {invoice.chain.currency} is not for regtest")
    return invoice


def _chosen(found: Sequence[Sent], request: Listing) -> Sequence[Sent]:
    """Return the payments in a part of the list. As in lightningd, `limit` counts those of other states too."""

    def index(sent: Sent) -> int:
        return (sent.updated_index or 0) if request.index == "updated" else sent.created_index

    part = [each for each in sorted(found, key=index) if index(each) >= (request.start or 0)][: request.limit]
    return [each for each in part if request.status in (None, _STATUSES[each.state])]


def _shared(sent: Sent) -> dict[str, Any]:
    """Return the members of a part that listsendpays and waitsendpay share, without the status."""
    return {
        "created_index": sent.created_index,
        "updated_index": sent.updated_index,
        "id": sent.created_index,
        "groupid": sent.attempt,
        "partid": PART,
        "payment_hash": sent.payment_hash.hex(),
        "amount_msat": sent.amount_msat,
        "destination": sent.payee.hex(),
        "created_at": sent.created_at,
        "completed_at": sent.completed_at,
        "amount_sent_msat": sent.amount_msat,
        "label": sent.label,
        **_string(sent),
    }


def _part(sent: Sent) -> types.ListsendpaysPayment:
    return types.ListsendpaysPayment(
        **_shared(sent),
        status=_STATUSES[sent.state],
        payment_preimage=_hex(sent.preimage),
    )


def _pay(sent: Sent) -> types.ListpaysPay:
    has_failed = sent.state is State.FAILED
    return types.ListpaysPay(
        **_string(sent),
        destination=sent.payee.hex(),
        label=sent.label,
        payment_hash=sent.payment_hash.hex(),
        status=_STATUSES[sent.state],
        created_at=sent.created_at,
        completed_at=None if has_failed else sent.completed_at,
        preimage=_hex(sent.preimage),
        amount_msat=None if has_failed else sent.amount_msat,
        amount_sent_msat=0 if has_failed else sent.amount_msat,
        created_index=sent.created_index,
        updated_index=sent.updated_index,
    )


def _string(sent: Sent) -> dict[str, Any]:
    """Return the member that has the string of the invoice."""
    if is_bolt11(sent.invoice):
        return {"bolt11": sent.invoice.decode()}
    return {"bolt12": Invoice.from_bytes(sent.invoice).encode()}


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()
