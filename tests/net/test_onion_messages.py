"""Onion messages: the specification's, those of other implementations' fuzzers, and each rule of their readers."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import BlindedHop, BlindedPath
from lnoffers.bolt12.curve import KeyPair
from lnoffers.bolt12.tlv import Record
from lnoffers.net import onion
from lnoffers.net.blinding import Hop, blind, blinding_factor, message_path, prepend
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.hop_data import HopData
from lnoffers.net.messages import OnionMessage, read_message, write_message
from lnoffers.net.onion_messages import MAX_REPLY_HOPS, Forward, Payload, ReceivedMessage, open_message, wrap
from tests.shared import shared_path

NODES = [KeyPair(bytes([number]) * 32) for number in range(1, 7)]
FRONT, MIDDLE, SELF = NODES[:3]
PATH_KEY, SESSION_KEY, PATH_ID = b"p" * 32, b"s" * 32, b"i" * 32
HELLO = Payload.build(invoice_error=b"\x05\x05hello")


def ids(nodes: list[KeyPair]) -> list[bytes]:
    return [node.public_key for node in nodes]


def refusal(node: KeyPair, message: OnionMessage) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        open_message(node, message)
    assert caught.value.hint is Hint.DROP
    return caught.value.message


def told(node: KeyPair, data: HopData | bytes, layer: Payload = HELLO, *, final: bool = True) -> OnionMessage:
    """Return a message with these path data and this layer for its first node."""
    stream = data if isinstance(data, bytes) else data.to_bytes()
    path = blind(PATH_KEY, [Hop(node.public_key, stream), Hop(SELF.public_key, b"")])
    hops = [(hop.blinded_node_id, layer.for_hop(hop.encrypted_recipient_data)) for hop in path.hops]
    return OnionMessage(path.first_path_key, onion.create(SESSION_KEY, hops[:1] if final else hops, onion.SMALL))


# ---- the specification's


def test_makes_and_opens_the_message_of_the_specification() -> None:
    vector = json.loads(shared_path("vectors/bolts/bolt04/blinded-onion-message-onion-test.json").read_text())
    route, hops = vector["route"], vector["decrypt"]["hops"]
    path = BlindedPath(
        bytes.fromhex(route["first_node_id"]),
        bytes.fromhex(route["first_path_key"]),
        tuple(
            BlindedHop(bytes.fromhex(hop["blinded_node_id"]), bytes.fromhex(hop["encrypted_recipient_data"]))
            for hop in route["hops"]
        ),
    )
    said = bytes.fromhex(vector["onionmessage"]["unknown_tag_1"])
    payload = Payload.from_bytes(Record.build(1, said).raw)
    message = wrap(bytes.fromhex(vector["generate"]["session_key"]), path, payload)
    assert message.packet.hex() == vector["onionmessage"]["onion_message_packet"]
    for hop, following in pairwise(hops):
        opened = open_message(KeyPair(bytes.fromhex(hop["privkey"])), message)
        assert write_message(message).hex() == hop["onion_message"]
        assert isinstance(opened, Forward)
        assert isinstance(opened.next_node, bytes)
        assert opened.next_node.hex() == hop["next_node_id"]
        message = opened.message
        assert read_message(bytes.fromhex(following["onion_message"])) == message
    last = open_message(KeyPair(bytes.fromhex(hops[-1]["privkey"])), message)
    assert isinstance(last, ReceivedMessage)
    assert last.path_id == bytes.fromhex(vector["generate"]["hops"][-1]["tlvs"]["path_id"])
    assert [record for record in last.payload.records if record.type != 4] == [Record.build(1, said)]
    sealed = last.payload.encrypted_recipient_data
    assert sealed is not None
    assert sealed.hex() == hops[-1]["tlvs"]["encrypted_recipient_data"]


def inputs(target: str) -> Iterator[bytes]:
    with tarfile.open(shared_path(f"vectors/fuzz/{target}.tar.gz")) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                yield file.read()


def test_refuses_the_packets_of_upstreams_fuzzer() -> None:
    packets = list(inputs("handle_onion_message"))
    assert len(packets) > 30
    for packet in packets:
        refusal(SELF, OnionMessage(FRONT.public_key, packet))
        with pytest.raises(RemoteProtocolError):
            onion.peel(SELF, packet)


def test_reads_or_refuses_the_messages_of_upstreams_fuzzer() -> None:
    payloads = list(inputs("wire-onion_message"))
    assert len(payloads) > 100
    for payload in payloads:
        for data in (payload, b"\x02\x01" + payload, b"\x02\x01" + payload[2:]):
            try:
                message = read_message(data)
            except RemoteProtocolError:
                continue
            if isinstance(message, OnionMessage):
                assert data.startswith(write_message(message))
                refusal(SELF, message)


# ---- there and back


@given(st.permutations(NODES), st.integers(1, 6), st.binary(max_size=3_000))
def test_a_message_reaches_the_end_of_its_path_and_no_other_node_reads_it(
    nodes: list[KeyPair], length: int, said: bytes
) -> None:
    way = nodes[:length]
    message = wrap(SESSION_KEY, message_path(PATH_KEY, ids(way), PATH_ID), Payload.build(invoice_error=said))
    for node, following in pairwise(way):
        refusal(following, message)
        opened = open_message(node, message)
        assert isinstance(opened, Forward)
        assert opened.next_node == following.public_key
        assert len(opened.message.packet) == len(message.packet)
        message = opened.message
    received = open_message(way[-1], message)
    assert isinstance(received, ReceivedMessage)
    assert (received.payload.invoice_error, received.path_id) == (said, PATH_ID)


@given(st.permutations(NODES), st.integers(1, 5))
def test_a_message_goes_over_a_senders_nodes_and_then_along_somebody_elses_path(
    nodes: list[KeyPair], before: int
) -> None:
    theirs = message_path(PATH_KEY, ids(nodes[before:]), PATH_ID)
    message = wrap(SESSION_KEY, prepend(b"q" * 32, ids(nodes[:before]), theirs), HELLO)
    for node, following in pairwise(nodes):
        opened = open_message(node, message)
        assert isinstance(opened, Forward)
        assert opened.next_node == following.public_key
        message = opened.message
    received = open_message(nodes[-1], message)
    assert isinstance(received, ReceivedMessage)
    assert received.path_id == PATH_ID


@pytest.mark.parametrize(("said", "size"), [(0, 1366), (1_209, 1366), (1_210, 32_834), (32_677, 32_834)])
def test_a_packet_has_one_of_two_sizes(said: int, size: int) -> None:
    path = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    message = wrap(SESSION_KEY, path, Payload.build(invoice=bytes(said)))
    assert len(message.packet) == size
    received = open_message(SELF, message)
    assert isinstance(received, ReceivedMessage)
    assert received.payload.invoice == bytes(said)


def test_refuses_to_make_what_fits_no_packet() -> None:
    path = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    with pytest.raises(LocalProtocolError, match="at most 32768 fit"):
        wrap(SESSION_KEY, path, Payload.build(invoice=bytes(32_678)))
    with pytest.raises(LocalProtocolError, match="needs 1234 bytes"):
        onion.create(SESSION_KEY, [(SELF.public_key, bytes(1_199))], 1_233)


@pytest.mark.parametrize(("key", "hops"), [(bytes(32), ids([SELF])), (SESSION_KEY, [bytes(33)]), (SESSION_KEY, [])])
def test_refuses_to_make_an_onion_of_what_is_no_key(key: bytes, hops: list[bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        onion.create(key, [(hop, b"to you") for hop in hops], onion.SMALL)


@given(st.integers(0, 1_365), st.integers(0, 7))
def test_a_packet_with_any_bit_changed_is_dropped(place: int, bit: int) -> None:
    message = wrap(SESSION_KEY, message_path(PATH_KEY, ids([FRONT, SELF]), PATH_ID), HELLO)
    packet = bytearray(message.packet)
    packet[place] ^= 1 << bit
    refusal(FRONT, OnionMessage(message.path_key, bytes(packet)))
    refusal(FRONT, OnionMessage(MIDDLE.public_key, message.packet))


@pytest.mark.parametrize("size", [0, 1, 100, 5_000, onion.MAX_PAYLOADS])
def test_opens_packets_of_any_size_that_a_message_carries(size: int) -> None:
    path = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    layer = HELLO.for_hop(path.hops[0].encrypted_recipient_data)
    if size < 100 + len(layer):
        refusal(SELF, OnionMessage(path.first_path_key, bytes(size + onion.OVERHEAD)))
        return
    packet = onion.create(SESSION_KEY, [(path.hops[0].blinded_node_id, layer)], size)
    message = OnionMessage(path.first_path_key, packet)
    assert isinstance(open_message(SELF, message), ReceivedMessage)
    assert read_message(write_message(message)) == message


# ---- the reader's rules


@pytest.mark.parametrize("layer", [b"", b"\x00"], ids=["none", "one byte"])
def test_drops_a_layer_too_short_to_say_anything(layer: bytes) -> None:
    path = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    packet = onion.create(SESSION_KEY, [(path.hops[0].blinded_node_id, layer)], onion.SMALL)
    assert "too short" in refusal(SELF, OnionMessage(path.first_path_key, packet))


@pytest.mark.parametrize(
    ("start", "why"),
    [(b"\xfd\xff\xff", "does not fit"), (b"\x50", "does not fit"), (b"\xfd\x00\x02", "length cannot be read")],
)
def test_drops_a_layer_whose_length_is_wrong(start: bytes, why: str) -> None:
    blinded = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    secret = KeyPair(SESSION_KEY).shared_secret(blinded.hops[0].blinded_node_id)
    payloads = onion.apply_stream(onion.derive(b"rho", secret), start + bytes(100 - len(start)))
    proof = onion.derive(onion.derive(b"mu", secret), payloads)
    packet = b"\0" + KeyPair(SESSION_KEY).public_key + payloads + proof
    assert why in refusal(SELF, OnionMessage(blinded.first_path_key, packet))


def test_drops_a_layer_without_data_of_a_path() -> None:
    secret = SELF.shared_secret(FRONT.public_key)
    blinded = SELF.multiply(blinding_factor(secret)).public_key
    packet = onion.create(SESSION_KEY, [(blinded, HELLO.to_bytes())], onion.SMALL)
    assert "no data" in refusal(SELF, OnionMessage(FRONT.public_key, packet))


def test_drops_what_is_no_stream() -> None:
    path = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    packet = onion.create(SESSION_KEY, [(path.hops[0].blinded_node_id, b"\x08\x00")], onion.SMALL)
    assert "record 8 is even" in refusal(SELF, OnionMessage(path.first_path_key, packet))
    assert "record 16 is even" in refusal(FRONT, told(FRONT, b"\x10\x00"))
    assert "short channel id has 2 bytes" in refusal(FRONT, told(FRONT, b"\x02\x02\x01\x01"))


def test_drops_data_too_short_to_be_sealed() -> None:
    path = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    packet = onion.create(SESSION_KEY, [(path.hops[0].blinded_node_id, HELLO.for_hop(b"short"))], onion.SMALL)
    assert "another node" in refusal(SELF, OnionMessage(path.first_path_key, packet))


def test_drops_a_message_that_says_two_things() -> None:
    both = Payload.build(invoice=b"", invoice_error=b"")
    assert "more than one thing" in refusal(FRONT, told(FRONT, b"", both))
    unknown = Payload.from_bytes(b"\x40\x00" + Record.build(65_537, b"").raw)
    assert "more than one thing" in refusal(FRONT, told(FRONT, b"", unknown))


def test_drops_what_a_node_on_the_way_must_not_get() -> None:
    onward, silent = HopData.build(next_node_id=MIDDLE.public_key), Payload.build()
    assert isinstance(open_message(FRONT, told(FRONT, onward, silent, final=False)), Forward)
    assert "more than its data" in refusal(FRONT, told(FRONT, onward, HELLO, final=False))
    with_id = HopData.build(next_node_id=MIDDLE.public_key, path_id=PATH_ID)
    assert "path_id" in refusal(FRONT, told(FRONT, with_id, silent, final=False))
    assert "not told the next" in refusal(FRONT, told(FRONT, b"", silent, final=False))


def test_drops_a_message_whose_path_allows_features() -> None:
    assert "features" in refusal(FRONT, told(FRONT, HopData._build(allowed_features=b"\x02")))
    assert isinstance(open_message(FRONT, told(FRONT, HopData._build(allowed_features=b"\0"))), ReceivedMessage)


def test_passes_on_by_channel_and_with_another_path_key_where_it_is_told_to() -> None:
    data = HopData._build(short_channel_id=7, next_path_key_override=SELF.public_key)
    opened = open_message(FRONT, told(FRONT, data, Payload.build(), final=False))
    assert isinstance(opened, Forward)
    assert (opened.next_node, opened.message.path_key) == (7, SELF.public_key)


@pytest.mark.parametrize("hops", [0, MAX_REPLY_HOPS + 1, 200])
def test_drops_a_message_with_a_reply_path_of_too_few_or_too_many_hops(hops: int) -> None:
    reply = BlindedPath(SELF.public_key, SELF.public_key, (BlindedHop(SELF.public_key, b""),) * hops)
    path = message_path(PATH_KEY, [SELF.public_key], PATH_ID)
    said = Payload.build(reply_path=reply)
    assert f"reply path has {hops} hops" in refusal(SELF, wrap(SESSION_KEY, path, said))


@given(st.binary(max_size=200))
def test_any_other_packet_is_refused(data: bytes) -> None:
    refusal(SELF, OnionMessage(FRONT.public_key, data))
