"""Upstream's material can come from checkouts that the caller names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shared import ROOT
from tests.upstream import COPIES


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkouts(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield small stand-ins for both repositories, with uncommitted changes that must not be read."""
    for name, file in {"CLN_REPO": "doc/schemas/hook/a.json", "BOLTS_REPO": "bolt12/b.json"}.items():
        path = tmp_path / name / file
        path.parent.mkdir(parents=True)
        path.write_text(f'{{"in": "{name}\N{EURO SIGN}"}}\n')
        (path.parent / "image.png").touch()
        git(tmp_path / name, "init", "--quiet")
        git(tmp_path / name, "add", ".")
        git(tmp_path / name, "commit", "--quiet", "-m", str(tmp_path))
        git(tmp_path / name, "tag", "v26.06")
        path.write_text("changed")
    yield {name: str(tmp_path / name) for name in ("CLN_REPO", "BOLTS_REPO")}
    for name in ("CLN_REPO", "BOLTS_REPO"):
        shutil.rmtree(COPIES / git(tmp_path / name, "rev-parse", "HEAD"), ignore_errors=True)


def found(relative: str, tmp_path: Path, checkouts: dict[str, str]) -> Path:
    """Return what a process finds that knows the checkouts and no other material."""
    code = f"from tests.upstream import material; print(material({relative!r}))"
    environment = checkouts | {"CLNRPC_SHARED": str(tmp_path / "none"), "PATH": "/usr/bin:/bin:/usr/local/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return Path(done.stdout.strip())


def test_documents_come_from_the_named_release_as_committed(tmp_path: Path, checkouts: dict[str, str]) -> None:
    folder = found("corpus/v26.06/schemas", tmp_path, checkouts)
    assert [path.name for path in folder.rglob("*.*")] == ["a.json"]
    assert (folder / "hook" / "a.json").read_text() == '{"in": "CLN_REPO\N{EURO SIGN}"}\n'


def test_vectors_come_from_the_head_of_the_bolts(tmp_path: Path, checkouts: dict[str, str]) -> None:
    file = found("vectors/bolts/bolt12/b.json", tmp_path, checkouts)
    assert file.read_text() == '{"in": "BOLTS_REPO\N{EURO SIGN}"}\n'
    assert not found("vectors/bolts/bolt12/c.json", tmp_path, checkouts).exists()


def test_what_a_checkout_lacks_is_looked_for_in_the_shared_folder(tmp_path: Path, checkouts: dict[str, str]) -> None:
    expected = tmp_path / "none" / "corpus" / "v24.11" / "schemas"
    assert found("corpus/v24.11/schemas", tmp_path, checkouts) == expected
    assert found("golden/decode.jsonl", tmp_path, checkouts) == tmp_path / "none" / "golden" / "decode.jsonl"
