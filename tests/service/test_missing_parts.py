"""The program without packages, standard output or a home directory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from tests.service.program import COMMAND, SECONDS, Program, run
from tests.shared import ROOT

CLOSED = {"output": ("sh", "-c", 'exec "$@" >&-', "sh"), "errors": ("sh", "-c", 'exec "$@" 2>&-', "sh")}


RUN = "from lnoffers.service.cli import main; main()"


def without_packages(code: str, *arguments: str, path: Path = ROOT / "core") -> subprocess.CompletedProcess[str]:
    """Run Python without the packages of this environment, as where only the client was installed, with msgspec."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "msgspec").symlink_to(Path(msgspec.__file__).parent)
        folders = [path, *(ROOT / name for name in ("core", "generated", "generator")), folder]
        start = f"import sys; sys.path[:0] = {[*map(str, folders)]!r}; {code}"
        command = [sys.executable, "-I", "-S", "-c", start, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_a_missing_package_is_named_with_what_to_install() -> None:
    done = without_packages(RUN, "serve")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lnoffers: the package coincurve is missing: pip install 'clnrpc[offers]'\n"


def test_the_generator_names_a_missing_package_with_what_to_install() -> None:
    done = without_packages("from rpcschema.__main__ import main; main()", "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rpcschema: the package cyclopts is missing: pip install 'clnrpc[generator]'\n"


def test_the_library_says_what_to_install() -> None:
    done = without_packages("import lnoffers; lnoffers.decode")
    last = done.stderr.splitlines()[-1]
    assert last == "ModuleNotFoundError: the package coincurve is missing: pip install 'clnrpc[bolt12]'"


@pytest.mark.parametrize("left", ["", "__init__.py", "context.py"])
def test_a_damaged_curve_library_is_named_with_its_repair(left: str, tmp_path: Path) -> None:
    """Uninstalling pyln-client removes the files of coincurve but not its metadata."""
    name = "coincurve" if sys.version_info < (3, 14) else "coincurve-cp314-fix"
    (tmp_path / f"{name.replace('-', '_')}-21.0.0.dist-info").mkdir()
    (tmp_path / f"{name.replace('-', '_')}-21.0.0.dist-info" / "METADATA").write_text(
        f"Name: {name}\nVersion: 21.0.0\n"
    )
    (tmp_path / "coincurve").mkdir()
    (tmp_path / "coincurve" / (left or "leftover")).touch()
    done = without_packages(RUN, "serve", path=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"lnoffers: the package {name} is damaged")
    assert done.stderr.endswith(f": pip install --force-reinstall --no-deps {name}\n")


@pytest.mark.parametrize("command", [["serve"], ["call", "getinfo"]])
@pytest.mark.parametrize("option", ["--lightning-dir", "--rpc-file"])
def test_an_unknown_home_directory(command: list[str], option: str, tmp_path: Path) -> None:
    options = {"--lightning-dir": str(tmp_path)} | {option: "~nobody-of-this-name/x"}
    outcome = run(*command, *(word for pair in options.items() for word in pair))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("lnoffers: ~nobody-of-this-name/x: ")
    assert outcome.err.count("\n") == 1
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["serve"], ["call", "getinfo"], ["init"]])
@pytest.mark.parametrize("option", ["--lightning-dir", "--rpc-file", "--currency-rates"])
def test_an_empty_path_is_refused(command: list[str], option: str, tmp_path: Path) -> None:
    """It is what the shell makes of a variable that is not set, and would be the current directory."""
    options = {"--lightning-dir": str(tmp_path)} | {option: ""}
    outcome = run(*command, *(word for pair in options.items() for word in pair))
    told = f"lnoffers: argument {option}: the path is empty; is a variable of the shell not set?\n"
    assert (outcome.code, outcome.out, outcome.err) == (2, "", told)
    assert not any(tmp_path.iterdir())


def test_nothing_is_done_whose_result_cannot_be_shown(program: Program) -> None:
    outcome = run("call", *program.flags, "invoicerequest", "1", "x", under=CLOSED["output"])
    assert (outcome.code, outcome.err) == (2, "lnoffers: standard output is closed\n")
    assert not (program.network_dir / "lnoffers.sqlite3").exists()
    assert run("decode", "lnr1", under=CLOSED["output"]).err == "lnoffers: standard output is closed\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["call", "--help"]])
def test_help_without_output(arguments: list[str]) -> None:
    outcome = run(*arguments, under=CLOSED["output"])
    assert "Traceback" not in outcome.err


def test_errors_never_turn_up_in_the_output(program: Program) -> None:
    outcome = run("call", *program.flags, "getinfo", "--nonsense", under=CLOSED["errors"])
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "")


def test_a_server_needs_no_output(program: Program) -> None:
    process = subprocess.Popen(
        [*CLOSED["output"], *COMMAND, "serve", *program.flags], stderr=subprocess.PIPE, text=True, stdin=subprocess.PIPE
    )
    try:
        while not program.socket.exists():
            assert process.poll() is None, process.communicate()
        assert program.call("stop").code == 0
        _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert "Traceback" not in errors
    finally:
        process.kill()
        process.wait()


def test_a_directory_whose_name_is_no_text(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--network", "regtest", "--lightning-dir", os.fsencode(tmp_path) + b"/\xff"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == b"Listening on %b/\xff/regtest/lightning-rpc\n" % os.fsencode(tmp_path)
        process.terminate()
        _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert b"Traceback" not in errors
    finally:
        process.kill()
        process.wait()
