"""connect, disconnect, listpeers and ping, between servers in processes of their own."""

from __future__ import annotations

from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers.net.features import OFFERED
from tests.peers.conftest import Served, Start
from tests.peers.stranger import key
from tests.service.program import Program, run, until

NOBODY = key(7).public_key.hex()


def test_both_sides_list_a_connection(start: Start) -> None:
    one, two = start(), start()
    made = one.client.connect(two.id, host="127.0.0.1", port=two.port)
    assert (made.id, made.features, made.direction) == (two.id, OFFERED.hex(), "out")
    assert (made.address.type, made.address.address, made.address.port) == ("ipv4", "127.0.0.1", two.port)
    [theirs] = one.client.listpeers().peers
    assert (theirs.id, theirs.netaddr, theirs.connected) == (two.id, [f"127.0.0.1:{two.port}"], True)
    [ours] = two.client.listpeers().peers
    assert ours.id == one.id
    assert one.client.getinfo().num_peers == two.client.getinfo().num_peers == 1
    assert one.client.listpeers(id=one.id).peers == []


def test_connecting_again_finds_the_connection(start: Start) -> None:
    one, two = start(), start()
    made = one.client.connect(two.address)
    assert one.client.connect(two.id) == made
    assert one.client.connect(f"{two.id}@127.0.0.1:9") == made
    assert two.client.connect(one.id).direction == "in"


def test_either_side_ends_a_connection(start: Start) -> None:
    one, two = start(), start()
    for side, other in ((one, two), (two, one)):
        one.client.connect(two.address)
        until(lambda: two.client.listpeers().peers)
        side.client.disconnect(other.id)
        assert side.client.listpeers().peers == []
        until(lambda other=other: not other.client.listpeers().peers)


def test_a_ping_says_how_long_its_pong_was(start: Start) -> None:
    one, two = start(), start()
    one.client.connect(two.address)
    assert one.client.ping(two.id).totlen == 132
    assert one.client.ping(two.id, len=0, pongbytes=0).totlen == 4
    assert one.client.ping(two.id, len=65_529, pongbytes=65_531).totlen == 65_535
    assert one.client.ping(two.id, pongbytes=65_532).totlen == 0


def test_a_node_that_was_named_at_the_start_is_connected_again_when_it_is_back(start: Start) -> None:
    two = start()
    one = start("--peer", two.address)
    until(lambda: one.client.listpeers().peers)
    two.process.terminate()
    two.process.wait()
    until(lambda: not one.client.listpeers().peers)
    again = start("--addr", f"127.0.0.1:{two.port}", program=two.program)
    until(lambda: again.client.listpeers().peers)
    one.client.disconnect(two.id)
    until(lambda: again.client.listpeers().peers)


@pytest.mark.parametrize(
    ("method", "params", "code", "text"),
    [
        ("connect", [NOBODY], 400, "Unable to connect, no address known for peer"),
        ("connect", [NOBODY, "127.0.0.1", 9], 401, "All addresses failed: 127.0.0.1:9: Connection refused"),
        (
            "connect",
            [f"{NOBODY}@127.0.0.1:9", "x"],
            -32602,
            "Can't specify host as both xxx@yyy and separate argument",
        ),
        ("connect", {"id": NOBODY, "port": 9}, -32602, "Can't specify port without host"),
        (
            "connect",
            [f"{NOBODY}@127.0.0.1:x"],
            -32602,
            "malformed host @part: the port should be a number from 1 to 65535",
        ),
        ("connect", ["xx"], -32602, "id: should be a node id: invalid token (see logs for details)"),
        ("connect", [NOBODY, "a..b"], -1, "Host a..b:19846 not valid: not a host name"),
        ("disconnect", [NOBODY], -32602, f"Unknown peer '{NOBODY}'"),
        ("disconnect", ["xx"], -32602, "id: invalid peer id: invalid token (see logs for details)"),
        ("ping", [NOBODY], -1, "Peer not connected"),
        ("ping", [NOBODY, 65_530], -32602, "65530 would result in oversize ping"),
        (
            "listpeers",
            [NOBODY, "xx"],
            -32602,
            "level: should be 'io', 'debug', 'info', or 'unusual': invalid token (see logs for details)",
        ),
    ],
)
def test_refuses_as_the_node_does(start: Start, method: str, params: Any, code: int, text: str) -> None:
    with pytest.raises(RpcError) as caught:
        start().client.rpc_call(method, params)
    assert (caught.value.code, caught.value.message) == (code, text)


def test_row_25_a_node_does_not_connect_to_itself(start: Start) -> None:
    one = start()
    with pytest.raises(RpcError) as caught:
        one.client.connect(one.address)
    assert (caught.value.code, caught.value.message) == (401, "All addresses failed: this is the node's own id")


def test_row_37_a_failed_connection_has_a_reason_and_no_step(start: Start) -> None:
    with pytest.raises(RpcError) as caught:
        start().client.connect(f"{NOBODY}@127.0.0.1:9")
    assert (caught.value.code, caught.value.message) == (401, "All addresses failed: 127.0.0.1:9: Connection refused")


def test_without_a_server_no_node_is_connected(program: Program) -> None:
    assert program.call("listpeers").json == {"peers": []}
    outcome = program.call("connect", NOBODY)
    assert outcome.code == 1
    assert outcome.json["message"].startswith("No server is running")


@pytest.mark.parametrize("address", ["", "127.0.0.1:70000", "127.0.0.1:x", "[::1]x"])
def test_refuses_to_listen_at_what_is_no_address(program: Program, address: str) -> None:
    outcome = run("serve", *program.flags, "--addr", address)
    assert outcome.code == 2
    assert "--addr" in outcome.err


def test_says_where_it_cannot_listen(start: Start, program: Program) -> None:
    taken = start().port
    outcome = run("serve", *program.flags, "--addr", f"127.0.0.1:{taken}")
    assert outcome.code == 2
    assert f"127.0.0.1:{taken}" in outcome.err


def test_two_nodes_that_name_each_other_stay_connected(start: Start) -> None:
    one, two = start(), start()
    again = start("--addr", f"127.0.0.1:{two.port}", "--peer", one.address, program=stopped(two))
    other = start("--addr", f"127.0.0.1:{one.port}", "--peer", again.address, program=stopped(one))
    until(lambda: again.client.listpeers().peers and other.client.listpeers().peers)


def stopped(served: Served) -> Program:
    """Stop a server, and return the program that can start it again."""
    served.process.terminate()
    served.process.wait()
    return served.program
