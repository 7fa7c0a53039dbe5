"""A crash leaves no core dump, which would hold the node's key."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.program import COMMAND, SECONDS, Program, Wire
from tests.service.tracing import needs_strace
from tests.service.worst import rune

WITH_CORES = ("sh", "-c", 'cd "$0" && ulimit -c unlimited && exec "$@"')
CRASHES = [signal.SIGSEGV, signal.SIGABRT]
needs_proc = pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="there is no /proc here")


def core_limits(pid: int) -> list[str]:
    """Return the soft and the hard limit."""
    [found] = re.findall(r"Max core file size +(\S+) +(\S+)", Path(f"/proc/{pid}/limits").read_text())
    return list(found)


@pytest.fixture
def cores(tmp_path: Path) -> Path:
    """Return a directory in which a process that crashes leaves a core dump."""
    tried = tmp_path / "tried"
    tried.mkdir()
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    done = subprocess.run([*WITH_CORES, str(tried), sys.executable, "-c", crash], check=False, timeout=SECONDS)
    if done.returncode != -signal.SIGSEGV or not list(tried.iterdir()):
        pytest.skip("a crash leaves no file here")
    made = tmp_path / "cores"
    made.mkdir()
    return made


@pytest.mark.parametrize("number", CRASHES)
def test_a_server_that_crashes_leaves_no_core(program: Program, cores: Path, number: signal.Signals) -> None:
    with program.served(under=(*WITH_CORES, str(cores))) as server:
        server.send_signal(number)
        assert server.wait(SECONDS) == -number
    assert list(cores.iterdir()) == []


@pytest.fixture
def calling(seed_program: Program, cores: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a call in process that has read the secret, and waits."""
    process = subprocess.Popen([*WITH_CORES, str(cores), *COMMAND, "call", *seed_program.flags, "waitanyinvoice"])
    try:
        while not (seed_program.network_dir / "lnoffers.sqlite3-wal").exists():
            assert process.poll() is None
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", CRASHES)
def test_a_call_in_process_that_crashes_leaves_no_core(
    calling: subprocess.Popen[bytes], cores: Path, number: signal.Signals
) -> None:
    calling.send_signal(number)
    assert calling.wait(SECONDS) == -number
    assert list(cores.iterdir()) == []


@needs_proc
def test_neither_a_server_nor_a_call_may_have_one(program: Program, calling: subprocess.Popen[bytes]) -> None:
    assert core_limits(calling.pid) == ["0", "0"]
    calling.terminate()
    calling.wait(SECONDS)
    with program.served() as server:
        assert core_limits(server.pid) == ["0", "0"]


@needs_strace
@pytest.mark.parametrize("command", ["serve", "call"])
def test_no_service_that_collects_dumps_gets_one_either(seed_program: Program, tmp_path: Path, command: str) -> None:
    trace = tmp_path / "trace"
    tracer = ("strace", "-f", "-o", str(trace), "-e", "trace=prctl,openat")
    if command == "serve":
        with seed_program.served(under=tracer):
            assert seed_program.call("stop").code == 0
    else:
        words = [*tracer, *COMMAND, "call", *seed_program.flags, "getinfo"]
        subprocess.run(words, check=True, capture_output=True, timeout=SECONDS)
    calls = re.findall(r"PR_SET_DUMPABLE, SUID_DUMP_DISABLE\) = 0|hsm_secret\"", trace.read_text())
    assert calls[0].startswith("PR_SET_DUMPABLE"), "it is so before the secret is read"
    assert calls[1:] == ['hsm_secret"']


@needs_strace
def test_the_process_that_decodes_long_strings_gives_it_none_either(program: Program, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with program.served(under=("strace", "-f", "-o", str(trace), "-e", "trace=prctl")), Wire(program.socket) as wire:
        assert "result" in wire.ask("decode", [rune(1_000)])
        assert "result" in wire.ask("stop")
    assert len(re.findall(r"PR_SET_DUMPABLE, SUID_DUMP_DISABLE\) = 0", trace.read_text())) == 2
