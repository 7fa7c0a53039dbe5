"""For each rule of payer proofs, one that breaks it and no other."""

from __future__ import annotations

from typing import Any

from lnoffers.bolt12 import PayerProof
from lnoffers.bolt12.tlv import write_records

from .faults import Fault
from .samples import PREIMAGE, SIGNER, proof, resigned

SHOWN = (2, 10, 22)
WHOLE: dict[str, Any] = {field.name: getattr(proof(include=SHOWN), field.name) for field in PayerProof.fields.values()}
MARKERS = WHOLE["proof_omitted_tlvs"]


def raw(**values: Any) -> bytes:
    """Return a proof with the given signature."""
    return PayerProof._build(**(WHOLE | values)).to_bytes()


def signed(**values: Any) -> bytes:
    """Return a proof with a good signature of the payer."""
    return write_records(resigned(PayerProof, PayerProof._build(**(WHOLE | values)).records, SIGNER))


def _missing(rule: str, field: str) -> Fault:
    return Fault("COMPLETE", rule, field, raw, {field: None}, {field: WHOLE[field]}, f"Missing {field}", sole=False)


def _hashes(rule: str, field: str) -> tuple[Fault, Fault]:
    whole = WHOLE[field]
    few, many = {field: whole[:-1]}, {field: (*whole, bytes(32))}
    return (
        Fault("HASHED", rule, field, signed, few, {field: whole}, f"Not enough {field}", sole=False),
        Fault("HASHED", rule, field, signed, many, {field: whole}, f"Too many {field}", sole=False),
    )


def _marker(rule: str, markers: tuple[int, ...], message: str) -> Fault:
    return Fault(
        "MARKED",
        rule,
        "proof_omitted_tlvs",
        signed,
        {"proof_omitted_tlvs": markers},
        {"proof_omitted_tlvs": MARKERS},
        message,
        sole=rule == "markers-order",
    )


FAULTS = [
    _missing("payer-id-missing", "invreq_payer_id"),
    _missing("payment-hash-missing", "invoice_payment_hash"),
    _missing("node-id-missing", "invoice_node_id"),
    _missing("signature-missing", "signature"),
    _missing("preimage-missing", "proof_preimage"),
    _missing("missing-hashes-missing", "proof_missing_hashes"),
    _missing("leaf-hashes-missing", "proof_leaf_hashes"),
    _missing("proof-signature-missing", "proof_signature"),
    Fault(
        "PAID",
        "preimage-wrong",
        "proof_preimage",
        signed,
        {"proof_preimage": bytes(32)},
        {"proof_preimage": PREIMAGE},
        "Incorrect preimage",
    ),
    _marker("markers-wrong", (0, *MARKERS), "proof_omitted_tlvs[0] is 0"),
    _marker("markers-wrong", (*MARKERS, 240), "proof_omitted_tlvs[6] is non-invoiced field 240"),
    _marker("markers-wrong", (*MARKERS, 999_999_999), "proof_omitted_tlvs[6] is non-invoiced field 999999999"),
    _marker("markers-wrong", (*MARKERS, 4_000_000_000), "proof_omitted_tlvs[6] is non-invoiced field 4000000000"),
    _marker("markers-wrong", (3, 22, *MARKERS[2:]), "proof_omitted_tlvs[1] is included field 22"),
    _marker(
        "markers-wrong",
        (3, 25, *MARKERS[2:]),
        "proof_omitted_tlvs[1] is not one greater than the previous 3 nor an included tlv entry",
    ),
    _marker("markers-order", (23, 3, *MARKERS[2:]), "proof_omitted_tlvs[1] is not greater than the one before"),
    *_hashes("leaf-hashes-count", "proof_leaf_hashes"),
    *_hashes("missing-hashes-count", "proof_missing_hashes"),
    Fault(
        "SIGNED",
        "invoice-signature-invalid",
        "signature",
        signed,
        {"signature": bytes(64)},
        {"signature": WHOLE["signature"]},
        "Invalid invoice signature",
    ),
    Fault(
        "SIGNED",
        "proof-signature-invalid",
        "proof_signature",
        raw,
        {"proof_signature": bytes(64)},
        {"proof_signature": WHOLE["proof_signature"]},
        "Invalid invoice signature",
    ),
]
