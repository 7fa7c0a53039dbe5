"""The cases of BOLT 8, appendix A, byte for byte."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from lnoffers.bolt12.curve import KeyPair
from lnoffers.net.connection import PeerConnection
from lnoffers.net.errors import Hint, RemoteProtocolError
from lnoffers.net.frames import FrameReader, FrameWriter
from lnoffers.net.states import State
from tests.net.pairs import INIT, events
from tests.shared import SHARED, shared_path

FILE = "vectors/bolts/bolt08/transport.json"
CASES: list[dict[str, Any]] = json.loads((SHARED / FILE).read_text()) if (SHARED / FILE).exists() else []
HANDSHAKES = [case for case in CASES if "e.priv" in case["keys"]]
SAID = {
    "BAD_VERSION": "version 1",
    "READ_FAILED": "the peer closed the connection",
    "BAD_PUBKEY": "not a point on the curve",
    "BAD_TAG": "wrong tag",
    "BAD_CIPHERTEXT": "wrong ciphertext",
}


def begin(keys: dict[str, str]) -> PeerConnection:
    node, ephemeral = (KeyPair(bytes.fromhex(keys[name])) for name in ("ls.priv", "e.priv"))
    assert (node.public_key.hex(), ephemeral.public_key.hex()) == (keys["ls.pub"], keys["e.pub"])
    if "rs.pub" in keys:
        return PeerConnection.initiate(node, ephemeral, bytes.fromhex(keys["rs.pub"]), INIT)
    return PeerConnection.respond(node, ephemeral, INIT)


def keys_of(connection: PeerConnection) -> dict[str, str]:
    established = connection._established
    assert established is not None
    return {"sk": established.writer._keys._key.hex(), "rk": established.reader._keys._key.hex()}


def test_all_cases_are_there() -> None:
    shared_path(FILE)
    assert len(CASES) == 16
    assert len(HANDSHAKES) == 15


@pytest.mark.parametrize("case", HANDSHAKES, ids=lambda case: case["name"])
def test_shakes_hands_as_the_specification_does(case: dict[str, Any]) -> None:
    connection = begin(case["keys"])
    for step in case["steps"]:
        what, _, names = step["do"].partition(" ")
        if what == "output":
            expected = bytes.fromhex(step["hex"])
            assert connection.data_to_send()[: len(expected)] == expected
        elif what == "input":
            connection.receive_data(bytes.fromhex(step["hex"]))
            if case["steps"][-1]["do"] != "error" or step is not case["steps"][-2]:
                events(connection)
        elif what == "keys":
            assert keys_of(connection) == dict(zip(names.split(","), step["hex"].split(","), strict=True))
        else:
            reason = step["error"].split()[0].partition("_")[2]
            connection.receive_data(b"")  # a short read ends here; any other fault comes first
            with pytest.raises(RemoteProtocolError, match=SAID[reason]) as caught:
                events(connection)
            assert caught.value.hint is Hint.CLOSE
            assert connection.state is State.FAILED
            assert connection.data_to_send() == b""


def test_frames_are_the_specifications_across_two_changes_of_the_key() -> None:
    shared_path(FILE)
    [case] = [case for case in CASES if case not in HANDSHAKES]
    chaining_key, sending, receiving = (bytes.fromhex(case["keys"][name]) for name in ("ck", "sk", "rk"))
    assert sending != receiving
    expected = {step["message"]: step["hex"] for step in case["steps"]}
    writer, reader, buffer = FrameWriter(chaining_key, sending), FrameReader(chaining_key, sending), bytearray()
    for index in count():
        if index > max(expected):
            break
        frame = writer.frame(b"hello")
        if index in expected:
            assert frame.hex() == expected[index]
        buffer += frame
        assert reader.read(buffer) == b"hello"
