"""The specification's test vectors. Skipped where they are missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import lnoffers
from lnoffers.bolt12 import (
    Bolt12Error,
    Invoice,
    InvoiceRequest,
    KeyPair,
    KeySigner,
    Offer,
    PayerProof,
    merkle,
)
from lnoffers.bolt12.bigsize import encode_bigsize, read_bigsize
from lnoffers.bolt12.codecs import Codec, decode_truncated
from lnoffers.bolt12.cursor import Cursor
from lnoffers.bolt12.encoding import decode_text
from lnoffers.bolt12.merkle import merkle_root, nonces, signature_digest
from lnoffers.bolt12.tlv import read_records
from tests.shared import shared_path


def vectors(name: str) -> Any:
    return json.loads(shared_path(f"vectors/bolts/{name}.json").read_text())


def accepts(read: Callable[..., object], *arguments: object) -> bool:
    try:
        read(*arguments)
    except Bolt12Error:
        return False
    return True


def test_bigsize() -> None:
    cases = vectors("bolt01/bigsize")
    for case in cases["decode"]:
        data = bytes.fromhex(case["bytes"])
        if case.get("exp_error"):
            assert not accepts(read_bigsize, data, 0), case
        else:
            assert read_bigsize(data, 0) == (case["value"], len(data)), case
    for case in cases["encode"]:
        assert encode_bigsize(case["value"]).hex() == case["bytes"], case
    assert len(cases["decode"]) + len(cases["encode"]) == 26


def _fixed(*widths: int) -> Codec[Any]:
    """Return a value of unsigned numbers of these widths, or of a point for 33."""

    def decode(value: bytes) -> list[Any]:
        cursor = Cursor(value)
        parts = [cursor.point() if width == 33 else cursor.number(width) for width in widths]
        cursor.finish()
        return parts

    return Codec(decode, lambda _: b"", lambda _: None)


def _truncated(width: int) -> Codec[int]:
    return Codec(lambda value: decode_truncated(value, width), lambda _: b"", lambda _: None)


# The two message types of the appendix to BOLT 1.
NAMESPACES: dict[str, dict[int, Codec[Any]]] = {
    "n1": {1: _truncated(8), 2: _fixed(8), 3: _fixed(33, 8, 8), 254: _fixed(2)},
    "n2": {0: _truncated(8), 11: _truncated(4)},
}


def test_tlv_streams() -> None:
    def read(namespace: str, data: bytes) -> None:
        known = NAMESPACES[namespace]
        for record in read_records(data, known):
            if record.type in known:
                known[record.type].decode(record.value)

    cases = vectors("bolt01/tlv")["cases"]
    for case in cases:
        names = ["n1", "n2"] if case["namespace"] == "either" else [case["namespace"]]
        for name in names:
            assert accepts(read, name, bytes.fromhex(case["hex"])) is case["valid"], case
    assert len(cases) == 57


def test_text_form() -> None:
    cases = vectors("bolt12/format-string-test")
    for case in cases:
        assert accepts(decode_text, case["string"], "lno") is case["valid"], case
    assert len(cases) == 12


def test_offers() -> None:
    cases = vectors("bolt12/offers-test")
    for case in cases:
        assert accepts(Offer.parse, case["bolt12"]) is case["valid"], case
        if case["valid"]:
            assert [
                {"type": record.type, "length": len(record.value), "hex": record.value.hex()}
                for record in Offer.parse(case["bolt12"]).records
            ] == case["fields"]
    assert len(cases) == 53


def hash_in(steps: dict[str, str], tag: str) -> str:
    """Return the hash of a step of the example, whose name gives the tag and what is hashed."""
    return next(value for name, value in steps.items() if name.startswith(f"H(`{tag}`"))


def test_merkle_roots_and_the_signature() -> None:
    cases = vectors("bolt12/signature-test")
    for case in cases:
        leaves = [next(key for key in leaf if key.startswith("H(`LnLeaf`,")) for leaf in case["leaves"]]
        streams = b"".join(bytes.fromhex(key.removeprefix("H(`LnLeaf`,").removesuffix(")")) for key in leaves)
        records = list(read_records(streams, range(2**64)))
        assert records[0].raw.hex() == case["first-tlv"]
        nonce = nonces(records[0])
        for record, node, steps in zip(records, merkle.leaves(records), case["leaves"], strict=True):
            assert nonce(record.type).hex() == hash_in(steps, "LnNonce")
            assert node.hex() == hash_in(steps, "LnBranch")
        assert merkle_root(records).hex() == case["merkle"], case["comment"]
        if "bolt12" in case:
            request = InvoiceRequest.parse(case["bolt12"])
            request.verify()
            digest = signature_digest("invoice_request", "signature", merkle_root(request.records))
            assert digest.hex() == case["H(signature_tag,merkle)"]
            assert KeyPair(b"B" * 32).sign(digest).hex() == case["signature"]
    assert len(cases) == 4


def test_payer_proofs() -> None:
    told = vectors("bolt12/payer-proof-test")
    payer, preimage = KeySigner(KeyPair(bytes.fromhex(told["payer_secret"]))), bytes.fromhex(told["preimage"])
    for case in told["valid_vectors"]:
        read = lnoffers.decode(case["bech32"])
        assert isinstance(read, PayerProof)
        assert list(read.shown_types) == case["included_types"], case["name"]
        assert list(read.proof_omitted_tlvs or ()) == case["omitted_tlvs"]
        assert read.proof_note == case["note"]
        assert read.encode() == case["bech32"]
        invoice = Invoice.from_bytes(bytes.fromhex(case["invoice_hex"]))
        made = PayerProof.for_invoice(
            invoice, proof_preimage=preimage, include=case["included_types"], proof_note=case["note"]
        ).sign(payer)
        # A writer may leave out markers where there are none; ours does.
        assert (made.encode() == case["bech32"]) is case["byte_exact"], case["name"]
        assert lnoffers.decode(made.encode()) == made
    assert len(told["valid_vectors"]) == 5
