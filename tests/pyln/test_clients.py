"""Clients that know nothing of this service drive it unchanged: pyln-client, and lightning-cli where there is one.

The session `pyln` runs this in an environment with pyln-client, which the service cannot live beside; LNOFFERS is the
program, in an environment of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client
from clnrpc import RpcError as OurRpcError
from tests.project.guides import pieces

pyln = pytest.importorskip("pyln.client", reason="the session pyln has it")
if "LNOFFERS" not in os.environ:
    pytest.skip("LNOFFERS names no program to serve with", allow_module_level=True)

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
SECRET = b"lightning-2".ljust(32, b"\0")
SECONDS = 60


@contextmanager
def served(directory: Path) -> Iterator[Path]:
    """Run a server on a directory during the block; yield the path of its socket."""
    network = directory / "regtest"
    network.mkdir(parents=True, exist_ok=True)
    (network / "hsm_secret").write_bytes(SECRET)
    (network / "hsm_secret").chmod(0o600)
    command = [os.environ["LNOFFERS"], "serve", "--lightning-dir", str(directory), "--network", "regtest"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith(b"Listening on ")
            yield network / "lightning-rpc"
        finally:
            if (network / "lightning-rpc").exists():
                server.terminate()
            assert server.wait(SECONDS) == 0


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lno") as directory, served(Path(directory)) as socket:
        yield socket


@pytest.fixture(scope="module")
def rpc(path: Path) -> Any:
    return pyln.LightningRpc(str(path))


NOT_BY_EXAMPLE = {
    *("dev-inject", "disconnect", "stop", "waitinvoice", "waitanyinvoice"),
    *("cancelrecurringinvoice", "fetchinvoice"),
}
"""Commands that are not there, end the server, name a peer that is not connected, or wait for a payment or a peer."""


def examples() -> list[Any]:
    """Return all examples of the service's documents, by name."""
    return [
        pytest.param(example, id=example["request"]["id"])
        for file in sorted(SCHEMAS.glob("*.json"))
        for example in json.loads(file.read_bytes()).get("examples", [])
        if example["request"]["method"] not in NOT_BY_EXAMPLE
    ]


@pytest.mark.parametrize("example", examples())
def test_each_documented_call_is_answered_in_the_documented_shape_or_by_an_error_of_the_command(
    rpc: Any, example: Any
) -> None:
    answer, error = outcome(rpc, **example["request"])
    if error is None:
        assert set(answer) == set(example["response"])
    else:  # it may be about a record that is not there
        assert error["code"] not in (-32600, -32601, -32602)


def outcome(rpc: Any, method: str, params: Any, **_: Any) -> tuple[Any, Any]:
    """Return the result of a call, and its error."""
    try:
        return rpc.call(method, params), None
    except pyln.RpcError as error:
        return None, error.error


def test_a_request_through_its_life_by_the_methods_of_pyln(rpc: Any) -> None:
    made = rpc.call("invoicerequest", {"amount": "1000sat", "description": "Ümlaut 🎉", "label": None})
    assert rpc.decode(made["bolt12"])["offer_description"] == "Ümlaut 🎉"
    listed = rpc.call("listinvoicerequests", {"invreq_id": made["invreq_id"]})
    assert listed == {"invoicerequests": [made]}
    assert rpc.call("disableinvoicerequest", [made["invreq_id"]])["active"] is False


def test_an_offer_through_its_life_by_the_methods_of_pyln(rpc: Any) -> None:
    made = rpc.offer("1000sat", "a cup of tea", label="tea")
    assert made.pop("created") is True
    assert rpc.listoffers(made["offer_id"]) == {"offers": [made | {"description": "a cup of tea"}]}
    assert rpc.disableoffer(made["offer_id"])["active"] is False
    assert rpc.call("enableoffer", [made["offer_id"]])["active"] is True


def test_waits_end_by_their_time_and_by_deletion(rpc: Any, path: Path) -> None:
    assert outcome(rpc, "waitanyinvoice", {"timeout": 0})[1]["code"] == 904
    example = json.loads((SCHEMAS / "createinvoice.json").read_bytes())["examples"][0]["request"]["params"]
    made, clash = outcome(rpc, "createinvoice", example | {"label": "to be deleted"})
    label = (made or clash["data"])["label"]  # the example may have made it already
    with ThreadPoolExecutor() as others:
        waiting = others.submit(outcome, pyln.LightningRpc(str(path)), "waitinvoice", [label])
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        assert rpc.delinvoice(label, "unpaid")["label"] == label
        assert waiting.result(SECONDS)[1]["code"] == -1


