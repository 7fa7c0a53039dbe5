"""payer_proof (`lnp`): a proof that an invoice was paid, which shows only chosen fields of it.

    proof = PayerProof.for_invoice(invoice, proof_preimage=preimage, include={"offer_description"}).sign(payer_signer)
    PayerProof.parse(proof.encode()).verify()

The types carry the state: `for_invoice` makes an `UnsignedPayerProof`, whose `sign` makes a `PayerProof`. Reading also
makes a `PayerProof`, which proves nothing until `verify` has passed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lnoffers.bolt12.disclosure import hidden_hashes, is_shown, next_marker
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.fields import PayerProofFields as Fields
from lnoffers.bolt12.invoice import Invoice
from lnoffers.bolt12.merkle import leaves, nonces
from lnoffers.bolt12.message import Field
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules import payer_proof as rules
from lnoffers.bolt12.signing import Signer
from lnoffers.bolt12.tlv import INVOICE_SPAN, SIGNATURE_TYPES, Record, in_span
from lnoffers.bolt12.typecheck import typechecked

_ALWAYS_SHOWN = frozenset(
    field.number
    for field in (
        Fields.invreq_payer_id,
        Fields.invoice_payment_hash,
        Fields.invoice_features,
        Fields.invoice_node_id,
    )
)


class UnsignedPayerProof(Fields):
    """A proof that is complete except for the payer's signature. Made by `PayerProof.for_invoice`."""

    __slots__ = ()
    prefix, kind = "lnp", "payer_proof"

    @typechecked
    def sign(self, signer: Signer) -> PayerProof:
        """Sign the proof, verify the signature, and return the signed proof.

        Raises:
            Bolt12Error: `signer-key` if the signer's key is not invreq_payer_id, `signer-signature` if what the signer
                returns does not verify.
        """
        return self._signed(PayerProof, signer)


class PayerProof(Fields):
    """A signed payer_proof."""

    __slots__ = ()
    prefix, kind = "lnp", "payer_proof"

    @staticmethod
    @typechecked
    def for_invoice(
        invoice: Invoice,
        *,
        proof_preimage: bytes,
        include: Collection[int | str | Field[Any]] = (),
        proof_note: str | None = None,
    ) -> UnsignedPayerProof:
        """Verify an invoice and return a proof that the owner of invreq_payer_id's key has paid it.

        Args:
            invoice: the invoice that was paid.
            proof_preimage: the preimage of invoice_payment_hash, 32 bytes.
            include: the fields to show, by number (10), name ("offer_description") or as `Offer.offer_description`,
                besides invreq_payer_id, invoice_payment_hash, invoice_features and invoice_node_id, which are always
                shown. Fields that the invoice lacks are ignored.
            proof_note: a note for the reader of the proof.

        Raises:
            Bolt12Error: those of `Invoice.verify`, such as `metadata-missing` for an invoice without invreq_metadata,
                of which no proof would verify; `preimage-wrong`; `field-unknown` for a name that is not that of a field
                of invoices; `field-not-provable` for fields that no proof may show, such as invreq_metadata;
                `markers-wrong` if the hidden records have no valid markers (show other fields then); and the codecs'.
        """
        invoice.verify()
        wanted = _ALWAYS_SHOWN.union(map(_number, include))
        covered = [record for record in invoice.records if record.type not in SIGNATURE_TYPES]
        omitted = [record.type not in wanted for record in covered]
        shown = [record for record, hidden in zip(covered, omitted, strict=True) if not hidden]
        nonce = nonces(covered[0])
        proof = UnsignedPayerProof._build(
            shown,
            signature=invoice.signature,
            proof_preimage=proof_preimage,
            proof_omitted_tlvs=_markers(covered, omitted) or None,
            proof_missing_hashes=hidden_hashes(leaves(covered), omitted),
            proof_leaf_hashes=[nonce(record.type) for record in shown],
            proof_note=proof_note,
        )
        rules.check_writing(proof)
        return proof

    @staticmethod
    @typechecked
    def provable_number(field: int | str | Field[Any]) -> int:
        """Return the number of a field that a proof can show, as `for_invoice` takes them in `include`.

        Raises:
            Bolt12Error: `field-unknown` or `field-not-provable`, as for `for_invoice`.
        """
        return _number(field)

    @classmethod
    @typechecked
    def parse(cls, text: str) -> PayerProof:
        """Parse the proof in an `lnp` string. Its text form and encoding are checked; `verify` checks the rest.

        Raises:
            Bolt12Error: those of the text form, and "invalid payer_proof data".
        """
        return cls._from_text(text)

    @classmethod
    @typechecked
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> PayerProof:
        """Parse the proof in a TLV stream, as `parse` does."""
        return cls._from_stream(data)

    def verify(self) -> None:
        """Verify the proof: the preimage, the payee's signature of the invoice, and the payer's of the proof.

        Raises:
            Bolt12Error: with Core Lightning's messages, in its order: "Missing F" for a field, "Incorrect preimage",
                "proof_omitted_tlvs[I] …" for invalid markers, "Not enough H" or "Too many H" for hashes, "Invalid
                invoice signature" for either signature; the rules are those of `rules.payer_proof`.
        """
        rules.check_verifying(self)

    @property
    def shown_types(self) -> tuple[int, ...]:
        """The types of the invoice's records that the proof shows, without the signature."""
        return tuple(record.type for record in self.records if is_shown(record))


_NUMBERS = {field.name: field.number for field in Invoice.fields.values()}


def _number(wanted: int | str | Field[Any]) -> int:
    """Return the type of a field for a proof to show.

    Raises:
        Bolt12Error: `field-unknown` for an unknown name, `field-not-provable` if no proof may show it.
    """
    if isinstance(wanted, str) and wanted not in _NUMBERS:
        raise Bolt12Error(f"no field of an invoice is called {wanted!r}", rule=RuleName.FIELD_UNKNOWN, field=wanted)
    name = wanted.name if isinstance(wanted, Field) else wanted
    number = _NUMBERS.get(name, 0) if isinstance(name, str) else name
    if number == 0 or not in_span(number, INVOICE_SPAN) or (number % 2 == 0 and number not in Fields.fields):
        known = Invoice.fields.get(number)
        shown = str(name) if known is None or isinstance(name, str) else known.name
        raise Bolt12Error(f"a payer_proof cannot show {shown}", rule=RuleName.FIELD_NOT_PROVABLE, field=shown)
    return number


def _markers(covered: list[Record], omitted: list[bool]) -> list[int]:
    """Return a marker for each hidden record except metadata: the number after the record or marker before it."""
    markers, last = [], 0
    for record, hidden in zip(covered, omitted, strict=True):
        if not hidden:
            last = record.type
        elif record.type != 0:
            last = next_marker(last)
            markers.append(last)
    return markers
