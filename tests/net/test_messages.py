"""The messages of BOLT 1: what is read, what is written, and what is ignored or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import CHAINS
from lnoffers.net.errors import ChannelMessageError, Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import (
    FIRST_CUSTOM,
    CustomMessage,
    Init,
    OnionMessage,
    PeerError,
    PeerWarning,
    Ping,
    Pong,
    Sendable,
    read_message,
    write_message,
)
from tests.net.pairs import ALICE

CHAIN = CHAINS["regtest"]
POINT = ALICE.public_key
u16 = st.integers(0, 0xFFFF)
hashes = st.binary(min_size=32, max_size=32)
messages: st.SearchStrategy[Sendable] = st.one_of(
    st.builds(Init, st.binary(max_size=20), st.lists(hashes, max_size=3).map(tuple), st.none() | st.binary(max_size=9)),
    st.builds(Ping, u16, st.integers(0, 0xFFFF)),
    st.builds(Pong, u16),
    st.builds(PeerWarning, st.binary(max_size=300), hashes),
    st.builds(OnionMessage, st.just(POINT), st.binary(max_size=2_000)),
)
custom_types = st.integers(FIRST_CUSTOM, 0xFFFF).filter(lambda number: number % 2)
custom_messages = st.builds(CustomMessage, custom_types, st.binary(max_size=300))


@given(messages | custom_messages)
def test_what_is_written_is_read_again(message: Sendable) -> None:
    assert read_message(write_message(message)) == message


@given(messages, st.data())
def test_a_known_message_that_is_cut_short_ends_the_connection(message: Sendable, data: st.DataObject) -> None:
    written = write_message(message)
    whole = 2 + 2 + 2 + len(message.features) if isinstance(message, Init) else len(written)
    cut = data.draw(st.integers(0, whole - 1))
    with pytest.raises(RemoteProtocolError):
        read_message(written[:cut])


@given(st.binary(max_size=100))
def test_any_bytes_are_read_ignored_or_refused(data: bytes) -> None:
    try:
        message = read_message(data)
    except RemoteProtocolError:
        return
    if message is None:
        assert len(data) >= 2


def test_init_is_written_as_the_specification_has_it() -> None:
    written = write_message(Init(OFFERED, (CHAIN,)))
    assert written.hex() == "0010" + "0000" + "0006" + "20800000a202" + "0120" + CHAIN.hex()


def test_the_two_bitmaps_of_init_are_one() -> None:
    message = read_message(bytes.fromhex("0010" + "0002" + "2002" + "0003" + "800001"))
    assert message == Init(bytes.fromhex("802003"))


def test_an_init_with_an_unknown_even_record_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="record 2 is even"):
        read_message(bytes.fromhex("0010" + "0000" + "0000" + "0200"))
    assert read_message(bytes.fromhex("0010" + "0000" + "0000" + "0500")) == Init(b"")


def test_a_message_may_be_extended() -> None:
    assert read_message(write_message(Ping(3, 2)) + b"\x01\x01\x01") == Ping(3, 2)


@pytest.mark.parametrize("type_", [3, 7, 9, 257, 259, 261, 515, 32_767])
def test_ignores_unknown_odd_types(type_: int) -> None:
    assert read_message(type_.to_bytes(2, "big") + b"whatever") is None


@pytest.mark.parametrize("type_", [0, 1, 18, 513, 32_767, 32_768, 32_770, 65_534, 65_537, -1])
def test_refuses_other_types_for_messages_of_applications(type_: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"odd types from 32769 to 65535, and {type_} is not one"):
        CustomMessage(type_, b"")


def test_message_of_an_application_has_any_payload() -> None:
    assert read_message(bytes.fromhex("8001") + b"whatever") == CustomMessage(32_769, b"whatever")
    assert read_message(bytes.fromhex("ffff")) == CustomMessage(65_535, b"")


@pytest.mark.parametrize("type_", [256, 258])
def test_ignores_gossip(type_: int) -> None:
    assert read_message(type_.to_bytes(2, "big")) is None


@pytest.mark.parametrize("type_", [0, 4, 20, 260, 512, 514, 32_768])
def test_refuses_unknown_even_types(type_: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"message type {type_} is even") as caught:
        read_message(type_.to_bytes(2, "big"))
    assert caught.value.hint is Hint.WARN


@pytest.mark.parametrize("type_", [2, 32, 33, 128, 136, 255])
def test_a_message_about_a_channel_is_answered_by_silence(type_: int) -> None:
    with pytest.raises(ChannelMessageError, match="same secret") as caught:
        read_message(type_.to_bytes(2, "big") + bytes(100))
    assert caught.value.hint is Hint.CLOSE
    assert caught.value.type == type_


def test_an_error_can_be_read_and_not_written() -> None:
    message = read_message(bytes.fromhex("0011") + b"c" * 32 + bytes.fromhex("0002") + b"no")
    assert message == PeerError(b"no", b"c" * 32)
    assert not hasattr(message, "payload")


def test_words_of_a_peer_draw_nothing_on_a_terminal() -> None:
    for kind in (PeerWarning, PeerError):
        assert kind(b"be \x1b[31mred\xff~").text == "be \\x1b[31mred\\xff~"


@pytest.mark.parametrize(
    "message", [Ping(65_536), Ping(0, 65_536), Pong(65_536), OnionMessage(POINT, bytes(65_536)), Init(b"", (b"",))]
)
def test_refuses_to_write_what_does_not_fit(message: Sendable) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be written"):
        write_message(message)
