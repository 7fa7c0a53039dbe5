"""The program: what it prints, its exit codes, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lnstandin.conform.documents import as_followed, read_documents
from lnstandin.conform.safe import TABLE
from lnstandin.conform.watcher import NOT_WATCHED, Watcher
from lnstandin.mock import Mock
from tests.conform.standin import DOCUMENTS, node, write
from tests.shared import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of documents."""
    return write(tmp_path / "documents", DOCUMENTS)


@pytest.fixture
def mock(folder: Path) -> Iterator[Mock]:
    """Return a running node that follows them."""
    with node(folder) as running:
        yield running


def conform(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lnstandin", "conform", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_exits_with_0_where_nothing_differs_and_is_silent_but_for_what_was_compared(folder: Path, mock: Mock) -> None:
    done = conform(folder, "--socket", mock.socket)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Compared: the parameters of 7 commands; ")


def test_exits_with_1_and_a_table_where_something_differs(folder: Path, mock: Mock) -> None:
    mock.on("listpeers").answer({"peers": [{"id": 1}]}, check=False)
    done = conform(folder, "--socket", mock.socket)
    assert (done.returncode, done.stderr) == (1, "")
    assert "  listpeers  response.peers[].id  pubkey" in done.stdout


def test_exits_with_0_and_a_note_for_a_field_that_a_document_allows_and_declares_nowhere(
    tmp_path: Path, mock: Mock
) -> None:
    allowing = write(tmp_path / "allowing", DOCUMENTS)
    document = json.loads((allowing / "listforwards.json").read_text())
    document["response"]["properties"]["format-hint"] = {}
    (allowing / "listforwards.json").write_text(json.dumps(document))
    mock.on("listforwards").answer({"forwards": [], "format-hint": "simple"}, check=False)
    done = conform(allowing, "--socket", mock.socket)
    assert (done.returncode, done.stderr) == (0, "")
    assert "  listforwards  response.format-hint  allows it, but declares it nowhere" in done.stdout


def test_prints_json(folder: Path, mock: Mock) -> None:
    mock.on("delinvoice").fail(999, "No invoice")
    done = conform(folder, "--socket", mock.socket, "--json")
    assert done.returncode == 1
    assert [finding["kind"] for finding in json.loads(done.stdout)["findings"]] == ["error-code"]


def test_exits_with_2_where_it_cannot_run_and_says_why(folder: Path, mock: Mock, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.json").write_text("{")
    mock.on("help").answer({"help": 5}, check=False).then.fail(-1, "Not today")
    for schemas, socket, why in (
        (folder, tmp_path / "nowhere", "nowhere: no reply to getinfo"),
        (tmp_path / "empty", mock.socket, "empty: error: no *.json file in it"),
        (tmp_path / "bad", mock.socket, "some documents cannot be used:"),
        (folder, mock.socket, "the node's answer to help is not a list of commands"),
        (folder, mock.socket, "the node does not answer help: error -1: Not today"),
    ):
        done = conform(schemas, "--socket", socket)
        assert (done.returncode, done.stdout) == (2, "")
        assert why in done.stderr
        assert "Traceback" not in done.stderr


def test_side_effects_are_refused_where_there_is_money_before_anything_is_done(folder: Path, mock: Mock) -> None:
    info = {"version": "v26.06", "network": "bitcoin", "id": "02" * 33}
    mock.on("getinfo").answer(info, check=False)
    done = conform(folder, "--socket", mock.socket, "--with-side-effects")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it needs nodes on regtest; this one is on bitcoin" in done.stderr
    assert {call.method for call in mock.calls} == {"getinfo"}


def test_no_command_but_the_safe_ones_is_called_without_side_effects() -> None:
    with Mock() as complete:
        conform(ROOT / "schemas", "--socket", complete.socket)
        calls = list(complete.calls)
    assert {call.method for call in calls} - {"lnstandin-no-such-command"} <= set(TABLE)
    assert [call.params for call in calls if call.method == "plugin"] == [{"subcommand": "list"}]
    assert len(calls) > 500


def test_an_older_node_lacks_what_was_added_later() -> None:
    documents = read_documents(ROOT / "schemas")
    names = {document.name for document in as_followed(documents, "v23.02")}
    assert "xpay" not in names
    assert "pay" in names
    for version in ("v26.06-258-g090f4b0", "v99.01"):
        assert as_followed(documents, version) == documents


def test_the_watcher_writes_what_it_hears_and_lets_everything_go_on(tmp_path: Path) -> None:
    file = tmp_path / "events"
    watcher = Watcher(file, ["notification/connect", "hook/rpc_command"])
    manifest = watcher.answer({"id": 1, "method": "getmanifest"})
    assert (manifest["subscriptions"], manifest["hooks"]) == (["connect"], [{"name": "rpc_command"}])
    assert watcher.answer({"id": 2, "method": "init", "params": {}}) == {}
    assert watcher.answer({"method": "connect", "params": {"connect": {"id": "02"}}}) is None
    assert watcher.answer({"id": 3, "method": "rpc_command", "params": {"rpc_command": {}}}) == {"result": "continue"}
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"event": "notification/connect", "payload": {"id": "02"}},
        {"event": "hook/rpc_command", "payload": {"rpc_command": {}}},
    ]
    assert "hook/db_write" in NOT_WATCHED


def test_the_watcher_speaks_with_lightningd_over_its_streams(tmp_path: Path) -> None:
    file = tmp_path / "events"
    command = [sys.executable, "-m", "lnstandin.conform.watcher", str(file), "hook/custommsg"]
    messages = '{"id":"a","method":"getmanifest","params":{}}\n\n{"id":"b","method":"custommsg","params":{"x":1}}\n\n'
    done = subprocess.run(command, input=messages, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.split("\n\n") if line]
    assert [answer["id"] for answer in answers] == ["a", "b"]
    assert answers[1]["result"] == {"result": "continue"}
    assert json.loads(file.read_text())["payload"] == {"x": 1}
