"""Messages of ours to compare on: offers, requests for them and invoices of all shapes, by the builders alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any, Final, TypeVar

from lnoffers.bolt12 import (
    CHAINS,
    Bip353Name,
    BlindedHop,
    BlindedPath,
    BlindedPayinfo,
    ChannelEnd,
    FallbackAddress,
    Invoice,
    InvoiceRequest,
    KeyPair,
    KeySigner,
    Offer,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
    UnsignedInvoiceRequest,
)
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.tlv import write_records

T = TypeVar("T")

_SIGNERS: Final = {
    signer.public_key: signer for signer in (KeySigner(KeyPair(sha256(bytes((i,))).digest())) for i in range(8))
}
_POINTS: Final = tuple(_SIGNERS)
_TEXTS: Final = ("one coffee", "für Käse", "☕", "", "a" * 300, "two\nlines", "me@shop.example")
_AMOUNTS: Final = (1, 999, 1_000, 123_456_789, 10**11, 10**15)
_HUGE: Final = 2**63
_RARELY: Final = 0.04
_U64_MAX: Final = 2**64 - 1
_SIGNATURE: Final = InvoiceRequest.signature.number


@dataclass(frozen=True, slots=True)
class Made:
    """A message, and who signed it; nobody signs an offer or a refund."""

    message: Offer | InvoiceRequest | Invoice
    signer: KeySigner | None = None


def messages(seed: int) -> Iterator[Made]:
    """Yield endless messages, one of each kind in turn; the same for the same seed."""
    maker = _Maker(Random(seed))
    while True:
        yield Made(maker.offer())
        yield maker.request()
        yield maker.invoice()
        yield maker.request_alone()
        yield maker.refund()


class _Maker:
    """Draws messages and their parts."""

    def __init__(self, random: Random) -> None:
        self.random = random

    # ---- messages

    def offer(self) -> Offer:
        """Return an offer; each field is absent in most of them."""
        paths, amount = self.maybe(self.paths), self.maybe(self.amount, 0.6)
        return Offer.build(
            offer_issuer_id=self.maybe(self.point) if paths else self.point(),
            offer_paths=paths,
            offer_amount=amount,
            offer_currency=None if amount is None else self.maybe(lambda: self.random.choice(("EUR", "JPY")), _RARELY),
            offer_description=self.maybe(self.text) if amount is None else self.text(),
            offer_chains=self.maybe(self.chains) or (BITCOIN,),
            offer_metadata=self.maybe(self.blob),
            offer_features=self.maybe(self.features),
            offer_absolute_expiry=self.maybe(self.time),
            offer_issuer=self.maybe(self.text),
            offer_quantity_max=self.maybe(lambda: self.random.choice((0, 1, 2, 1_000, _U64_MAX))),
            **(self.maybe(self.recurrence, _RARELY) or {}),
        )

    def request(self) -> Made:
        """Return a request for such an offer."""
        offer = self.offer()
        price = None if offer.offer_currency else offer.offer_amount
        quantity = self.quantity(offer.offer_quantity_max, offer.offer_amount or 1)
        least = 1 if price is None else price * (quantity or 1)
        return self.signed(
            InvoiceRequest.for_offer,
            offer,
            invreq_chain=self.random.choice(offer.offer_chains or (BITCOIN,)),
            invreq_amount=self.amount(least) if price is None else self.maybe(lambda: self.amount(least)),
            invreq_features=self.maybe(self.features),
            invreq_quantity=quantity,
            invreq_payer_note=self.maybe(self.text),
            invreq_paths=self.maybe(self.paths, _RARELY),
            invreq_bip_353_name=self.maybe(lambda: Bip353Name(b"tips", b"shop.example")),
            invreq_recurrence_counter=None if offer.offer_recurrence is None else 0,
            invreq_recurrence_start=None if offer.offer_recurrence_base is None else 0,
        )

    def request_alone(self) -> Made:
        """Return a request without an offer."""
        return self.signed(
            InvoiceRequest.without_offer,
            invreq_amount=self.amount(),
            offer_description=self.text(),
            offer_issuer=self.maybe(self.text),
            offer_absolute_expiry=self.maybe(self.time),
            invreq_chain=self.random.choice(self.chains()),
            invreq_payer_note=self.maybe(self.text),
            invreq_paths=self.maybe(self.paths),
        )

    def refund(self) -> Made:
        """Return an unsigned request without an offer."""
        unsigned = UnsignedInvoiceRequest.from_bytes(
            write_records(record for record in self.request_alone().message.records if record.type != _SIGNATURE)
        )
        return Made(unsigned.unsigned())

    def signed(self, build: Callable[..., Any], *arguments: Offer, **fields: Any) -> Made:
        """Return the request that a builder makes, with metadata and payer, signed."""
        payer = self.point()
        unsigned = build(*arguments, invreq_metadata=self.random.randbytes(16), invreq_payer_id=payer, **fields)
        return Made(unsigned.sign(_SIGNERS[payer]), _SIGNERS[payer])

    def invoice(self) -> Made:
        """Return an invoice for either kind of request."""
        request = (self.request if self.random.random() < 0.8 else self.request_alone)().message
        assert isinstance(request, InvoiceRequest)
        payee = request.offer_issuer_id or self.random.choice([*request.offer_path_ends] or _POINTS)
        paths = self.paths()
        invoice = Invoice.for_request(
            request,
            invoice_created_at=self.time(),
            invoice_payment_hash=self.random.randbytes(32),
            invoice_paths=paths,
            invoice_blindedpay=[self.payinfo() for _ in paths],
            invoice_node_id=payee,
            invoice_amount=None if request.invreq_amount or request.expected_amount else self.amount(),
            invoice_relative_expiry=self.maybe(lambda: self.random.choice((0, 60, 7_200, 2**32 - 1))),
            invoice_fallbacks=self.maybe(lambda: (FallbackAddress(self.random.choice((0, 1, 17)), self.blob(32)),)),
            invoice_features=self.maybe(lambda: self.random.choice((b"\x02\x00\x00", b"\x01\x00\x00"))),
            invoice_recurrence_basetime=None if request.offer_recurrence is None else self.time(),
        )
        return Made(invoice.sign(_SIGNERS[payee]), _SIGNERS[payee])

    # ---- parts

    def maybe(self, draw: Callable[[], T], chance: float = 0.3) -> T | None:
        """Return what is drawn or, mostly, None."""
        return draw() if self.random.random() < chance else None

    def amount(self, least: int = 1) -> int:
        """Return an amount of any magnitude, but not below `least`."""
        return max(least, _HUGE if self.random.random() < _RARELY / 2 else self.random.choice(_AMOUNTS))

    def quantity(self, most: int | None, price: int) -> int | None:
        """Return a quantity that this offer_quantity_max allows and whose total price fits its field."""
        return None if most is None else self.random.randint(1, min(most or _U64_MAX, 1_000, _U64_MAX // price))

    def text(self) -> str:
        return self.random.choice(_TEXTS)

    def blob(self, length: int | None = None) -> bytes:
        return self.random.randbytes(self.random.randrange(40) if length is None else length)

    def time(self) -> int:
        return self.random.choice((0, 1_800_000_000, 2**32, _U64_MAX))

    def features(self) -> bytes:
        """Return a bitmap of odd bits, which readers may ignore."""
        return self.random.choice((b"", b"\x02", b"\x80\x00", b"\x00\x02"))

    def chains(self) -> tuple[bytes, ...]:
        return tuple(self.random.sample(list(CHAINS.values()), self.random.randint(1, len(CHAINS))))

    def point(self) -> bytes:
        return self.random.choice(_POINTS)

    def paths(self) -> tuple[BlindedPath, ...]:
        return tuple(self.path() for _ in range(self.random.randint(1, 3)))

    def path(self) -> BlindedPath:
        first = self.point() if self.random.random() < 0.7 else ChannelEnd(self.random.randint(0, 1), 700_000 << 40)
        hops = (BlindedHop(self.point(), self.blob()) for _ in range(self.random.randint(1, 3)))
        return BlindedPath(first, self.point(), tuple(hops))

    def payinfo(self) -> BlindedPayinfo:
        return BlindedPayinfo(self.random.randrange(2**32), 10, 144, 1, self.amount(), self.features())

    def recurrence(self) -> dict[str, Any]:
        """Return the fields of a recurring offer."""
        kind = self.random.choice(("offer_recurrence_compulsory", "offer_recurrence_optional"))
        return {
            kind: Recurrence(self.random.choice((0, 1, 2)), self.random.randint(1, 90)),
            "offer_recurrence_base": self.maybe(lambda: RecurrenceBase(0, self.time())),
            "offer_recurrence_paywindow": self.maybe(lambda: RecurrencePaywindow(60, 3_600)),
            "offer_recurrence_limit": self.maybe(lambda: 12),
        }
