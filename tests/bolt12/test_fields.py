"""The table of fields, against the specification's numbers and against bytes that are written out by hand."""

from __future__ import annotations

from typing import Any

from lnoffers.bolt12 import (
    Bip353Name,
    BlindedHop,
    BlindedPath,
    ChannelEnd,
    InvoiceRequest,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
    codecs,
)
from lnoffers.bolt12.fields import InvoiceRequestFields, MirroredRequestFields, OfferFields, OfferIssuer, RequestTerms
from lnoffers.bolt12.message import Field, Message

OFFER = {
    2: "offer_chains",
    4: "offer_metadata",
    6: "offer_currency",
    8: "offer_amount",
    10: "offer_description",
    12: "offer_features",
    14: "offer_absolute_expiry",
    16: "offer_paths",
    18: "offer_issuer",
    20: "offer_quantity_max",
    22: "offer_issuer_id",
    1000000024: "offer_recurrence_compulsory",
    1000000025: "offer_recurrence_optional",
    1000000026: "offer_recurrence_base",
    1000000027: "offer_recurrence_paywindow",
    1000000029: "offer_recurrence_limit",
}
MIRRORED = OFFER | {
    0: "invreq_metadata",
    80: "invreq_chain",
    82: "invreq_amount",
    84: "invreq_features",
    86: "invreq_quantity",
    88: "invreq_payer_id",
    89: "invreq_payer_note",
    90: "invreq_paths",
    91: "invreq_bip_353_name",
    2000000092: "invreq_recurrence_counter",
    2000000093: "invreq_recurrence_start",
}
REQUEST = MIRRORED | {2000000094: "invreq_recurrence_cancel", 240: "signature"}

POINT = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"  # the curve's generator
CHAIN = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"
STREAM: list[tuple[str, Any]] = [
    ("00 03 616263", b"abc"),
    (f"02 20 {CHAIN}", (bytes.fromhex(CHAIN),)),
    ("04 01 ff", b"\xff"),
    ("06 03 455552", "EUR"),
    ("08 02 0102", 0x0102),
    ("0a 03 e29895", "☕"),
    ("0c 01 02", b"\x02"),
    ("0e 04 6553f100", 1_700_000_000),
    (
        f"10 68 {POINT} {POINT} 01 {POINT} 0002 abcd",
        (BlindedPath(bytes.fromhex(POINT), bytes.fromhex(POINT), (BlindedHop(bytes.fromhex(POINT), b"\xab\xcd"),)),),
    ),
    ("12 00", ""),
    ("14 00", 0),
    (f"16 21 {POINT}", bytes.fromhex(POINT)),
    (f"50 20 {CHAIN}", bytes.fromhex(CHAIN)),
    ("52 03 0f4240", 1_000_000),
    ("54 00", b""),
    ("56 01 01", 1),
    (f"58 21 {POINT}", bytes.fromhex(POINT)),
    ("59 02 6869", "hi"),
    (
        f"5a 2b 01 0aae600004d20005 {POINT} 00",
        (BlindedPath(ChannelEnd(1, 0x0AAE_6000_04D2_0005), bytes.fromhex(POINT), ()),),
    ),
    ("5b 06 03 626f62 01 78", Bip353Name(b"bob", b"x")),
    ("f0 40" + "11" * 64, b"\x11" * 64),
    ("fe3b9aca18 03 01 0200", Recurrence(1, 512)),
    ("fe3b9aca19 01 02", Recurrence(2, 0)),
    ("fe3b9aca1a 05 01 6553f100", RecurrenceBase(1, 1_700_000_000)),
    ("fe3b9aca1b 05 0000003c 78", RecurrencePaywindow(60, 120)),
    ("fe3b9aca1d 01 0c", 12),
    ("fe7735945c 01 01", 1),
    ("fe7735945d 00", 0),
    ("fe7735945e 00", True),
]


def test_the_tables_are_those_of_the_specification() -> None:
    for message, table in ((OfferFields, OFFER), (MirroredRequestFields, MIRRORED), (InvoiceRequestFields, REQUEST)):
        assert {number: field.name for number, field in message.fields.items()} == table


def test_reads_every_field_of_a_stream_written_by_hand() -> None:
    data = bytes.fromhex("".join(record for record, _ in STREAM))
    read = InvoiceRequest._read(data)
    assert [record.type for record in read.records] == sorted(REQUEST)
    values = [getattr(read, REQUEST[record.type]) for record in read.records]
    assert values == [value for _, value in STREAM]
    rebuilt = InvoiceRequest._build(
        **{REQUEST[record.type]: value for record, value in zip(read.records, values, strict=True)}
    )
    assert rebuilt.to_bytes() == data
    assert rebuilt == read


def test_a_table_takes_its_groups_in_their_order_and_then_its_own_fields() -> None:
    class Proof(OfferIssuer, RequestTerms):
        __slots__ = ()
        proof_note = Field(1005, codecs.utf8)

    assert list(Proof.fields) == [22, 88, 80, 82, 84, 86, 89, 90, 91, 1005]
    assert Proof._build(proof_note="x", offer_issuer_id=bytes.fromhex(POINT)).proof_note == "x"
    assert Message.fields == {}
