"""Route blinding, against the specification's vectors and against the nodes on a path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import BlindedHop, BlindedPath, ChannelEnd
from lnoffers.bolt12.curve import KeyPair
from lnoffers.net.blinding import Hop, blind, blinding_factor, message_path, next_path_key, prepend, unblind
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.hop_data import HopData, PaymentConstraints, PaymentRelay
from tests.net.receiver import walk
from tests.shared import shared_path

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

scalars = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
nodes = st.lists(scalars.map(KeyPair), min_size=1, max_size=4)
FRONT, SELF = KeyPair(bytes([1]) * 32), KeyPair(bytes([2]) * 32)
PATH_KEY = bytes([3]) * 32


def vectors(name: str) -> Any:
    return json.loads(shared_path(f"vectors/bolts/bolt04/{name}.json").read_text())


def made_of(hops: list[dict[str, Any]], key: str, data: str) -> BlindedPath:
    return blind(
        bytes.fromhex(hops[0][key]), [Hop(bytes.fromhex(hop["node_id"]), bytes.fromhex(hop[data])) for hop in hops]
    )


def assert_hops(path: BlindedPath, hops: list[dict[str, Any]], data: str) -> None:
    found = [(hop.blinded_node_id.hex(), hop.encrypted_recipient_data.hex()) for hop in path.hops]
    assert found == [(hop["blinded_node_id"], hop[data]) for hop in hops]


def test_makes_the_paths_of_the_specification() -> None:
    told = vectors("route-blinding-test")
    hops, joined = told["generate"]["hops"], told["route"]
    first, second = (made_of(part, "session_key", "encoded_tlvs") for part in (hops[:2], hops[2:]))
    assert_hops(first, hops[:2], "encrypted_data")
    assert_hops(second, hops[2:], "encrypted_data")
    assert isinstance(first.first_node_id, bytes)
    assert first.first_node_id.hex() == joined["first_node_id"]
    assert first.first_path_key.hex() == joined["first_path_key"]
    assert second.first_path_key.hex() == hops[2]["path_key"]


def test_makes_the_path_of_the_specifications_onion_message() -> None:
    hops = vectors("blinded-onion-message-onion-test")["generate"]["hops"]
    ids = {hop["tlvs"]["next_node_id"] for hop in hops if "next_node_id" in hop["tlvs"]}
    names = {hop["alias"]: KeyPair(bytes([ord(hop["alias"][0])]) * 32).public_key.hex() for hop in hops}
    assert ids <= set(names.values())
    theirs = [hop | {"node_id": names[hop["alias"]]} for hop in hops[1:]]
    path = made_of(theirs, "path_key_secret", "encrypted_data_tlv")
    assert_hops(path, theirs, "encrypted_recipient_data")


def test_the_nodes_of_the_specification_read_their_data() -> None:
    told = vectors("route-blinding-test")
    hops, readers = told["generate"]["hops"], told["unblind"]["hops"]
    for start, end in ((0, 2), (2, 4)):  # the second path, which its reader made, joins the first
        path = made_of(hops[start:end], "session_key", "encoded_tlvs")
        path_key = path.first_path_key
        for made, reader in zip(path.hops, readers[start:end], strict=True):
            assert path_key.hex() == reader["path_key"]
            node = KeyPair(bytes.fromhex(reader["node_privkey"]))
            secret = node.shared_secret(path_key)
            blinded = node.multiply(blinding_factor(secret))
            assert blinded.public_key == KeyPair(bytes.fromhex(reader["blinded_privkey"])).public_key
            assert blinded.public_key == made.blinded_node_id
            data = unblind(secret, made.encrypted_recipient_data)
            assert data.hex() == reader["decrypted_data"]
            path_key = next_path_key(secret, path_key)
            assert path_key.hex() == reader["next_path_key"]
            override = HopData.from_bytes(data).next_path_key_override
            assert (override.hex() if override else None) == reader.get("next_path_key_override")


def test_reads_all_fields_of_the_specifications_hops() -> None:
    for hop in vectors("route-blinding-test")["generate"]["hops"]:
        data, told = HopData.from_bytes(bytes.fromhex(hop["encoded_tlvs"])), hop["tlvs"]
        relay, constraints = told.get("payment_relay"), told["payment_constraints"]
        assert data.payment_relay == (relay and PaymentRelay(**{"fee_base_msat": 0} | relay))
        assert data.payment_constraints == PaymentConstraints(**constraints)
        scid = None if data.short_channel_id is None else f"0x0x{data.short_channel_id}"
        assert scid == told.get("short_channel_id")
        assert data.to_bytes().hex() == hop["encoded_tlvs"]
        again = {field.name: getattr(data, field.name) for field in HopData.fields.values()}
        assert HopData._build(data.unknown_records, **again) == data


def test_joins_paths_as_the_specification_does() -> None:
    told = vectors("blinded-onion-message-onion-test")
    alice, *theirs = told["generate"]["hops"]
    bob = bytes.fromhex(alice["tlvs"]["next_node_id"])
    path = BlindedPath(
        bob,
        bytes.fromhex(alice["tlvs"]["next_path_key_override"]),
        tuple(
            BlindedHop(bytes.fromhex(hop["blinded_node_id"]), bytes.fromhex(hop["encrypted_recipient_data"]))
            for hop in theirs
        ),
    )
    names = {"Alice": KeyPair(b"A" * 32).public_key}
    joined = prepend(bytes.fromhex(alice["path_key_secret"]), [names["Alice"]], path)
    assert joined.first_node_id == bytes.fromhex(told["route"]["first_node_id"])
    assert joined.first_path_key == bytes.fromhex(told["route"]["first_path_key"])
    assert_hops(joined, told["route"]["hops"], "encrypted_recipient_data")


def test_cannot_lead_to_the_end_of_a_channel() -> None:
    path = BlindedPath(ChannelEnd(0, 1), FRONT.public_key, (BlindedHop(FRONT.public_key, b""),))
    with pytest.raises(LocalProtocolError, match="end of a channel"):
        prepend(PATH_KEY, [SELF.public_key], path)


@given(scalars, nodes, st.binary(max_size=40))
def test_every_node_reads_what_it_was_told_and_finds_the_next(path_key: bytes, way: list[KeyPair], data: bytes) -> None:
    told = [data + bytes([place]) for place in range(len(way))]
    path = blind(path_key, [Hop(node.public_key, each) for node, each in zip(way, told, strict=True)])
    assert path.first_node_id == way[0].public_key
    assert walk(path, way) == told
    assert BlindedPath.from_bytes(path.to_bytes()) == path


@given(scalars, nodes, st.binary(min_size=32, max_size=32))
def test_a_message_path_tells_each_node_the_next_one_and_the_last_its_path_id(
    path_key: bytes, way: list[KeyPair], path_id: bytes
) -> None:
    told = walk(message_path(path_key, [node.public_key for node in way], path_id), way)
    assert told[:-1] == [b"\x04\x21" + node.public_key for node in way[1:]]
    assert told[-1] == b"\x06\x20" + path_id


@given(st.integers(0, 2**64 - 1), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_what_a_hop_is_told_of_payments_is_read_as_it_was_written(scid: int, delta: int, rate: int, base: int) -> None:
    told = HopData._build(
        short_channel_id=scid,
        payment_relay=PaymentRelay(delta, rate, base),
        payment_constraints=PaymentConstraints(rate, scid),
    )
    assert HopData.from_bytes(told.to_bytes()) == told
    assert told.payment_relay == PaymentRelay(delta, rate, base)
    assert told.payment_constraints == PaymentConstraints(rate, scid)
    assert "PaymentRelay" in repr(told)


def test_nobody_else_reads_a_hops_data() -> None:
    path = message_path(PATH_KEY, [FRONT.public_key, SELF.public_key], bytes(32))
    with pytest.raises(RemoteProtocolError, match="another node") as caught:
        unblind(SELF.shared_secret(path.first_path_key), path.hops[0].encrypted_recipient_data)
    assert caught.value.hint is Hint.DROP


def test_a_node_that_is_there_twice_has_two_blinded_ids() -> None:
    first, second = message_path(PATH_KEY, [SELF.public_key] * 2, bytes(32)).hops
    assert first.blinded_node_id != second.blinded_node_id


@pytest.mark.parametrize("path_key", [bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32, b"\x01" * 31])
def test_refuses_a_path_key_that_is_no_private_key(path_key: bytes) -> None:
    with pytest.raises(ValueError, match="not a valid private key"):
        message_path(path_key, [SELF.public_key], bytes(32))


def test_refuses_a_node_id_that_is_no_point() -> None:
    with pytest.raises(ValueError, match="not a point on the curve"):
        message_path(PATH_KEY, [b"\x02" + b"\xff" * 32], bytes(32))


def test_refuses_a_path_without_hops() -> None:
    with pytest.raises(ValueError, match="at least one hop"):
        blind(PATH_KEY, [])
