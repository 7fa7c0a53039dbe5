"""The directory or socket that a client is given."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rpcschema.runtime.client.address import find_socket
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.errors import CannotConnectError
from tests.runtime.node import ScriptedNode, echo


class Client(BaseClient):
    rpc_package = "none"


@pytest.mark.parametrize("given", [".", "regtest", "regtest/lightning-rpc"])
def test_finds_the_socket_in_a_lightning_directory_and_in_that_of_a_network(socket_path: Path, given: str) -> None:
    folder = socket_path.parent
    (folder / "regtest").mkdir()
    (folder / "bitcoin").mkdir()
    (folder / "config").write_text("")
    with ScriptedNode(folder / "regtest" / "lightning-rpc", echo), Client(folder / given) as client:
        assert client.rpc_call("a")["method"] == "a"


def test_expands_the_home_directory(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(socket_path.parent))
    with ScriptedNode(socket_path, echo), Client("~/lightning-rpc") as client:
        assert client.rpc_call("a")["method"] == "a"


def test_searches_the_directory_at_each_connection(socket_path: Path) -> None:
    client = Client(socket_path.parent)
    with pytest.raises(CannotConnectError, match=r"there is no lightning-rpc in .*; is the node running"):
        client.rpc_call("a")
    with ScriptedNode(socket_path, echo), client:
        assert client.rpc_call("a")["method"] == "a"


def test_several_networks_are_listed(socket_path: Path) -> None:
    for network in ("bitcoin", "regtest"):
        (socket_path.parent / network).mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(socket_path.parent / network / "lightning-rpc"))
    with pytest.raises(
        CannotConnectError, match=r"several networks .*/bitcoin/lightning-rpc, .*/regtest/lightning-rpc"
    ):
        Client(socket_path.parent).rpc_call("a")


def test_a_path_without_anything_stays(tmp_path: Path) -> None:
    assert find_socket(f"{tmp_path}/none") == f"{tmp_path}/none"
