"""An unusable output folder: one line says why, the exit code is 2, and nothing in it changes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.generator.commands import rpcschema, tree
from tests.shared import ROOT

ARGS = ("generate", "schemas", "--package", "tank", "--target", "markdown", "--target", "model")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a document in `schemas`, changed since its files in `generated` were made."""
    (tmp_path / "schemas").mkdir()
    raw = json.loads((ROOT / "tests/cases/every-target/schemas/tank-level.json").read_text())
    document = tmp_path / "schemas/tank-level.json"
    document.write_text(json.dumps(raw))
    assert rpcschema(*ARGS, cwd=tmp_path).returncode == 0
    document.write_text(json.dumps(raw | {"description": ["long "] * 1000}))
    return tmp_path


def in_place_of(path: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return a function that puts something else in the place of the output's `path`."""

    def put(out: Path) -> None:
        file = out / path
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink()
        make(file)

    return put


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (in_place_of("docs/index.md", Path.mkdir), "generated/docs/index.md: Is a directory"),
        (in_place_of("docs", Path.touch), "generated/docs/index.md: Not a directory"),
        (in_place_of("", Path.touch), "generated/manifest.json: Not a directory"),
        (in_place_of("manifest.json", Path.mkdir), "generated/manifest.json: Is a directory"),
        (in_place_of("docs", lambda file: file.symlink_to("/")), "leads out of generated through a symbolic link"),
    ],
    ids=range(5),
)
def test_what_is_in_the_way_is_named_and_left_alone(folder: Path, put: Callable[[Path], None], message: str) -> None:
    put(folder / "generated")
    before = tree(folder)
    done = rpcschema(*ARGS, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("rpcschema: ")
    assert message in line
    assert tree(folder) == before


def test_disk_that_is_full_halfway_changes_nothing(folder: Path) -> None:
    before = tree(folder)
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh"]  # 4 kB a file
    command = [*limited, sys.executable, "-m", "rpcschema", *ARGS]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("rpcschema: generated/")
    assert line.endswith(": File too large")
    assert tree(folder) == before
