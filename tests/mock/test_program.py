"""The program `lnstandin mock`, and scripts in files."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clnrpc import Client, RpcError
from lnstandin.mock import ScriptError
from lnstandin.mock.core import Standin
from lnstandin.mock.scriptfile import run_script
from tests.shared import ROOT

SCRIPT = """
from lnstandin.mock import RpcError

_paid = []

def script(mock):
    mock.on("listfunds").answer(outputs=[])

def xpay(params):
    if params["invstring"] in _paid:
        raise RpcError(207, "Already paid")
    _paid.append(params["invstring"])
    return {"payment_preimage": "00" * 32, "amount_msat": 1, "amount_sent_msat": 1, "failed_parts": 0,
            "successful_parts": 1}
"""


COMMAND = [sys.executable, "-m", "lnstandin", "mock"]


@contextmanager
def program(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run `lnstandin mock`, which has printed that it serves."""
    command = [*COMMAND, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        running.stdout.readline()
        try:
            yield running
        finally:
            running.kill()


def test_program_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    with program("--socket", tmp_path / "rpc") as running, Client(tmp_path / "rpc") as client:
        assert client.getinfo().version == "v26.09"
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
    assert not (tmp_path / "rpc").exists()


def test_program_ends_when_a_client_stops_it(tmp_path: Path) -> None:
    with program("--socket", tmp_path / "rpc") as running, Client(tmp_path / "rpc") as client:
        client.stop()
        assert running.wait(30) == 0


def test_program_answers_over_rest_before_it_ends(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="REST needs clnrpc[rest]")
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with program("--socket", tmp_path / "rpc", "--rest", place, "--rest-http") as running:
        with Client(tmp_path / "rpc") as client:
            rune = client.createrune().rune
        with Client(f"http://{place}", rune=rune) as client:
            client.stop()
        assert running.wait(30) == 0


def test_program_runs_a_script_as_another_release(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = ("--script", tmp_path / "script.py", "--as", "v25.12", "--seed", "7", "--no-examples")
    with program("--socket", tmp_path / "rpc", *arguments), Client(tmp_path / "rpc") as client:
        assert client.rpc_call("getinfo")["version"] == "v25.12"
        assert client.rpc_call("xpay", ["lni1"])["amount_msat"] == 1
        with pytest.raises(RpcError, match="Already paid"):
            client.rpc_call("xpay", ["lni1"])
        assert client.rpc_call("listfunds")["outputs"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "yesterday"], "'yesterday' does not name a release"),
        (["--rest", "nowhere"], "--rest: 'nowhere' is not HOST:PORT"),
        (["--script", "missing.py"], "missing.py: FileNotFoundError"),
        (["bench"], "bench: no rpc-schema documents there"),
    ],
)
def test_program_that_cannot_run_says_why(tmp_path: Path, arguments: list[str], message: str) -> None:
    command = [*COMMAND, "--socket", str(tmp_path / "rpc"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def xpayy(params): ...", "no command for the function xpayy; begin the names of other functions with _"),
        ("1 +", "SyntaxError"),
        ("def script(mock): mock.on('nope')", "script failed: ScriptError: there is no command 'nope'"),
    ],
)
def test_script_that_cannot_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "script.py"
    file.write_text(text)
    with pytest.raises(ScriptError, match=message):
        run_script(Standin(), file)


def test_function_named_with_underscores_answers_a_command_with_dashes(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text("def bkpr_listbalances(params): return {'accounts': []}")
    standin = Standin()
    run_script(standin, file)
    rule = standin.on("bkpr-listbalances")
    assert rule.method == "bkpr-listbalances"


def test_example_of_the_documentation_runs(tmp_path: Path) -> None:
    script = ROOT / "docs" / "examples" / "mock_script.py"
    with program("--socket", tmp_path / "rpc", "--script", script), Client(tmp_path / "rpc") as client:
        first = client.rpc_call("xpay", {"invstring": "lni1", "amount_msat": "5sat"})
        assert first["amount_sent_msat"] == 6000
        assert client.rpc_call("xpay", {"invstring": "lni1"}) == first
        with pytest.raises(RpcError, match="too expensive"):
            client.rpc_call("xpay", {"invstring": "lni2", "maxfee": 1})
        assert client.rpc_call("listfunds")["outputs"] == []
