"""The examples in the README and the how-tos run as they stand there, and pass `mypy --strict`."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client
from lnoffers.bolt12 import KeyPair
from lnstandin.mock import Mock
from tests.conform import standin
from tests.project.guides import PAGES, files, pieces, program, write_greeting, write_programs
from tests.runtime.node import Connection, ScriptedNode
from tests.runtime.paying import HASH, PREIMAGE, listed
from tests.service.program import SECONDS, Program
from tests.shared import ROOT

PROGRAMS = Path(sys.executable).parent
IN_SHELL = {
    "README": 3,
    "call-over-rest": 3,
    "check-documents-against-a-node": 2,
    "edit-documents-in-an-editor": 1,
    "export-to-openapi-openrpc-json-schema": 1,  # by tests/exports/test_guide.py
    "fetch-an-invoice": 2,
    "find-what-a-release-breaks": 2,  # by tests/scan/test_command.py
    "from-atm-to-wallet": 13,
    "pay-through-a-node": 1,
    "price-in-a-currency": 2,
    "run-the-service": 6,
    "test-against-it": 3,
    "write-a-plugin": 1,
    "write-your-own-target": 2,  # by tests/exports/test_guide.py
}
"""How many pieces of shell a page has that the tests below run, or those that a comment names."""
ELSEWHERE = ("LIGHTNINGD=", "git clone", "lnoffers fetch", "npm install", "pip install", "python3 noxfile.py")
"""How pieces begin that need the network or a node, or that CI runs."""
PATIENCE = 600
"""Seconds that a script may take on a busy machine."""


@pytest.fixture
def home() -> Iterator[Path]:
    """Yield a home directory whose path leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(prefix="home") as folder:
        yield Path(folder)


