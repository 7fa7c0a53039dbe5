"""Values of fields: what reads, what does not, and that what reads writes back to the same bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import (
    Bip353Name,
    BlindedHop,
    BlindedPath,
    BlindedPayinfo,
    Bolt12Error,
    ChannelEnd,
    FallbackAddress,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
    codecs,
)
from lnoffers.bolt12.bip353 import bip_353_name, has_allowed_characters
from lnoffers.bolt12.blinded_paths import blinded_paths, blinded_payinfos, first_empty_path
from lnoffers.bolt12.codecs import Codec
from lnoffers.bolt12.cursor import Cursor
from lnoffers.bolt12.fallbacks import fallback_addresses
from lnoffers.bolt12.recurrence import recurrence, recurrence_base, recurrence_paywindow

from .samples import OTHER_SIGNER, SIGNER

POINT = SIGNER.public_key
OTHER_POINT = OTHER_SIGNER.public_key
# The generator with both coordinates: libsecp256k1 reads it, BOLT 12 does not allow it.
UNCOMPRESSED = bytes.fromhex(
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
)
OFF_CURVE = b"\x02" + bytes(31) + b"\x05"

u8, u16, u32, u64 = (st.integers(0, 2 ** (8 * width) - 1) for width in (1, 2, 4, 8))
points = st.sampled_from([POINT, OTHER_POINT])
hops = st.builds(BlindedHop, points, st.binary(max_size=40))
paths = st.builds(
    BlindedPath,
    points | st.builds(ChannelEnd, st.sampled_from([0, 1]), u64),
    points,
    st.lists(hops, max_size=3).map(tuple),
)
payinfos = st.builds(BlindedPayinfo, u32, u32, u16, u64, u64, st.binary(max_size=40))
values: list[tuple[Codec[Any], st.SearchStrategy[Any]]] = [
    (codecs.tu32, u32),
    (codecs.tu64, u64),
    (codecs.utf8, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
    (codecs.byte_string, st.binary()),
    (codecs.chain_hash, st.binary(min_size=32, max_size=32)),
    (codecs.hashes, st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple)),
    (codecs.signature, st.binary(min_size=64, max_size=64)),
    (codecs.point, points),
    (codecs.flag, st.just(value=True)),
    (codecs.bigsizes, st.lists(u64, max_size=5).map(tuple)),
    (blinded_paths, st.lists(paths, max_size=3).map(tuple)),
    (blinded_payinfos, st.lists(payinfos, max_size=3).map(tuple)),
    (fallback_addresses, st.lists(st.builds(FallbackAddress, u8, st.binary(max_size=50)), max_size=3).map(tuple)),
    (bip_353_name, st.builds(Bip353Name, st.binary(max_size=255), st.binary(max_size=255))),
    (recurrence, st.builds(Recurrence, u8, u32)),
    (recurrence_base, st.builds(RecurrenceBase, u8, u64)),
    (recurrence_paywindow, st.builds(RecurrencePaywindow, u32, u32)),
]


def unreadable(codec: Codec[Any], value: bytes) -> str:
    with pytest.raises(Bolt12Error) as caught:
        codec.decode(value)
    return caught.value.rule


def unwritable(codec: Codec[Any], value: object) -> str:
    with pytest.raises(Bolt12Error) as caught:
        codec.encode(value)
    return caught.value.rule


@given(st.sampled_from(values).flatmap(lambda pair: st.tuples(st.just(pair[0]), pair[1])))
def test_reads_what_it_writes(case: tuple[Codec[Any], Any]) -> None:
    codec, value = case
    assert codec.decode(codec.encode(value)) == value


@given(st.sampled_from([codec for codec, _ in values]), st.binary(max_size=80))
def test_writes_back_any_bytes_that_read(codec: Codec[Any], value: bytes) -> None:
    try:
        decoded = codec.decode(value)
    except Bolt12Error:
        return
    assert codec.encode(decoded) == value


def test_zero_has_no_bytes() -> None:
    assert codecs.tu64.encode(0) == b""
    assert codecs.tu64.decode(b"") == 0
    assert codecs.tu64.encode(256) == b"\x01\x00"


def test_rejects_a_number_that_is_not_minimal_or_too_long() -> None:
    assert unreadable(codecs.tu64, b"\0") == "number-not-minimal"
    assert unreadable(codecs.tu64, b"\0\1") == "number-not-minimal"
    assert unreadable(codecs.tu64, b"\1" * 9) == "number-too-long"
    assert unreadable(codecs.tu32, b"\1" * 5) == "number-too-long"


@pytest.mark.parametrize("number", [-1, 2**64])
def test_refuses_a_number_that_does_not_fit(number: int) -> None:
    assert unwritable(codecs.tu64, number) == "number-range"
    assert unwritable(recurrence, Recurrence(256, 1)) == "number-range"
    assert unwritable(recurrence_paywindow, RecurrencePaywindow(-1, 1)) == "number-range"


@pytest.mark.parametrize(
    "value",
    [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"],
    ids=["no utf-8", "overlong", "surrogate", "above U+10FFFF", "cut off"],
)
def test_rejects_text_that_is_not_utf8(value: bytes) -> None:
    assert unreadable(codecs.utf8, value) == "text-not-utf8"


def test_text_holds_no_nul_and_no_lone_surrogate() -> None:
    assert unreadable(codecs.utf8, b"a\0b") == "text-nul"
    assert unwritable(codecs.utf8, "a\0b") == "text-nul"
    assert unwritable(codecs.utf8, "\ud83d") == "text-not-utf8"


def test_rejects_a_wrong_length() -> None:
    assert unreadable(codecs.chain_hash, bytes(31)) == "wrong-length"
    assert unreadable(codecs.hashes, bytes(33)) == "wrong-length"
    assert unreadable(codecs.signature, bytes(65)) == "wrong-length"
    assert unreadable(codecs.flag, b"\0") == "wrong-length"


@pytest.mark.parametrize("value", [False, 1, b""])
def test_a_flag_is_true_or_absent(value: object) -> None:
    assert unwritable(codecs.flag, value) == "flag-value"


def test_no_chains_is_a_value() -> None:
    assert codecs.hashes.decode(b"") == ()


@pytest.mark.parametrize(
    "value",
    [b"", POINT[:-1], POINT + b"\0", b"\x04" + POINT[1:], UNCOMPRESSED, OFF_CURVE],
    ids=["empty", "short", "long", "prefix", "uncompressed", "off the curve"],
)
def test_rejects_what_is_no_point(value: bytes) -> None:
    assert unreadable(codecs.point, value) == "not-a-point"


def test_a_path_may_start_at_the_end_of_a_channel() -> None:
    scid = (700_000 << 40) | (1234 << 16) | 5
    path = BlindedPath(ChannelEnd(1, scid), POINT, (BlindedHop(OTHER_POINT, b"\xab"),))
    data = b"\x01" + scid.to_bytes(8, "big") + POINT + b"\x01" + OTHER_POINT + b"\x00\x01\xab"
    assert blinded_paths.decode(data) == (path,)
    assert blinded_paths.to_json((path,)) == [
        {
            "first_scid": "700000x1234x5",
            "first_scid_dir": 1,
            "first_path_key": POINT.hex(),
            "path": [{"blinded_node_id": OTHER_POINT.hex(), "encrypted_recipient_data": "ab"}],
        }
    ]


def test_rejects_a_path_that_is_cut_off_or_holds_no_point() -> None:
    data = blinded_paths.encode((BlindedPath(POINT, POINT, (BlindedHop(POINT, b"secret"),)),))
    for length in range(1, len(data)):
        assert unreadable(blinded_paths, data[:length]) == "value-truncated"
    assert unreadable(blinded_paths, b"\x05" + data[1:]) == "not-a-point"
    assert unreadable(blinded_paths, OFF_CURVE + data[33:]) == "not-a-point"


def test_the_limits_of_numbers_are_values() -> None:
    assert codecs.tu32.decode(b"\xff" * 4) == 2**32 - 1
    assert codecs.tu64.decode(b"\xff" * 8) == 2**64 - 1
    assert codecs.tu32.encode(2**32 - 1) == b"\xff" * 4
    assert codecs.tu64.encode(2**64 - 1) == b"\xff" * 8
    assert unwritable(codecs.tu32, 2**32) == "number-range"
    assert recurrence.decode(b"\xff" * 5) == Recurrence(255, 2**32 - 1)
    assert recurrence_base.decode(b"\xff" * 9) == RecurrenceBase(255, 2**64 - 1)
    assert recurrence_paywindow.decode(b"\xff" * 8) == RecurrencePaywindow(2**32 - 1, 2**32 - 1)
    assert unreadable(recurrence, b"\xff" * 6) == unreadable(recurrence_base, b"\xff" * 10) == "number-too-long"
    assert unreadable(recurrence, b"") == unreadable(recurrence_paywindow, bytes(3)) == "value-truncated"


def test_the_limits_of_paths_are_values() -> None:
    hop, longest = BlindedHop(POINT, b""), BlindedHop(OTHER_POINT, b"\xaa" * 65535)
    for path in (
        BlindedPath(POINT, POINT, (hop,) * 255),
        BlindedPath(POINT, POINT, (longest, hop)),
        BlindedPath(ChannelEnd(0, 0), POINT, ()),
        BlindedPath(ChannelEnd(1, 2**64 - 1), POINT, (hop,)),
    ):
        assert blinded_paths.decode(blinded_paths.encode((path,))) == (path,)
    assert str(ChannelEnd(0, 2**64 - 1)) == "16777215x16777215x65535"
    assert str(ChannelEnd(0, 0)) == "0x0x0"
    assert unwritable(blinded_paths, [BlindedPath(ChannelEnd(0, -1), POINT, (hop,))]) == "channel-end"
    assert unwritable(blinded_paths, [BlindedPath(POINT, UNCOMPRESSED, (hop,))]) == "not-a-point"


def test_refuses_a_path_that_does_not_fit() -> None:
    hop = BlindedHop(POINT, b"")
    assert unwritable(blinded_paths, [BlindedPath(POINT, POINT, (hop,) * 256)]) == "path-too-long"
    assert unwritable(blinded_paths, [BlindedPath(POINT, POINT, (BlindedHop(POINT, bytes(65536)),))]) == "hop-too-long"
    assert unwritable(blinded_paths, [BlindedPath(ChannelEnd(2, 0), POINT, (hop,))]) == "channel-end"
    assert unwritable(blinded_paths, [BlindedPath(ChannelEnd(0, 2**64), POINT, (hop,))]) == "channel-end"
    assert unwritable(blinded_paths, [BlindedPath(OFF_CURVE, POINT, (hop,))]) == "not-a-point"


def test_a_single_path_reads_from_all_of_its_bytes() -> None:
    path = BlindedPath(POINT, OTHER_POINT, (BlindedHop(POINT, b"x"),))
    assert BlindedPath.from_bytes(path.to_bytes()) == path
    assert blinded_paths.encode((path,)) == path.to_bytes()
    with pytest.raises(Bolt12Error) as caught:
        BlindedPath.from_bytes(path.to_bytes() + b"\0")
    assert caught.value.rule == "value-too-long"


def test_payinfo_is_numbers_of_fixed_width_and_features() -> None:
    data = bytes.fromhex("00000001 00000002 0003 0000000000000004 0000000000000005 0002 beef")
    payinfo = BlindedPayinfo(1, 2, 3, 4, 5, b"\xbe\xef")
    assert blinded_payinfos.decode(data) == (payinfo,)
    assert blinded_payinfos.encode((payinfo,)) == data
    assert blinded_payinfos.to_json((payinfo,)) == [
        {
            "fee_base_msat": 1,
            "fee_proportional_millionths": 2,
            "cltv_expiry_delta": 3,
            "htlc_minimum_msat": 4,
            "htlc_maximum_msat": 5,
            "features": "beef",
        }
    ]
    for length in range(1, len(data)):
        assert unreadable(blinded_payinfos, data[:length]) == "value-truncated"
    assert unwritable(blinded_payinfos, [BlindedPayinfo(1, 2, 2**16, 4, 5, b"")]) == "number-range"
    assert unwritable(blinded_payinfos, [BlindedPayinfo(1, 2, 3, 4, 5, bytes(2**16))]) == "number-range"


def test_numbers_in_a_row_are_minimal() -> None:
    assert codecs.bigsizes.decode(b"\x01\xfd\x01\x00") == (1, 256)
    assert unreadable(codecs.bigsizes, b"\x01\xfd\x00\x01") == "bigsize-not-minimal"
    assert unreadable(codecs.bigsizes, b"\x01\xfd") == "bigsize-truncated"
    assert unwritable(codecs.bigsizes, (2**64,)) == "number-range"


def test_finds_the_first_path_without_hops() -> None:
    full, empty = BlindedPath(POINT, POINT, (BlindedHop(POINT, b""),)), BlindedPath(POINT, POINT, ())
    assert first_empty_path(None) is None
    assert first_empty_path((full,)) is None
    assert first_empty_path((full, empty, empty)) == 1


def test_a_name_has_two_parts_and_nothing_after_them() -> None:
    assert bip_353_name.decode(b"\x03bob\x01x") == Bip353Name(b"bob", b"x")
    longest = Bip353Name(b"n" * 255, b"d" * 255)
    assert bip_353_name.encode(longest) == b"\xff" + b"n" * 255 + b"\xff" + b"d" * 255
    assert bip_353_name.decode(bip_353_name.encode(longest)) == longest
    assert unreadable(bip_353_name, b"\x03bob") == "value-truncated"
    assert unreadable(bip_353_name, b"\x03bob\x01xy") == "value-too-long"
    assert unwritable(bip_353_name, Bip353Name(bytes(256), b"")) == "name-too-long"


def test_a_name_allows_few_characters() -> None:
    assert has_allowed_characters(b"AZaz09-_.")
    assert has_allowed_characters(b"")
    assert not any(has_allowed_characters(bytes((c,))) for c in b"@ \n\x00\xe9/")


def test_a_cursor_peeks_without_moving() -> None:
    cursor = Cursor(b"\x07")
    assert cursor.peek() == cursor.number(1) == 7
    assert cursor.at_end
    with pytest.raises(Bolt12Error):
        cursor.peek()
