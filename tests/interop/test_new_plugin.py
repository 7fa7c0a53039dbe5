"""The project that `rpcschema plugin new` writes, unchanged, as a plugin of lightningd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from tests.generator.commands import rpcschema
from tests.generator.packages import forget, imported
from tests.interop.conftest import Pair

NOBODY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
"""A point of the curve, which is no node's id."""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return the program of a new project, in a folder whose path has a space."""
    parent = tmp_path / "my plugins"
    parent.mkdir()
    done = rpcschema("plugin", "new", "tip-jar", cwd=parent)
    assert (done.returncode, done.stderr) == (0, "")
    return parent / "tip-jar" / "tip-jar"


@pytest.fixture
def client(pair: Pair, program: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start the plugin at the first node; return a client for its command."""
    pair.l1.client.rpc_call("plugin", {"subcommand": "start", "plugin": str(program)})
    monkeypatch.syspath_prepend(str(program.parent / "src"))
    try:
        with imported("tip_jar_rpc").Client(pair.l1.socket) as client:
            yield client
    finally:
        forget({"tip_jar_rpc"})
        pair.l1.client.rpc_call("plugin", {"subcommand": "stop", "plugin": str(program)})


def test_the_command_adds_up_the_nodes_channels(pair: Pair, client: Any) -> None:
    [channel] = [each for each in pair.l1.client.listpeerchannels().channels if each.state == "CHANNELD_NORMAL"]
    for capacity in (client.tip_jar_capacity(), client.tip_jar_capacity(peer_id=pair.l2.id)):
        assert capacity.channels == 1
        assert capacity.spendable_msat == channel.spendable_msat
        assert capacity.receivable_msat == channel.receivable_msat


def test_lightningd_knows_the_commands_usage_and_refuses_wrong_calls(pair: Pair, client: Any) -> None:
    [described] = pair.l1.client.rpc_call("help", {"command": "tip-jar-capacity"})["help"]
    assert described["command"].strip() == "tip-jar-capacity [peer_id]"
    with pytest.raises(RpcError, match=f"1: There is no open channel with {NOBODY}"):
        client.tip_jar_capacity(peer_id=NOBODY)
    with pytest.raises(RpcError, match="-32602: peer_id: should be a node id"):
        client.tip_jar_capacity(peer_id="nobody")


def test_its_option_is_dynamic(pair: Pair, client: Any) -> None:
    pair.l1.client.rpc_call("setconfig", {"config": "tip-jar-log", "val": "false", "transient": True})
    found = pair.l1.client.rpc_call("listconfigs", {"config": "tip-jar-log"})
    assert found["configs"]["tip-jar-log"]["value_bool"] is False
    assert client.tip_jar_capacity().channels == 1
