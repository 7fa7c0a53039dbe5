"""createproof: proofs of what this node has paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from clnrpc import types
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from lnoffers.bolt12 import Bolt12Error, Invoice, PayerProof, RuleName, Signer
from lnoffers.bolt12.tlv import OFFER_SPAN, in_span
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.codes import CREATEPROOF_NO_PAYMENT
from lnoffers.service.commands.pages import in_pages
from lnoffers.service.parameters.payments import ToProve, to_prove
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.store import payments
from lnoffers.service.store.payments import Selection, StoredPayment

if TYPE_CHECKING:
    from clnrpc.runtime.server.stubs import Reply
    from lnoffers.bolt12.keys import NodeKeys

PAGE: Final = 10
"""How many proofs are made at a time. Each takes about as long as a signature and its verification."""
SCANNED: Final = 100
"""How many payments are read at a time to find those for a name."""
SHOWN: Final = ("offer_description", "offer_issuer_id", "invoice_created_at", "invoice_amount")
"""The fields that a proof shows by default, besides those that each proof shows."""
_REQUEST_TYPES: Final = (range(80, 160), range(2_000_000_000, 3_000_000_000))
_NO_PAYMENT: Final = "No successful payment found for that invstring"


@dataclass(frozen=True, slots=True)
class _Provable:
    """A payment that can be proved."""

    payment: StoredPayment
    invoice: Invoice
    signer: Signer

    @property
    def bolt12(self) -> str:
        """The invoice's string."""
        return self.payment.bolt12


class ProofCommands(Commands):
    """createproof."""

    def createproof(self, request: types.CreateproofRequest) -> Reply[types.CreateproofResponse]:
        """Return a proof for each payment that the parameter selects."""
        wanted = to_prove(request.invstring)
        if wanted.name is not None:
            return self._of_name(wanted, request)

        def read(last: _Provable | None, limit: int) -> Sequence[_Provable]:
            found = list[_Provable]()
            after = None if last is None else last.payment
            while True:
                rows = self._read(wanted, after)
                found += provable(rows, self._node.keys, wanted)
                if len(rows) < SCANNED or len(found) >= limit:
                    return found[:limit]
                after = rows[-1]

        return in_pages(read, partial(self._respond, request), rows=PAGE)

    async def _of_name(self, wanted: ToProve, request: types.CreateproofRequest) -> types.CreateproofResponse:
        """Return the proofs for a name, for which all payments are read. Other calls come between the pages."""
        found, after = list[_Provable](), None

        def read(after: StoredPayment | None) -> tuple[Sequence[StoredPayment], Sequence[_Provable]]:
            rows = self._read(wanted, after)
            return rows, [*provable(rows, self._node.keys, wanted)]

        while True:
            rows, more = await self._node.changes.run(partial(read, after))
            found += more
            if len(rows) < SCANNED:
                break
            after = rows[-1]
        proofs = list[types.CreateproofProof]()
        for start in range(0, max(len(found), 1), PAGE):
            page = await self._node.changes.run(partial(self._respond, request, found[start : start + PAGE]))
            proofs += page.proofs
        return types.CreateproofResponse(proofs=proofs)

    def _respond(self, request: types.CreateproofRequest, found: Sequence[_Provable]) -> types.CreateproofResponse:
        if not found:  # only if there is none at all
            raise RpcError(CREATEPROOF_NO_PAYMENT, _NO_PAYMENT)
        return types.CreateproofResponse(proofs=[self._proof(each, request) for each in found])

    def _read(self, wanted: ToProve, after: StoredPayment | None) -> Sequence[StoredPayment]:
        chosen = Selection(
            payment_hash=None if wanted.invoice is None else wanted.invoice.invoice_payment_hash,
            offer_id=wanted.offer_id,
            states=frozenset({PaymentState.PAID}),
        )
        with self._transaction(writes=False) as connection:
            return payments.find(connection, chosen, after=after, limit=SCANNED)

    def _proof(self, each: _Provable, request: types.CreateproofRequest) -> types.CreateproofProof:
        try:
            proof = PayerProof.for_invoice(
                each.invoice,
                proof_preimage=each.payment.preimage or b"",
                include=SHOWN if request.include is None else request.include,
                proof_note=request.note,
            ).sign(each.signer)
        except Bolt12Error as error:
            place = "include: " if error.rule is RuleName.MARKERS_WRONG else ""
            raise RpcError(INVALID_PARAMS if place else GENERIC, f"{place}{error}") from error
        self._check_size(proof)
        shown = sorted([*proof.shown_types, Invoice.signature.number])
        of_offer = [number for number in shown if in_span(number, OFFER_SPAN)]
        of_request = [number for number in shown if in_span(number, _REQUEST_TYPES)]
        return types.CreateproofProof(
            bolt12=proof.encode(),
            offer_fields_included=_named(of_offer),
            invreq_fields_included=_named(of_request),
            invoice_fields_included=_named(n for n in shown if n not in of_offer and n not in of_request),
        )


def provable(found: Iterable[StoredPayment], keys: NodeKeys, wanted: ToProve) -> Iterator[_Provable]:
    """Yield those of some payments that are wanted and were made with a key of this node."""
    for payment in found:
        try:
            invoice = Invoice.parse(payment.bolt12)
        except Bolt12Error:
            continue  # check-store reports it
        if wanted.name is not None and invoice.invreq_bip_353_name != wanted.name:
            continue
        if wanted.invoice is not None and invoice != wanted.invoice:  # another one with its payment hash
            continue
        signers = (keys.node_signer, keys.payer_signer(invoice.invreq_metadata or b""))
        yield from (_Provable(payment, invoice, each) for each in signers if each.public_key == invoice.invreq_payer_id)


def _named(numbers: Iterable[int]) -> list[str | int]:
    """Return the names of fields; as in lightningd, numbers for those that no proof knows by name."""
    return [PayerProof.fields[number].name if number in PayerProof.fields else number for number in numbers]
