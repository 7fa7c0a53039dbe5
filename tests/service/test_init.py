"""Only `serve` and `init` create a node; other commands, in a wrong directory, create nothing and say what to do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lnoffers.bolt12 import NodeKeys, seed_from_hsm_secret
from lnoffers.service import Node, Options
from lnoffers.service.errors import NoNodeError
from tests.service.program import COMMAND, SECONDS, Program, run
from tests.service.tracing import names_made, needs_strace, tracer_of_names

ENTROPY = "40f3b447861516367be1ad748c9b15ac"


def init(program: Program, *flags: str) -> list[str]:
    """Return the lines that it prints."""
    outcome = run("init", *program.flags, *flags)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out.splitlines()


def test_init_makes_a_node_and_says_who_it_is_and_where_things_are(no_node: Program) -> None:
    told = init(no_node, "--dev-entropy", ENTROPY)
    secret = no_node.network_dir / "hsm_secret"
    node_id = NodeKeys.from_seed(seed_from_hsm_secret(secret.read_bytes())).node_id.hex()
    assert told[:4] == [
        f"Made the node {node_id} on regtest.",
        f"   secret  {secret}",
        f"   store   {no_node.network_dir / 'lnoffers.sqlite3'}",
        f"   socket  {no_node.socket}",
    ]
    advice = "\n".join(told[4:])
    assert "Copy the secret to a safe place" in advice
    assert "Use a secret of its own for each node" in advice
    assert {path.name: path.stat().st_mode & 0o777 for path in no_node.network_dir.iterdir()} == {
        "hsm_secret": 0o400,
        "lnoffers.sqlite3": 0o600,
    }
    assert no_node.call("getinfo").json["id"] == node_id


def test_the_files_that_init_names_are_those_that_options_name(no_node: Program, tmp_path: Path) -> None:
    told = init(no_node, "--db", f"sqlite:///{tmp_path / 'elsewhere'}", "--rpc-file", "/run/rpc")
    assert told[2:4] == [f"   store   {tmp_path / 'elsewhere'}", "   socket  /run/rpc"]
    assert (tmp_path / "elsewhere").exists()


@needs_strace
def test_a_new_secret_and_the_names_that_lead_to_it_are_on_disk_before_init_says_so(
    no_node: Program, tmp_path: Path
) -> None:
    below = Program(no_node.directory / "new")
    made = run("init", *below.flags, under=tracer_of_names(tmp_path / "trace"))
    assert made.out.startswith("Made the node ")
    names = names_made(tmp_path / "trace", no_node.directory)
    assert names.durable == tuple(map(str, (below.directory, below.network_dir, below.network_dir / "hsm_secret")))
    assert names.lost == ()


@pytest.mark.parametrize("kind", ["file", "broken link"])
def test_init_refuses_a_directory_with_a_secret_and_leaves_it_alone(no_node: Program, kind: str) -> None:
    secret = no_node.network_dir / "hsm_secret"
    no_node.network_dir.mkdir()
    if kind == "file":
        secret.write_bytes(b"whatever it is")
    else:
        secret.symlink_to("nowhere")
    refused = run("init", *no_node.flags)
    why = f"{secret} exists, so there is a node already: start it with lnoffers serve"
    assert (refused.code, refused.out, refused.err) == (2, "", f"lnoffers: {why}\n")
    assert [path.name for path in no_node.network_dir.iterdir()] == ["hsm_secret"]


def test_init_makes_no_secret_beside_a_store_that_lost_its_own(no_node: Program) -> None:
    init(no_node)
    (no_node.network_dir / "hsm_secret").unlink()
    refused = run("init", *no_node.flags)
    assert (refused.code, "restore the file" in refused.err) == (2, True)
    assert not (no_node.network_dir / "hsm_secret").exists()


def test_init_does_nothing_where_it_cannot_say_what_it_did(no_node: Program) -> None:
    closed = ("sh", "-c", 'exec "$@" >&-', "sh")
    assert run("init", *no_node.flags, under=closed).err == "lnoffers: standard output is closed\n"
    assert not any(no_node.directory.iterdir())


def test_serve_makes_a_node_where_there_is_none(no_node: Program) -> None:
    with no_node.served() as server:
        server.terminate()
        assert "Made a new secret" in server.communicate(timeout=SECONDS)[1]
    assert (no_node.network_dir / "hsm_secret").exists()


@pytest.mark.parametrize("words", [["call", "getinfo"], ["call", "nonsense"], ["backup", "copy"], ["check-store"]])
@pytest.mark.parametrize("there", ["nothing", "directory", "network"])
def test_a_typo_makes_nothing_and_is_told_what_makes_a_node(no_node: Program, words: list[str], there: str) -> None:
    typo = Program(no_node.directory / "typo")
    if there != "nothing":
        (typo.network_dir if there == "network" else typo.directory).mkdir(parents=True)
    before = sorted(no_node.directory.rglob("*"))
    words = [str(no_node.directory / word) if word == "copy" else word for word in words]
    refused = run(*words, *typo.flags)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("lnoffers: ")
    assert str(typo.network_dir) in refused.err
    assert refused.err.endswith("lnoffers init makes a node; --lightning-dir and --network say where\n")
    assert refused.err.count("\n") == 1
    assert sorted(no_node.directory.rglob("*")) == before


def test_a_call_in_a_directory_with_a_secret_makes_its_store(program: Program) -> None:
    assert program.call("invoicerequest", "1sat", "x").code == 0
    assert (program.network_dir / "lnoffers.sqlite3").exists()


def test_a_node_is_made_in_process_only_if_asked_to(tmp_path: Path) -> None:
    options = Options(lightning_dir=tmp_path / "new", network="regtest")
    with pytest.raises(NoNodeError, match="lnoffers init makes a node"):
        Node.open(options)
    assert not any(tmp_path.iterdir())
    with Node.open(options, make=True) as made, Node.open(options) as opened:
        assert made.keys.node_id == opened.keys.node_id


def test_processes_that_make_a_node_at_once_agree_on_who_it_is(no_node: Program) -> None:
    command = [*COMMAND, "init", *no_node.flags]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = [subprocess.Popen(command, text=True, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    told = [process.communicate(timeout=SECONDS) for process in running]
    made = {out.splitlines()[0] for out, _ in told if out}
    assert len(made) == 1
    assert all("so there is a node already" in errors for out, errors in told if not out)
    assert sorted(path.name for path in no_node.network_dir.iterdir()) == ["hsm_secret", "lnoffers.sqlite3"]