def test_an_error_has_its_code_and_message(rpc: Any) -> None:
    with pytest.raises(pyln.RpcError) as raised:
        rpc.call("disableinvoicerequest", {"invreq_id": "00" * 32})
    assert raised.value.error == {"code": -1, "message": "Unknown invoice_request"}
    with pytest.raises(pyln.RpcError) as raised:
        rpc.call("nosuch")
    assert raised.value.error == {"code": -32601, "message": "Unknown command 'nosuch'"}


def test_filters_by_call_and_by_block(rpc: Any) -> None:
    assert rpc.call("getinfo", filter={"network": True}) == {"network": "regtest"}
    with rpc.reply_filter({"network": True}):
        assert rpc.getinfo() == {"network": "regtest"}
    assert len(rpc.getinfo()) > 1


def test_check_and_help(rpc: Any) -> None:
    assert rpc.check("invoicerequest", amount=1, description="x") == {"command_to_check": "invoicerequest"}
    with pytest.raises(pyln.RpcError) as raised:
        rpc.check("invoicerequest", amount="x", description="x")
    assert raised.value.error["message"] == "amount: should be a millisatoshi amount: invalid token '\"x\"'"
    names = [told["command"].split()[0] for told in rpc.help()["help"]]
    assert names == sorted(names)
    assert [told["command"] for told in rpc.help("decode")["help"]] == ["decode string"]


def test_notifications_can_be_turned_on(rpc: Any) -> None:
    with rpc.notify(lambda **_: None):
        assert rpc.getinfo()["network"] == "regtest"


def test_both_clients_hear_the_same_in_one_process(rpc: Any, path: Path) -> None:
    with Client(path) as client:
        assert client.getinfo().id == rpc.getinfo()["id"]
        made = client.invoicerequest(amount=1000, description="x")
        (listed,) = rpc.call("listinvoicerequests", {"invreq_id": made.invreq_id})["invoicerequests"]
        assert listed["bolt12"] == made.bolt12
        with pytest.raises(OurRpcError) as ours:
            client.rpc_call("decode", ["x"])
        with pytest.raises(pyln.RpcError) as theirs:
            rpc.call("decode", ["x"])
        assert theirs.value.error == ours.value.as_json()


def test_a_socket_is_reached_by_a_path_longer_than_sockets_have(tmp_path: Path) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    with tempfile.TemporaryDirectory(prefix="lno") as directory:
        short = Path(directory, "short")
        short.symlink_to(long)
        with served(short):
            assert pyln.LightningRpc(str(long / "regtest" / "lightning-rpc")).getinfo()["network"] == "regtest"


def test_stop_ends_the_server() -> None:
    with tempfile.TemporaryDirectory(prefix="lno") as directory, served(Path(directory)) as path:
        assert pyln.LightningRpc(str(path)).stop() == {"result": "Shutdown complete"}
        assert not path.exists()


@pytest.fixture
def cli(path: Path) -> list[str]:
    program = shutil.which("lightning-cli")
    if program is None:
        pytest.skip("there is no lightning-cli on the PATH")
    return [program, f"--lightning-dir={path.parents[1]}", "--network=regtest"]


def told(cli: list[str], *arguments: str, code: int = 0) -> Any:
    done = subprocess.run([*cli, *arguments], capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout)


def test_lightning_cli_drives_the_commands(cli: list[str]) -> None:
    assert told(cli, "getinfo")["network"] == "regtest"
    made = told(cli, "invoicerequest", "1000sat", "a gift")
    assert told(cli, "-k", "listinvoicerequests", f"invreq_id={made['invreq_id']}") == {"invoicerequests": [made]}
    assert told(cli, "decode", made["bolt12"])["valid"] is True
    only = '--filter={"invoicerequests":[{"active":true}]}'
    assert {"active": True} in told(cli, only, "listinvoicerequests")["invoicerequests"]
    assert told(cli, "check", "decode", "x", code=1)["code"] == -32602
    assert told(cli, "disableinvoicerequest", made["invreq_id"])["active"] is False
    assert told(cli, "nosuch", code=1)["code"] == -32601


def test_the_how_to_of_plugins_types_the_payloads_of_pyln_client() -> None:
    [piece] = [piece for piece in pieces("write-a-plugin", "python") if "pyln" in piece]
    names: dict[str, Any] = {}
    exec(piece, names)
    lines: list[str] = []
    names["plugin"].log = lines.append
    opened = {"id": "02" * 33, "funding_msat": 5, "funding_txid": "00" * 32, "channel_ready": False}
    names["on_channel_opened"](names["plugin"], channel_opened=opened)
    htlc = {"short_channel_id": "1x1x1", "id": 0, "amount_msat": 7, "cltv_expiry": 1, "payment_hash": "00" * 32}
    assert names["on_htlc_accepted"](names["plugin"], htlc=htlc) == {"result": "continue"}
    assert lines == [f"{'02' * 33} opened a channel of 5 msat", "7 msat arrived"]
