"""For each rule that is made of what a reader knows (chain, time, features, request), a call that it alone refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest, Offer
from lnoffers.bolt12.features import bitmap
from lnoffers.bolt12.rules import invoice as invoice_rules
from lnoffers.bolt12.rules import invoice_request as invoice_request_rules
from lnoffers.bolt12.rules import offer as offer_rules
from lnoffers.bolt12.tlv import Record, write_records

from .samples import NOW, OTHER_SIGNER, PATH, SIGNER, invoice, offer, request_for, resigned, stream, unsigned_invoice


@dataclass(frozen=True)
class Refusal:
    """A call that one rule refuses.

    Attributes:
        rules: the module of the rule.
        makes: the function there that makes it.
        rule: its name.
        call: what is refused.
    """

    rules: ModuleType
    makes: str
    rule: str
    call: Callable[[], object]

    def __str__(self) -> str:
        return f"{self.rules.__name__.rpartition('.')[2]} {self.rule}"


BITCOIN = CHAINS["bitcoin"]
ENDS = offer(offer_absolute_expiry=NOW)
ASKED = request_for(offer())
BOTH = frozenset({0, 2})
ASKED_WITH_FEATURE = request_for(offer(offer_features=bitmap(BOTH)), features=BOTH)
BY_PATH = request_for(offer(offer_issuer_id=None, offer_paths=(PATH,)))
BY_PATH_ANSWER = unsigned_invoice(BY_PATH, invoice_node_id=SIGNER.public_key).sign(SIGNER)


def forged(number: int, value: bytes) -> Invoice:
    """Return `invoice()` with another value of one record, signed again."""
    records = [*(record for record in invoice().records if record.type != number), Record.build(number, value)]
    return Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER)))


FAULTS = [
    Refusal(offer_rules, "on_chain", "wrong-chain", lambda: Offer.from_bytes(offer().to_bytes(), chain=BITCOIN)),
    Refusal(
        offer_rules,
        "known_features",
        "unknown-offer-feature",
        lambda: Offer.from_bytes(offer(offer_features=b"\1").to_bytes()),
    ),
    Refusal(offer_rules, "unexpired", "offer-expired", lambda: ENDS.check_unexpired(NOW + 1)),
    Refusal(
        invoice_request_rules,
        "on_chain",
        "wrong-chain",
        lambda: InvoiceRequest.from_bytes(ASKED.to_bytes(), chain=BITCOIN),
    ),
    Refusal(
        invoice_request_rules,
        "known_features",
        "unknown-feature",
        lambda: InvoiceRequest.from_bytes(stream(invreq_features=b"\1")),
    ),
    Refusal(
        invoice_request_rules,
        "known_features",
        "unknown-offer-feature",
        lambda: ASKED_WITH_FEATURE.verify(features=frozenset({0})),
    ),
    Refusal(invoice_request_rules, "unexpired", "offer-expired", lambda: request_for(ENDS).check_unexpired(NOW)),
    Refusal(invoice_rules, "on_chain", "wrong-chain", lambda: Invoice.from_bytes(invoice().to_bytes(), chain=BITCOIN)),
    Refusal(
        invoice_rules,
        "known_features",
        "unknown-feature",
        lambda: Invoice.from_bytes(invoice(invoice_features=bitmap([18])).to_bytes()),
    ),
    Refusal(invoice_rules, "unexpired", "invoice-expired", lambda: invoice().check_unexpired(NOW + 7201)),
    Refusal(
        invoice_rules,
        "mirrors",
        "request-not-mirrored",
        lambda: forged(10, b"two coffees").verify_answer(ASKED),
    ),
    Refusal(
        invoice_rules,
        "comes_from",
        "node-id-unexpected",
        lambda: BY_PATH_ANSWER.verify_answer(BY_PATH, sent_to=OTHER_SIGNER.public_key),
    ),
    Refusal(invoice_rules, "asks_at_most", "amount-unexpected", lambda: forged(170, b"\x07\xd0").verify_answer(ASKED)),
]
