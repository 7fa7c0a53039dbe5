"""Which files are scanned, and what is said of those that cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rpcschema.problems import Level
from rpcschema.scan.files import MAX_BYTES
from rpcschema.scan.run import Scan, run
from tests.scan.scanning import RELEASE, TABLE

USE = "def f(rpc): rpc.pay()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one good file, whose use must be found whatever else is there."""
    (tmp_path / "good.py").write_text(USE)
    return tmp_path


def scan(folder: Path) -> Scan:
    result = run([folder], TABLE, RELEASE, None)
    assert f"{folder / 'good.py'}" in [finding.file for finding in result.findings]
    return result


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"def f(:", "line 1: error: not Python that this interpreter can read"),
        (b"print 'python 2'", "not Python that this interpreter can read"),
        (b"x = '\xff'", "not Python that this interpreter can read"),
        (b"# coding: nonsense\n", "not Python that this interpreter can read"),
        (b"x = 1\0", "not Python that this interpreter can read"),
        (b"(" * 5_000, "nested"),
        (b"x = " + b"-" * 5_000 + b"1", "nested"),
        (b"x" * (MAX_BYTES + 1), "larger than 2 MiB, so it is not scanned"),
    ],
    ids=["syntax", "python2", "utf8", "coding", "null", "brackets", "signs", "huge"],
)
def test_a_file_that_cannot_be_parsed_is_reported_and_the_others_are_scanned(
    content: bytes, message: str, folder: Path
) -> None:
    (folder / "bad.py").write_bytes(content)
    problems = [str(problem) for problem in scan(folder).problems]
    assert len(problems) == 1
    assert problems[0].startswith(f"{folder / 'bad.py'}: ")
    assert message in problems[0]


def test_other_encodings_are_read_if_the_file_names_them(folder: Path) -> None:
    (folder / "latin.py").write_bytes(b"# coding: latin-1\nname = '\xe9'\n" + USE.encode())
    (folder / "bom.py").write_bytes(b"\xef\xbb\xbf" + USE.encode())
    result = scan(folder)
    assert result.problems == ()
    assert len(result.findings) == 3


def test_a_notebook_is_named_and_is_no_error(folder: Path) -> None:
    (folder / "try.ipynb").write_text("{}")
    problems = scan(folder).problems
    assert [problem.level for problem in problems] == [Level.WARNING]
    assert "notebooks are not scanned" in problems[0].message


def test_loops_of_symbolic_links_end_and_each_file_is_read_once(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "loop").symlink_to(folder)
    (folder / "again.py").symlink_to(folder / "good.py")
    (folder / "gone.py").symlink_to(folder / "nothing")
    (folder / "self.py").symlink_to(folder / "self.py")
    result = scan_links(folder)
    assert (result.files, len(result.findings)) == (1, 1)
    assert {problem.file for problem in result.problems} == {str(folder / name) for name in ("gone.py", "self.py")}


def scan_links(folder: Path) -> Scan:
    return run([folder], TABLE, RELEASE, None)


def test_scripts_without_a_suffix_are_scanned(folder: Path) -> None:
    (folder / "plugin").write_text(f"#!/usr/bin/env python3\n{USE}")
    (folder / "script").write_text(f"#!/bin/sh\n{USE}")
    (folder / "text").write_text(USE)
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.py")
    assert scan(folder).files == 2


def test_hidden_folders_environments_and_packages_are_skipped(folder: Path) -> None:
    for name in (".hidden", "node_modules", "venv/lib", "lib/site-packages/x", "__pycache__"):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.py").write_text(USE)
    (folder / "venv" / "pyvenv.cfg").touch()
    assert scan(folder).files == 1


def test_a_path_that_does_not_exist_is_reported(folder: Path) -> None:
    result = run([folder / "good.py", folder / "missing"], TABLE, RELEASE, None)
    assert len(result.findings) == 1
    assert [problem.message for problem in result.problems] == ["there is no such file or folder"]


def test_nothing_of_a_file_is_run(folder: Path) -> None:
    mark = folder / "mark"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nimport evil_module_that_does_not_exist\n")
    scan(folder)
    assert not mark.exists()
