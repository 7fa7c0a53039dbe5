"""A run that is killed or interrupted leaves no half output, and the next run removes its leftovers."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generator.commands import rpcschema, tree
from tests.shared import ROOT

ARGUMENTS = ("schemas", "--package", "tank", "--jobs", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "tests/cases/every-target/schemas", tmp_path / "schemas")
    return tmp_path


def signalled(folder: Path, event: str, count: int, name: str) -> subprocess.CompletedProcess[str]:
    """Return the run of a `generate` that gets a signal when it opens, or renames, its `count`-th new file."""
    command = [sys.executable, "-m", "tests.generator.audited", event, ".rpcschema-", str(count), name]
    return subprocess.run(
        [*command, "generate", *ARGUMENTS],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def left(folder: Path) -> list[Path]:
    return list((folder / "generated").glob(".rpcschema-*"))


@pytest.mark.parametrize(("event", "count"), [("open", 1), ("open", 7), ("os.rename", 1), ("os.rename", 7)])
def test_leftovers_of_a_killed_run_are_reported_and_then_removed(folder: Path, event: str, count: int) -> None:
    assert signalled(folder, event, count, "SIGKILL").returncode == -9
    (stage,) = left(folder)
    done = rpcschema("check", *ARGUMENTS, cwd=folder)
    assert done.returncode == 1
    said = f"rpcschema: generated/{stage.name}: left by a run that was killed; rpcschema generate removes it\n"
    assert said in done.stderr
    done = rpcschema("generate", *ARGUMENTS, cwd=folder)
    assert done.returncode == 0
    assert left(folder) == []
    assert rpcschema("generate", *ARGUMENTS, "--out", "anew", cwd=folder).returncode == 0
    assert tree(folder / "generated") == tree(folder / "anew")


def test_check_fails_for_leftovers_alone(folder: Path) -> None:
    assert rpcschema("generate", *ARGUMENTS, cwd=folder).returncode == 0
    stage = folder / "generated/.rpcschema-0123abcd"
    stage.mkdir()
    (stage / "0").touch()
    (stage / "1").touch()
    done = rpcschema("check", *ARGUMENTS, cwd=folder)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    done = rpcschema("generate", *ARGUMENTS, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "generated: 0 written, 0 removed\n")
    assert done.stderr == "rpcschema: generated: removed 2 new files of a run that was killed\n"
    assert rpcschema("check", *ARGUMENTS, cwd=folder).returncode == 0


def test_what_another_run_is_writing_is_left_alone(folder: Path) -> None:
    stage = folder / "generated/.rpcschema-0123abcd"
    stage.mkdir(parents=True)
    (stage / "0").touch()
    alive = os.open(stage, os.O_RDONLY)
    fcntl.flock(alive, fcntl.LOCK_EX)
    for command in ("generate", "check"):
        done = rpcschema(command, *ARGUMENTS, cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
    assert (stage / "0").exists()
    os.close(alive)


def test_files_of_others_are_left_alone(folder: Path) -> None:
    out = folder / "generated"
    (out / ".rpcschema-notes").mkdir(parents=True)
    (out / ".rpcschema-01234567").write_text("mine")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/0").write_text("mine")
    (out / ".rpcschema-89abcdef").symlink_to(folder / "elsewhere")
    (out / ".rpcschema-fedcba98").mkdir()
    (out / ".rpcschema-fedcba98/mine").write_text("mine")
    before = tree(out)
    assert rpcschema("generate", *ARGUMENTS, cwd=folder).returncode == 0
    assert before.items() <= tree(out).items()
    assert (out / ".rpcschema-notes").is_dir()
    assert (folder / "elsewhere/0").exists()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_among_the_renames_waits_until_all_files_are_in_place(folder: Path, name: str) -> None:
    done = signalled(folder, "os.rename", 2, name)
    assert (done.returncode, done.stderr) == (2, "rpcschema: interrupted\n")
    assert rpcschema("check", *ARGUMENTS, cwd=folder).returncode == 0


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_before_the_renames_changes_no_file(folder: Path, name: str) -> None:
    done = signalled(folder, "open", 7, name)
    assert (done.returncode, done.stderr) == (2, "rpcschema: interrupted\n")
    assert tree(folder / "generated") == {}
    assert left(folder) == []
