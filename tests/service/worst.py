"""The strings that take longest to decode, of as many characters as may be sent."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from coincurve import PrivateKey

from lnoffers.bolt12 import Invoice
from lnoffers.bolt12.encoding import encode_text
from lnoffers.bolt12.tlv import Record, write_records
from tests.bolt12.samples import OTHER_SIGNER, invoice, offer, resigned


def rune(conditions: int) -> str:
    """Return a rune with so many conditions on the time."""
    return urlsafe_b64encode(bytes(32) + b"&".join([b"=1"] + [b"time<1"] * conditions)).decode().rstrip("=")


def offer_with_unknown_records(count: int) -> str:
    """Return an offer with so many unknown odd records."""
    more = [Record.build(1_500_000_001 + 2 * number, b"") for number in range(count)]
    return encode_text("lno", write_records([*offer().records, *more]))


def invoice_with_unknown_records(count: int) -> str:
    """Return a signed invoice with so many unknown odd records."""
    records = [*invoice().records, *(Record.build(1001 + 2 * number, b"") for number in range(count))]
    return encode_text("lni", write_records(resigned(Invoice, records, OTHER_SIGNER)))


def offer_with_hops(count: int) -> str:
    """Return an offer with paths of so many hops in all, each by another node."""
    points = [PrivateKey(sha256(number.to_bytes(4)).digest()).public_key.format() for number in range(count + 2)]
    paths = bytearray()
    for start in range(0, count, 255):
        hops = points[start : min(start + 255, count)]
        paths += points[-1] + points[-2] + bytes([len(hops)]) + b"".join(hop + bytes(2) for hop in hops)
    records = [*offer().records, Record.build(16, bytes(paths))]
    return encode_text("lno", write_records(sorted(records, key=lambda record: record.type)))


def worst() -> dict[str, str]:
    """Return the worst of each kind, by name."""
    return {
        "an invoice with 20,000 odd records": invoice_with_unknown_records(20_000),
        "a rune with 14,000 conditions": rune(14_000),
        "an offer with 13,000 unknown records": offer_with_unknown_records(13_000),
        "an offer with 2,040 hops": offer_with_hops(2_040),
    }
