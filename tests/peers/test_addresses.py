"""Addresses that worked are remembered, from one start of the server to the next."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from clnrpc import RpcError
from lnoffers.net.address import Address
from lnoffers.service.peers import Peers, peers
from lnoffers.service.serving.address_book import KNOWN_SECONDS
from lnoffers.service.store import Store, addresses
from tests.bolt12.samples import NOW
from tests.peers.conftest import Served, Start
from tests.peers.stranger import REGTEST, key
from tests.service.program import Program, run, until
from tests.service.storing import OWNER

STORE = "lnoffers.sqlite3"


def stored(program: Program) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(program.network_dir / STORE)) as connection:
        return connection.execute("SELECT lower(hex(node_id)), host, port FROM addresses").fetchall()


def stopped(served: Served) -> Program:
    served.process.terminate()
    served.process.wait()
    return served.program


def test_connects_to_a_node_where_it_was_reached_before(start: Start) -> None:
    one, two = start(), start()
    one.client.connect(two.address)
    until(lambda: stored(one.program) == [(two.id, "127.0.0.1", two.port)])
    again = start(program=stopped(one))
    assert again.client.connect(two.id).direction == "out"
    again.client.disconnect(two.id)
    assert again.client.connect(two.id).direction == "out"


def test_a_later_address_replaces_an_earlier_one(start: Start) -> None:
    one, two = start(), start()
    one.client.connect(two.address)
    moved = start(program=stopped(two))
    until(lambda: not one.client.listpeers().peers)
    with pytest.raises(RpcError) as caught:
        one.client.connect(moved.id)
    assert (caught.value.code, "Connection refused" in caught.value.message) == (401, True)
    one.client.connect(moved.address)
    until(lambda: stored(one.program) == [(two.id, "127.0.0.1", moved.port)])


def test_neither_a_failure_nor_an_incoming_connection_is_remembered(start: Start) -> None:
    one, two = start(), start()
    two.client.connect(one.address)
    with pytest.raises(RpcError):
        one.client.connect(f"{key(7).public_key.hex()}@127.0.0.1:9")
    until(lambda: stored(two.program))
    assert stored(one.program) == []


def test_keeps_the_nodes_that_were_reached_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MAX_ADDRESSES", 3)
    made = [Address(key(number).public_key, "192.0.2.1", 1_000 + number) for number in range(1, 6)]
    store = Store.open(None, tmp_path / STORE, OWNER)
    with store.transaction() as connection:
        for at, address in enumerate(made):
            addresses.remember(connection, address, at)
        assert addresses.find(connection) == made[2:]
        addresses.remember(connection, made[2], 9)
        addresses.remember(connection, made[0], 10)
        assert addresses.find(connection) == [made[4], made[2], made[0]]
    store.close()


def times(program: Program) -> dict[str, int]:
    """Return when each node was reached as the store has it, in Unix seconds, by node id."""
    with closing(sqlite3.connect(program.network_dir / STORE)) as connection:
        return dict(connection.execute("SELECT lower(hex(node_id)), last_connected FROM addresses"))


def test_an_address_is_stored_again_only_after_a_day(start: Start) -> None:
    two, three = start(), start()
    one = start("--dev-time", str(NOW))
    one.client.connect(two.address)
    until(lambda: times(one.program) == {two.id: NOW})
    one.client.rpc_call("dev-inject", {"time": NOW + KNOWN_SECONDS - 1})
    one.client.disconnect(two.id)
    one.client.connect(two.address)
    one.client.connect(three.address)
    until(lambda: three.id in times(one.program))
    assert times(one.program)[two.id] == NOW
    one.client.rpc_call("dev-inject", {"time": NOW + KNOWN_SECONDS})
    one.client.disconnect(two.id)
    one.client.connect(two.address)
    until(lambda: times(one.program)[two.id] == NOW + KNOWN_SECONDS)


def test_as_many_addresses_are_held_as_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    assert peers.MAX_ADDRESSES == addresses.MAX_ADDRESSES
    monkeypatch.setattr(peers, "MAX_ADDRESSES", 3)
    made = [Address(key(number).public_key, "192.0.2.1", 1_000 + number) for number in range(1, 6)]
    ours = Peers(key(9), REGTEST, lambda _, __: None)
    for address in (*made, made[2]):
        ours._reached(address)
    assert [*ours.addresses.values()] == [made[3], made[4], made[2]]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("node_id = x'00'", "its node_id is not a node id"),
        ("host = ''", "its host is empty"),
        ("port = 0", "its port is 0"),
        ("port = 70000", "its port is 70000"),
        ("port = 'x'", "its port is not a number"),
        ("last_connected = 'x'", "its last_connected is not a number"),
    ],
)
def test_a_damaged_address_is_skipped_and_found_by_check_store(start: Start, change: str, fault: str) -> None:
    one, two, three = start(), start(), start()
    for other in (two, three):
        one.client.connect(other.address)
    until(lambda: len(stored(one.program)) == 2)
    program = stopped(one)
    with closing(sqlite3.connect(program.network_dir / STORE)) as connection, connection:
        connection.execute(f"UPDATE addresses SET {change} WHERE node_id = ?", (bytes.fromhex(two.id),))
    again = start(program=program)
    assert again.client.connect(three.id).direction == "out"
    with pytest.raises(RpcError) as caught:
        again.client.connect(two.id)
    assert caught.value.code == 400
    assert "Skipped: addresses" in again.log()
    outcome = run("check-store", *stopped(again).flags)
    assert outcome.code == 1
    assert fault in outcome.out + outcome.err
