"""`lnstandin network`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clnrpc import Client
from tests.service.program import SECONDS, children, until

COMMAND = (sys.executable, "-m", "lnstandin", "network")


@contextmanager
def running(*arguments: str, nodes: int) -> Iterator[tuple[subprocess.Popen[str], list[list[str]]]]:
    """Run the program, and yield it with the words of the lines that it prints first."""
    program = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert program.stdout is not None
        yield program, [program.stdout.readline().split() for _ in range(nodes)]
    finally:
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=SECONDS)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_nodes_pay_each_other_until_a_signal_and_go_on_later(tmp_path: Path, ending: signal.Signals) -> None:
    for round_ in ("first", "second"):
        with running("3", "--dir", str(tmp_path), nodes=3) as (program, lines):
            nodes = children(program.pid)
            assert len(nodes) == 3
            (payer_id, payer), (_, payee), _ = lines
            with Client(payer) as one, Client(payee) as other:
                assert one.getinfo().id == payer_id
                assert one.getinfo().num_active_channels == 2
                one.xpay(other.invoice("21sat", round_, "").bolt11)
                assert len(one.listpays().pays) == ["first", "second"].index(round_) + 1
            program.send_signal(ending)
            assert program.wait(SECONDS) == 0
            assert not any(Path(f"/proc/{node}").exists() for node in nodes)


@contextmanager
def starting(count: int) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run the program, and yield it with the folder for its temporary files."""
    with tempfile.TemporaryDirectory() as name:  # pytest's folder would make the paths of sockets too long
        environment, pipe = {**os.environ, "TMPDIR": name}, subprocess.PIPE
        yield subprocess.Popen([*COMMAND, str(count)], stdout=pipe, stderr=pipe, text=True, env=environment), Path(name)


def nodes_of(program: subprocess.Popen[str], count: int) -> list[int]:
    """Return the process ids of a program's nodes once there are so many.

    The last one must have left the program's memory behind: until then, stopping it would stop the program.
    """

    def executed() -> list[int]:
        found = children(program.pid)
        return [each for each in found if b"lnstandin.network.processes" in Path(f"/proc/{each}/cmdline").read_bytes()]

    until(lambda: len(executed()) == count)
    return executed()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_the_start_ends_it_at_once(ending: signal.Signals) -> None:
    with starting(3) as (program, folder):
        nodes = nodes_of(program, 3)
        for node in nodes:
            os.kill(node, signal.SIGSTOP)  # so that no node is ever ready
        program.send_signal(ending)
        assert program.communicate(timeout=SECONDS) == ("", "")
        assert program.returncode == 0
        assert not any(Path(f"/proc/{node}").exists() for node in nodes)
        assert [*folder.iterdir()] == []


def test_signal_before_the_first_node_leaves_no_files() -> None:
    with starting(2) as (program, folder):
        until(lambda: [*folder.iterdir()])
        program.send_signal(signal.SIGTERM)
        assert program.communicate(timeout=SECONDS) == ("", "")
        assert program.returncode == 0
        assert [*folder.iterdir()] == []


def test_nodes_end_with_a_program_that_is_killed(tmp_path: Path) -> None:
    with running("1", "--dir", str(tmp_path), nodes=1) as (program, [[_, socket]]):
        program.kill()
        program.wait(SECONDS)
        with running("1", "--dir", str(tmp_path), nodes=1) as (_, [[_, again]]):  # the first may still be ending
            assert again == socket


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("0",), "'0' is not a number from 1 to 17"),
        (("two",), "'two' is not a number from 1 to 17"),
        (("1", "--faults", "lose=2"), "--faults: 'lose=2' is not valid: a share is from 0 up to, not including, 1"),
        (("2", "--channel=-5"), "a channel has from 1 to 2100000000000000 sat, not -5"),
        (("1", "--dir", "/dev/null"), "/dev/null/0"),
    ],
)
def test_what_cannot_run_says_why(arguments: tuple[str, ...], why: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert "Traceback" not in done.stderr
