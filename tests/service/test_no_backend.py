"""Offers made on bitcoin cannot be paid without a payment backend, and whoever makes one is told so."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lnoffers.service.options import NO_BACKEND
from tests.service.program import COMMAND, SECONDS, Outcome, Program, run

OFFER = ("amount=any", "description=x")


def flags(program: Program, network: str = "bitcoin") -> tuple[str, ...]:
    """Return the options that lead to the directory of a network."""
    return ("--lightning-dir", str(program.directory), "--network", network)


def offer(program: Program, *arguments: str) -> Outcome:
    """Make an offer on bitcoin."""
    made = run("call", *flags(program), "offer", *(arguments or OFFER))
    assert made.json["bolt12"].startswith("lno1")
    return made


@contextmanager
def served(program: Program, errors: Path, *more: str) -> Iterator[None]:
    """Run a server on bitcoin; what it writes to standard error goes to a file."""
    command = [*COMMAND, "serve", *flags(program), *more]
    with errors.open("wb") as file, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith(b"Listening on ")
            yield
        finally:
            server.terminate()
            server.wait(SECONDS)


def test_a_call_without_a_server_warns_once(no_node: Program) -> None:
    run("init", *flags(no_node))
    assert offer(no_node).err == f"lnoffers: {NO_BACKEND}\n"


def test_a_server_warns_once_in_its_log(no_node: Program, tmp_path: Path) -> None:
    with served(no_node, tmp_path / "errors"):
        for number in range(3):
            assert offer(no_node, "amount=any", f"description=x{number}").err == ""
    assert (tmp_path / "errors").read_text().count(NO_BACKEND) == 1


def test_a_server_with_a_log_file_also_warns_on_standard_error(no_node: Program, tmp_path: Path) -> None:
    with served(no_node, tmp_path / "errors", "--log-file", "log"):
        for number in range(2):
            offer(no_node, "amount=any", f"description=x{number}")
    assert (tmp_path / "errors").read_text().count(NO_BACKEND) == 1
    assert Path(no_node.directory, "bitcoin", "log").read_text().count(NO_BACKEND) == 1


def test_test_networks_and_other_commands_need_no_warning(no_node: Program) -> None:
    for network in ("bitcoin", "regtest"):
        run("init", *flags(no_node, network))
    assert run("call", *flags(no_node, "regtest"), "offer", *OFFER).err == ""
    assert run("call", *flags(no_node), "listoffers").err == ""
