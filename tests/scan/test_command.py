"""`rpcschema scan`: its options, reports and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.guides import pieces


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rpcschema", "scan", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text("def f(rpc):\n    rpc.pay('lnbc1')\n    print(rpc.close('a')['txid'])\n")
    return tmp_path


def test_prints_place_what_ends_and_what_replaces_it(folder: Path) -> None:
    done = run(folder, ".", "--against", "v27.03")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        "shop.py:2: error: v27.03 is the last release that supports `pay`, deprecated since v26.06. Use `xpay`."
    )
    assert lines[0].endswith("[ending-command]")
    assert lines[1].startswith("shop.py:3: error: the field `txid` of `close` is gone: v25.12 was the last release")
    assert lines[1].endswith("Read `txids`. It is a list. [removed-field]")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_verdict_depends_on_the_release(folder: Path) -> None:
    def rules(*options: str) -> list[str]:
        return [each["rule"] for each in json.loads(run(folder, "shop.py", "--json", *options).stdout)["findings"]]

    assert rules("--against", "v24.11") == ["deprecated-field"]
    assert rules("--against", "v26.06") == ["deprecated-command", "removed-field"]
    assert rules("--against", "v27.03") == ["ending-command", "removed-field"]
    assert rules() == rules("--against", "latest") == ["removed-command", "removed-field"]


def test_json_has_the_release_and_the_facts_of_each_finding(folder: Path) -> None:
    report = json.loads(run(folder, ".", "--json", "--against", "v27.03").stdout)
    assert (report["against"], report["files"]) == ("v27.03", 1)
    facts = {key: report["findings"][0][key] for key in ("file", "line", "name", "since", "last", "instead")}
    assert facts == {
        "file": "shop.py",
        "line": 2,
        "name": "pay",
        "since": "v26.06",
        "last": "v27.03",
        "instead": ["xpay"],
    }


def test_annotations_name_file_and_line(folder: Path) -> None:
    first = run(folder, ".", "--github", "--against", "v26.06").stdout.splitlines()[0]
    assert first.startswith("::warning file=shop.py,line=2,title=deprecated-command::`pay` is deprecated since v26.06")


def test_markdown_lists_findings(folder: Path) -> None:
    assert "- `shop.py:2`: " in run(folder, ".", "--markdown").stdout


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--against", "v24.11"), 0),
        (("--against", "v24.11", "--fail-on", "error"), 0),
        (("--against", "v24.11", "--fail-on", "warning"), 1),
        (("--against", "v27.03", "--fail-on", "error"), 1),
        (("--to", "clnrpc", "--fail-on", "warning"), 0),
        (("--to", "clnrpc", "--fail-on", "note"), 1),
        (("--to", "clnrpc", "--against", "v27.03", "--fail-on", "error"), 1),
    ],
)
def test_fails_on_findings_of_the_chosen_level(options: tuple[str, ...], code: int, folder: Path) -> None:
    assert run(folder, ".", *options).returncode == code


def test_to_lists_only_what_changes_for_the_client_unless_a_release_is_named(folder: Path) -> None:
    done = run(folder, ".", "--to", "clnrpc")
    assert "shop.py:3: note: write: print(rpc.close('a').txid)" not in done.stdout  # a removed field has no attribute
    assert "shop.py:2: note: write: rpc.pay('lnbc1') [new-call]" in done.stdout
    assert "error" not in done.stdout
    assert "error: v27.03 is the last release" in run(folder, ".", "--to", "clnrpc", "--against", "v27.03").stdout


def test_a_file_that_cannot_be_scanned_is_named_and_the_exit_code_says_so(folder: Path) -> None:
    (folder / "broken.py").write_text("def (:\n")
    done = run(folder, ".", "--against", "v27.03")
    assert "shop.py:2: error" in done.stdout
    assert "broken.py: line 1: error: not Python" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "PATHS is needed"),
        ((".", "--against", "soon"), "soon"),
        ((".", "--json", "--github"), "exclude each other"),
        ((".", "--to", "lnd"), "--to"),
        (("nowhere",), "there is no such file or folder"),
    ],
)
def test_says_what_is_wrong_with_its_arguments(arguments: tuple[str, ...], complaint: str, folder: Path) -> None:
    done = run(folder, *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_the_commands_of_the_guide_run(folder: Path) -> None:
    release, moving = (piece.split() for piece in pieces("find-what-a-release-breaks", "sh"))
    for name in ("src", "tests", "monitor"):
        (folder / name).mkdir()
    (folder / "src" / "a.py").write_text((folder / "shop.py").read_text())
    plugin = (
        "def peers(plugin):\n    peers = plugin.rpc.listpeers()\n    for p in peers['peers']:\n"
        "        if 'num_channels' in p and p['num_channels'] > 0:\n"
        "            channels = plugin.rpc.listpeerchannels(p['id'])['channels']\n"
    )
    (folder / "monitor" / "monitor.py").write_text("\n" * 39 + plugin)
    assert "src/a.py:2: error: v27.03 is the last release" in run(folder, *release[2:]).stdout
    shown = [line.partition(" ")[2] for line in pieces("find-what-a-release-breaks", "text")[1].splitlines()]
    printed = run(folder, *moving[2:]).stdout
    assert len(shown) == 3
    assert all(line in printed for line in shown)
