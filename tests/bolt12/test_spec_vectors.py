"""The specification's test vectors, as far as they concern what stands here. Skipped where they are missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lnoffers.bolt12 import Bolt12Error, InvoiceRequest, KeyPair
from lnoffers.bolt12.bigsize import encode_bigsize, read_bigsize
from lnoffers.bolt12.codecs import Codec, decode_truncated
from lnoffers.bolt12.cursor import Cursor
from lnoffers.bolt12.fields import OfferFields
from lnoffers.bolt12.merkle import merkle_root, signature_digest
from lnoffers.bolt12.text import decode_text
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


def _fixed(*widths: int) -> Codec[Any]:
    """A value of unsigned numbers of these widths, or of a point for 33."""

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

    for case in vectors("bolt01/tlv")["cases"]:
        names = ["n1", "n2"] if case["namespace"] == "either" else [case["namespace"]]
        for name in names:
            assert accepts(read, name, bytes.fromhex(case["hex"])) is case["valid"], case


def test_text_form() -> None:
    for case in vectors("bolt12/format-string-test"):
        assert accepts(decode_text, case["string"], "lno") is case["valid"], case


def test_records_and_values_of_offers() -> None:
    def read(text: str) -> OfferFields:
        return OfferFields._read(decode_text(text, "lno"))

    broken_rules_of_offers = 0
    for case in vectors("bolt12/offers-test"):
        readable = accepts(read, case["bolt12"])
        if not case["valid"]:
            broken_rules_of_offers += readable
            continue
        assert readable, case
        offer = read(case["bolt12"])
        assert [
            {"type": record.type, "length": len(record.value), "hex": record.value.hex()} for record in offer.records
        ] == case["fields"]
    assert broken_rules_of_offers == 9  # well formed, but no good offers


def test_merkle_roots_and_the_signature() -> None:
    for case in vectors("bolt12/signature-test"):
        leaves = [next(key for key in leaf if key.startswith("H(`LnLeaf`,")) for leaf in case["leaves"]]
        streams = b"".join(bytes.fromhex(key.removeprefix("H(`LnLeaf`,").removesuffix(")")) for key in leaves)
        records = list(read_records(streams, range(2**64)))
        assert merkle_root(records).hex() == case["merkle"], case["comment"]
        if "bolt12" in case:
            request = InvoiceRequest.parse(case["bolt12"])
            request.verify()
            digest = signature_digest("invoice_request", "signature", merkle_root(request.records))
            assert digest.hex() == case["H(signature_tag,merkle)"]
            assert KeyPair(b"B" * 32).sign(digest).hex() == case["signature"]
