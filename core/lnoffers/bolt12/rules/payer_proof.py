"""The rules of payer proofs. BOLT 12, "Payer Proofs"."""

from __future__ import annotations

from hashlib import sha256

from lnoffers.bolt12 import curve
from lnoffers.bolt12.disclosure import disclosed_root, hidden_spans, is_shown, next_marker
from lnoffers.bolt12.fields import PayerProofFields as Proof
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules.rule import Breach, Rule, always, check_always, check_when, enforce, required, when
from lnoffers.bolt12.signing import SigningRequest
from lnoffers.bolt12.tlv import INVOICE_SPAN, in_span

ProofRules = tuple[Rule[Proof], ...]


def check_verifying(proof: Proof) -> None:
    """Check all rules for a reader, in Core Lightning's order."""
    enforce(COMPLETE, proof)
    enforce(PAID, proof)
    enforce(MARKED, proof)
    enforce(HASHED, proof)
    enforce(SIGNED, proof)


def check_writing(proof: Proof) -> None:
    """Check the rules for the writer of a proof, before it is signed."""
    enforce(PAID, proof)
    enforce(MARKED, proof)


# ---- checks that say more than one thing, or need more than a line


def _markers_good(proof: Proof) -> Breach | None:
    present = {record.type for record in proof.records}
    after_shown = {next_marker(record.type) for record in proof.records if is_shown(record)}
    previous = 0
    for index, marker in enumerate(proof.proof_omitted_tlvs or ()):
        name = f"proof_omitted_tlvs[{index}] is"
        if marker == 0:
            return Breach(f"{name} 0")
        if not in_span(marker, INVOICE_SPAN):
            return Breach(f"{name} non-invoiced field {marker}")
        if marker in present:
            return Breach(f"{name} included field {marker}")
        if marker != next_marker(previous) and marker not in after_shown:
            return Breach(f"{name} not one greater than the previous {previous} nor an included tlv entry")
        previous = marker
    return None


def _markers_ascend(proof: Proof) -> Breach | None:
    markers = proof.proof_omitted_tlvs or ()
    for index in range(1, len(markers)):
        if markers[index] <= markers[index - 1]:
            return Breach(f"proof_omitted_tlvs[{index}] is not greater than the one before")
    return None


def _leaves_matched(proof: Proof) -> Breach | None:
    return _counted("proof_leaf_hashes", proof.proof_leaf_hashes, sum(map(is_shown, proof.records)))


def _gaps_matched(proof: Proof) -> Breach | None:
    return _counted("proof_missing_hashes", proof.proof_missing_hashes, len(hidden_spans(_omissions(proof))))


def _counted(name: str, hashes: tuple[bytes, ...] | None, needed: int) -> Breach | None:
    found = len(hashes or ())
    if found == needed:
        return None
    return Breach(f"Not enough {name}" if found < needed else f"Too many {name}")


def _omissions(proof: Proof) -> list[bool]:
    """Return for each record of the invoice in order, metadata first, whether the proof leaves it out."""
    shown = [(record.type, False) for record in proof.records if is_shown(record)]
    return [omitted for _, omitted in sorted([(0, True), *shown, *((m, True) for m in proof.proof_omitted_tlvs or ())])]


def _invoice_signed(proof: Proof) -> bool:
    root = disclosed_root(
        [record for record in proof.records if is_shown(record)],
        proof.proof_leaf_hashes or (),
        _omissions(proof),
        proof.proof_missing_hashes or (),
    )
    digest = SigningRequest("invoice", "signature", root).digest
    return curve.verify(proof.invoice_node_id or b"", digest, proof.signature or b"")


# ---- the tables


COMPLETE: ProofRules = tuple(
    required(name, field, f"Missing {field.name}")
    for name, field in (
        (RuleName.PAYER_ID_MISSING, Proof.invreq_payer_id),
        (RuleName.PAYMENT_HASH_MISSING, Proof.invoice_payment_hash),
        (RuleName.NODE_ID_MISSING, Proof.invoice_node_id),
        (RuleName.SIGNATURE_MISSING, Proof.signature),
        (RuleName.PREIMAGE_MISSING, Proof.proof_preimage),
        (RuleName.MISSING_HASHES_MISSING, Proof.proof_missing_hashes),
        (RuleName.LEAF_HASHES_MISSING, Proof.proof_leaf_hashes),
        (RuleName.PROOF_SIGNATURE_MISSING, Proof.proof_signature),
    )
)
"""Required fields."""

PAID: ProofRules = (
    when(
        RuleName.PREIMAGE_WRONG,
        Proof.proof_preimage,
        lambda p: sha256(p.proof_preimage or b"").digest() != p.invoice_payment_hash,
        "Incorrect preimage",
    ),
)
"""The rule for the preimage, which proves the payment."""

MARKED: ProofRules = (
    check_when(RuleName.MARKERS_WRONG, Proof.proof_omitted_tlvs, _markers_good),
    check_when(RuleName.MARKERS_ORDER, Proof.proof_omitted_tlvs, _markers_ascend),
)
"""Rules for the markers of hidden records, which have only one valid form."""

HASHED: ProofRules = (
    check_always(RuleName.LEAF_HASHES_COUNT, Proof.proof_leaf_hashes, _leaves_matched),
    check_always(RuleName.MISSING_HASHES_COUNT, Proof.proof_missing_hashes, _gaps_matched),
)
"""Rules for the exact number of hashes from which the invoice's merkle root is computed."""

SIGNED: ProofRules = (
    always(
        RuleName.INVOICE_SIGNATURE_INVALID,
        Proof.signature,
        lambda p: not _invoice_signed(p),
        "Invalid invoice signature",
    ),
    always(
        RuleName.PROOF_SIGNATURE_INVALID,
        Proof.proof_signature,
        lambda p: not p.has_valid_signature(),
        "Invalid invoice signature",  # Core Lightning's text for both
    ),
)
"""Rules for the signatures of the payee and the payer."""