def shell(script: str, home: Path, **environment: str) -> str:
    """Run a script in the home directory, in a shell that stops at the first error; return what it prints."""
    settings = os.environ | environment | {"HOME": str(home), "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=home, env=settings, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(command: str, home: Path, **environment: str) -> Iterator[None]:
    """Run `lnoffers serve`, as a page has it, during the block."""
    settings = os.environ | environment | {"HOME": str(home), "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    command = f"exec {command.removesuffix('&')}"
    with subprocess.Popen(["bash", "-euc", command], cwd=home, env=settings, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith(b"Listening on ")
            yield
        finally:
            server.terminate()
            assert server.wait(SECONDS) == 0


def test_python_passes_mypy_strict(tmp_path: Path) -> None:
    files = write_programs(tmp_path)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", *map(str, files)]
    folders = (*(ROOT / folder for folder in ("generated", "core", "testing")), write_greeting(tmp_path))
    paths = os.pathsep.join(map(str, folders))
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"MYPYPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if program(page)])
def test_every_page_with_python_is_run_here(page: str) -> None:
    assert page in {
        "README",
        "call-over-rest",
        "call-from-tasks-threads-and-processes",
        "connect-to-a-node",
        "export-to-openapi-openrpc-json-schema",  # by tests/exports/test_guide.py
        "fetch-an-invoice",
        "handle-errors",
        "move-from-pyln-client",
        "observe-calls",
        "read-answers-of-other-versions",
        "read-long-lists",
        "test-against-it",
        "use-bolt12",
        "write-a-plugin",
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_piece_of_shell_is_run_here(page: str) -> None:
    run_here = [piece for piece in pieces(page, "sh") if not piece.startswith(ELSEWHERE)]
    assert len(run_here) == IN_SHELL.get(page, 0)


def run_python(page: str, home: Path) -> str:
    """Run the program of a page; return what it prints."""
    file = home / "program.py"
    file.write_text(program(page), encoding="utf-8")
    return shell(f"{sys.executable} {file}", home)


def test_the_readmes_python_runs(home: Path) -> None:
    directory = home / ".lightning"
    with Program(directory).served():
        printed = run_python("README", home).splitlines()
    assert printed[0].startswith("lnr1")
    assert printed[0].endswith(" True")
    assert printed[1] == "coffee None"
    assert printed[2].endswith(" {}")
    assert printed[3].startswith('regtest {"id":"')
    assert printed[4].startswith("250000 coffee ")


def test_the_readmes_service_runs(home: Path) -> None:
    start, calls = [piece for piece in pieces("README", "sh") if piece.startswith("lnoffers ")]
    init, serve = start.splitlines()
    others = calls.splitlines()
    if shutil.which("lightning-cli") is None:
        others = [line for line in others if not line.startswith("lightning-cli")]
    assert "hsm_secret" in shell(init, home)
    with serving(serve, home):
        printed = shell("\n".join(others), home)
    assert '"bolt12": "lnr1' in printed
    assert '"offer_description": "coffee"' in printed
    assert "lightning-offer - " in printed


def test_the_readmes_generator_runs(home: Path) -> None:
    [script] = [piece for piece in pieces("README", "sh") if "rpcschema" in piece]
    shutil.copytree(ROOT / "schemas", home / "schemas", ignore=shutil.ignore_patterns("cln"))
    shell(script, home)
    assert (home / "mine" / "mynode" / "client.py").exists()


def test_the_guide_to_check_documents_runs(home: Path) -> None:
    alone, together = pieces("check-documents-against-a-node", "sh")
    documents = standin.write(home / "my-documents", standin.DOCUMENTS)
    sockets = [home / folder / "regtest" / "lightning-rpc" for folder in (".lightning", "l1", "l2", "l3")]
    with ExitStack() as stack:
        for socket_path in sockets:
            socket_path.parent.mkdir(parents=True)
            mock = stack.enter_context(standin.node(documents, socket_path))
            mock.add_command("plugin", "subcommand [plugin]")
            mock.on("plugin").answer({})
        for script in (alone, together):
            printed = shell(script, home)
            assert printed.startswith(
                "Note: commands that no document describes (1)\n  plugin\n\nCompared: the parameters of 7"
            )


def test_the_bolt12_guide_runs(home: Path) -> None:
    run_python("use-bolt12", home)


def test_the_guide_to_fetching_says_why_no_invoice_came(home: Path) -> None:
    """No node of that id listens on this machine."""
    assert run_python("fetch-an-invoice", home).count("\n") == 1


def test_the_service_fetches_as_the_guide_says(home: Path) -> None:
    issuer, payer = Program(home / "issuer"), Program(home / ".lnoffers")
    with issuer.served("--addr", "127.0.0.1:0"), payer.served(), Client(issuer.socket) as client:
        info = client.getinfo()
        [port] = [binding.port for binding in info.binding or () if binding.port]
        texts = (
            client.offer("1sat", description="one coffee").bolt12,
            client.offer("1sat", description="the newspaper", recurrence="1day").bolt12,
        )
        scripts = pieces("fetch-an-invoice", "sh")[1:]
        for script, text, wanted in zip(scripts, texts, ('"changes": {}', '"counter": 1'), strict=True):
            here = script.replace("call ", "call --network regtest ").replace("lno1...", text)
            assert wanted in shell(re.sub(r"02ab\S+", f"{info.id}@127.0.0.1:{port}", here), home)


def test_a_node_that_pays_is_named_as_the_guide_says(home: Path) -> None:
    """The options are valid, and only the node is missing; the tests of `interop` have one."""
    [script] = pieces("pay-through-a-node", "sh")
    via = f"{'02' + '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}@127.0.0.1:9"
    printed = shell(f"{{ {script.strip().replace('ID@HOST:PORT', via)}; }} 2>&1 || echo stopped", home)
    assert "--backend cln:" in printed
    assert ".lightning/bitcoin/lightning-rpc: there is no such socket" in printed
    assert printed.endswith("stopped\n")


class Withdrawal:
    """The guide to a withdrawal: its pieces of shell, with the strings that a reader puts in."""

    def __init__(self, home: Path) -> None:
        self._home = home
        scripts = pieces("from-atm-to-wallet", "sh")
        self.atm, self.wallet, self._start, self._connect, self._ask, self.send, *self.others = scripts
        self._names = "".join(line for line in self._start.splitlines(keepends=True) if "()" in line)

    def call(self, script: str, **strings: str) -> Any:
        for placeholder, string in strings.items():
            script = re.sub(rf"\b{placeholder}\b(\.\.\.)?", string, script)
        return json.loads(shell(self._names + script, self._home))

    @contextmanager
    def served(self, atm: str) -> Iterator[str]:
        """Run the ATM and the wallet, which are connected, and yield a request."""
        with serving(atm.replace(":9801", ":0"), self._home), serving(self.wallet, self._home):
            info = json.loads(shell(self._start, self._home))
            [port] = [binding["port"] for binding in info["binding"] if "port" in binding]
            assert self.call(self._connect.replace("9801", str(port)), ID=info["id"])["id"] == info["id"]
            yield self.call(self._ask)["bolt12"]


def test_a_wallet_withdraws_from_an_atm_once_and_the_payment_is_proved(home: Path) -> None:
    guide = Withdrawal(home)
    listing, again, prove, verify, *_ = guide.others
    with guide.served(guide.atm) as request:
        paid = guide.call(guide.send, lnr1=request)
        assert (paid["status"], paid["amount_received_msat"]) == ("paid", 21_000_000)
        [listed] = guide.call(listing)["invoicerequests"]
        assert (listed["used"], listed["active"]) == (True, False)
        [payment] = listed["payments"]
        assert (payment["state"], payment["invoice"]) == ("paid", paid["bolt12"])
        refused = guide.call(f"{again.strip()} || test $? = 1", lnr1=request)
        assert refused["code"] == 1004
        assert "Single-use invoice_request already paid with " in refused["message"]
        [proof] = guide.call(prove, lni1=payment["invoice"])["proofs"]
    shown = guide.call(verify, lnp1=proof["bolt12"])
    assert (shown["valid"], shown["proof_preimage"]) == (True, paid["payment_preimage"])


def test_a_withdrawal_is_paid_by_hand(home: Path) -> None:
    """The person pays with a wallet that shows the preimage. Here the payee's store does that."""
    guide = Withdrawal(home)
    listing, *_, look, begin, record = guide.others
    with guide.served(guide.atm.replace(" --backend play", "")) as request:
        refused = guide.call(f"{guide.send.strip()} || test $? = 1", lnr1=request)
        assert "the invoice waits for somebody to pay it by hand" in refused["message"]
        [waiting] = guide.call(look)["payments"]
        assert (waiting["state"], waiting["amount_msat"]) == ("claimed", 21_000_000)
        [begun] = guide.call(begin, HASH=waiting["payment_hash"])["payments"]
        assert begun["state"] == "paying"
        with closing(sqlite3.connect(home / "wallet" / "regtest" / "lnoffers.sqlite3")) as store:
            [preimage] = store.execute("SELECT payment_preimage FROM invoices").fetchone()
        guide.call(record, HASH=waiting["payment_hash"], PREIMAGE=preimage.hex())
        [listed] = guide.call(listing)["invoicerequests"]
        assert (listed["used"], listed["active"]) == (True, False)


def test_the_plugin_guide_runs_as_a_module(home: Path) -> None:
    """As a program it waits for lightningd; another test does what lightningd does."""
    (home / "guide.py").write_text(program("write-a-plugin"), encoding="utf-8")
    printed = shell(f"{sys.executable} -c 'import guide; print(guide.Watcher().rpc_manifest()[\"hooks\"])'", home)
    assert "'filters': ['pay', 'xpay'], 'before': ['other.py']" in printed


def test_calls_are_made_from_tasks_threads_and_processes(home: Path) -> None:
    with Program(home / ".lightning").served():
        printed = run_python("call-from-tasks-threads-and-processes", home).splitlines()
    assert printed[0].startswith("waitanyinvoice: no response within 0.5 seconds")
    assert printed[1:7] == [
        *("regtest bolt12 offer", "nothing was paid yet", "regtest", "{'bolt12 offer'}", "regtest", "regtest")
    ]
    assert printed[7].startswith("disableoffer: ")
    assert len(printed) == 8


def test_a_node_is_reached_by_its_directory_and_over_rest(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    options = "--lightning-dir .lightning --network regtest"
    with serving(f"lnoffers serve {options} --rest 127.0.0.1:{port}", home):
        rune = json.loads(shell(f"lnoffers call {options} createrune", home))["rune"]
        (home / "rune").write_text(f"{rune}\n", encoding="utf-8")
        (home / "program.py").write_text(program("connect-to-a-node").replace("3010", port), encoding="utf-8")
        printed = shell(f"{sys.executable} program.py", home).splitlines()
    assert printed == ["regtest"] * 3 + [
        "waitanyinvoice: no response within 0.5 seconds; the command may still be carried out",
        "[]",
    ]


def test_calls_are_logged_and_traced(home: Path) -> None:
    with Program(home / ".lightning").served():
        (home / "program.py").write_text(program("observe-calls"), encoding="utf-8")
        printed = shell(f"{sys.executable} program.py 2>&1", home).splitlines()
        assert re.fullmatch(r"INFO:node:getinfo: \d+ ms, 2 bytes sent, \d+ received, 1 attempts", printed[0])
        assert re.fullmatch(r"WARNING:node:disableoffer failed after \d+ ms: GenericError", printed[1])
        [tracing] = [piece for piece in pieces("observe-calls", "python") if "opentelemetry" in piece]
        assert len([line for line in tracing.splitlines() if line and "import" not in line]) <= 10
        spans = home / "opentelemetry"
        spans.mkdir()
        (spans / "__init__.py").write_text(SPANS, encoding="utf-8")
        (home / "traced.py").write_text(
            f"{program('observe-calls')}\n{tracing}\n"
            "with Client(path, on_call=[Traced()]) as client:\n    client.getinfo()\n"
            "    try:\n        client.disableoffer('00' * 32)\n    except RpcError:\n        pass\n",
            encoding="utf-8",
        )
        traced = shell(f"{sys.executable} traced.py", home).splitlines()
    # The result's size is an attribute, the error is recorded, and both spans end.
    assert traced[0] == "begin getinfo"
    assert traced[1].startswith("rpc.response.size ")
    assert traced[2:] == [*("end getinfo", "begin disableoffer", "rpc.response.size 0", "record", "end disableoffer")]


SPANS = """
class Span:
    def __init__(self, name): self.name = name; print("begin", name)
    def set_attribute(self, name, value): print(name, value)
    def record_exception(self, error): assert isinstance(error, BaseException); print("record")
    def end(self): print("end", self.name)

class Tracer:
    def start_span(self, name): return Span(name)

class trace:
    get_tracer = staticmethod(lambda name: Tracer())
"""
"""A stand-in for opentelemetry-api, with the methods that the page uses."""


def test_long_lists_are_read_in_pages(home: Path) -> None:
    with Program(home / ".lightning").served():
        assert run_python("read-long-lists", home) == "0 msat received\n0 invoices\n"


def test_what_moves_from_pyln_client_runs(home: Path) -> None:
    """The session pyln compares what both packages print."""
    folder = home / ".lightning" / "regtest"
    folder.mkdir(parents=True)
    with Mock(socket=folder / "lightning-rpc") as mock:
        mock.on("listforwards").answer(forwards=[])
        printed = run_python("move-from-pyln-client", home).splitlines()
    assert printed[-1] == "unknown: Unknown command 'summary'"


def test_answers_of_other_versions_are_read(home: Path) -> None:
    results: dict[str, Any] = {
        "getinfo": {"id": "02" * 33, "version": "v24.11"},
        "listclosedchannels": {"closedchannels": [{"channel_id": "00" * 32}]},
        "decode": {"type": "bolt13 offer", "valid": True},
        "listfunds": {"outputs": [{"txid": "00" * 32, "new_field": 1}], "channels": []},
    }

    def answer(connection: Connection) -> None:
        with suppress(EOFError):
            while True:
                request = connection.read()
                connection.answer(request, results[request["method"]])

    folder = home / ".lightning" / "regtest"
    folder.mkdir(parents=True)
    with ScriptedNode(folder / "lightning-rpc", answer):
        printed = run_python("read-answers-of-other-versions", home).splitlines()
    assert printed[:4] == ["a bolt13 offer", "{'outputs[0].new_field': 1}", "{'new_field': 1}", "1"]
    assert json.loads(printed[4]) == results["listfunds"]


def test_errors_are_handled(home: Path) -> None:
    results: dict[str, Any] = {
        "getinfo": {"version": "v26.09"},
        "invoice": (900, {"payment_hash": "00" * 32}),
        "withdraw bcrt1qnobody": (301, None),
        "withdraw bcrt1qsomebody": (-1, None),
        "decode": {"type": "bolt12 invoice", "invoice_payment_hash": HASH},
        "xpay lni1tea": (219, None),
        "xpay lni1cake": (207, None),
        "listpays": {"pays": [listed("complete")]},
    }

    def answer(connection: Connection) -> None:
        with suppress(EOFError):
            while True:
                request = connection.read()
                params = request["params"]
                about = params.get("destination", params.get("invstring"))
                result = results[f"{request['method']} {about}" if about else request["method"]]
                if isinstance(result, tuple):
                    error = {"code": result[0], "message": "no", "data": result[1]}
                    connection.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}) + "\n\n")
                else:
                    connection.answer(request, result)

    folder = home / ".lightning" / "regtest"
    folder.mkdir(parents=True)
    with ScriptedNode(folder / "lightning-rpc", answer):
        printed = run_python("handle-errors", home).splitlines()
    assert printed == [
        f"900 {'00' * 32}",
        "not sent: withdraw: 301: no",
        "look for it on the chain before you send again: withdraw: -1: no",
        f"paid: {PREIMAGE}, fee 1 msat",
        "not paid: xpay: 207: no",
    ]


def test_an_offer_is_priced_in_a_currency(home: Path) -> None:
    [rates], [serve, call] = pieces("price-in-a-currency", "json"), pieces("price-in-a-currency", "sh")
    (home / "rates.json").write_text(rates)
    with serving(serve, home):
        printed = shell(call, home)
    assert '"active": true' in printed


def test_the_service_is_kept(home: Path) -> None:
    init, serve, serve_peers, back_up, compare, check = pieces("run-the-service", "sh")
    shell(init, home)
    peer = f"{KeyPair(bytes([7]) * 32).public_key.hex()}@127.0.0.1:9"
    with serving(serve_peers.replace("ID@HOST:PORT", peer).replace(":9735", ":0"), home):
        assert json.loads(shell("lnoffers call listpeers", home)) == {"peers": []}
    with serving(serve, home):
        shell(back_up.replace("/mnt/copies", str(home)), home)
        assert json.loads(shell(compare, home)) == {"payments": []}
        shell(check, home)
    assert list(home.glob("offers-*.sqlite3"))


def test_the_service_is_called_over_rest(home: Path) -> None:
    """curl may be missing; then Python makes the calls alone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    serve, restrict, call = pieces("call-over-rest", "sh")
    (home / "program.py").write_text(program("call-over-rest").replace("3010", port), encoding="utf-8")
    with serving(serve.replace("3010", port), home):
        rune = json.loads(shell(restrict, home))["rune"]
        offers = []
        if shutil.which("curl"):
            printed = shell(call.replace("3010", port), home, rune=rune)
            offers = re.findall(r'"bolt12":"(lno1[0-9a-z]+)"', printed)
            assert len(offers) == 2
        printed = shell(f"{sys.executable} program.py", home, RUNE=rune)
    assert sorted(printed.split()) == sorted(offers)


@pytest.fixture
def wallet(home: Path) -> Path:
    """Return a folder with the files of the guide to tests."""
    for name, text in files("test-your-wallet").items():
        (home / name).write_text(text, encoding="utf-8")
    return home


def test_a_wallet_is_tested_in_python(wallet: Path) -> None:
    assert "9 passed" in shell(f"{sys.executable} -m pytest -p no:cacheprovider", wallet)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_wallet_is_tested_in_javascript(wallet: Path) -> None:
    assert "# pass 1\n" in shell("node --test --test-reporter=tap", wallet)


def test_the_service_stands_in_tests(home: Path) -> None:
    start, call, inject = pieces("test-against-it", "sh")
    make_folder, set_entropy, serve = start.splitlines()
    folder = shell(f'{make_folder}; echo "$dir"', home).strip()
    try:
        with serving(serve, home, dir=folder, entropy=set_entropy.removeprefix("entropy=")):
            assert json.loads(shell(call, home, dir=folder))["active"] is True
            assert json.loads(shell(inject, home, dir=folder)) == {}
    finally:
        shutil.rmtree(folder)


def test_the_service_stands_in_tests_without_a_process(home: Path) -> None:
    printed = [run_python("test-against-it", home) for _ in range(2)]
    assert printed[0].startswith("lnr1")
    assert printed[0] == printed[1]
