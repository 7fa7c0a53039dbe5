"""`rpcschema plugin new`: which names it takes, what it writes, and that the project works without a change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.generator.commands import rpcschema, tree

FILES: Final = {
    ".gitignore",
    ".python",
    "README.md",
    "pyproject.toml",
    "schemas/tip-jar-capacity.json",
    "src/manifest.json",
    "src/tip_jar.py",
    "tests/test_tip_jar.py",
    "tip-jar",
}
"""What is in a project, besides the generated package."""
PLAIN_PATH: Final = "/usr/bin:/bin"
"""A PATH without a virtual environment, as lightningd may have it."""
MISTAKES: Final = {
    "counts-closed-channels": ("if each.state in OPEN", ""),
    "no-error": ("and not channels", "and False"),
    "does-not-log": ("    def on_channel_opened", "    def off_channel_opened"),
    "other-field": ("sum(each.spendable_msat", "sum(each.receivable_msat"),
}
"""Changes of the plugin that its tests must find."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in a folder whose path has a space; tests must not change it."""
    parent = tmp_path_factory.mktemp("new plugin")
    done = rpcschema("plugin", "new", "tip-jar", cwd=parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"tip-jar: run pytest in it, or lightning-cli plugin start {parent}/tip-jar/tip-jar\n"
    return parent / "tip-jar"


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """Return a copy of the project, for tests that change it."""
    return shutil.copytree(project, tmp_path / "tip-jar")


def tool(*command: str, cwd: Path) -> CompletedProcess[str]:
    """Run a module of Python in a project, without traces there."""
    return subprocess.run(
        [sys.executable, "-B", "-m", *command], cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )


def test_the_project_has_these_files(project: Path) -> None:
    assert {path for path in tree(project) if not path.startswith("src/tip_jar_rpc/")} == FILES
    assert not (project / "src/tip_jar_rpc/runtime").exists()
    assert os.access(project / "tip-jar", os.X_OK)
    assert [path.name for path in project.parent.iterdir()] == ["tip-jar"]


def test_its_tests_pass_without_a_node(project: Path) -> None:
    done = tool("pytest", "-p", "no:cacheprovider", cwd=project)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("mistake", MISTAKES)
def test_its_tests_find_a_mistake_in_the_plugin(copy: Path, mistake: str) -> None:
    source, (right, wrong) = copy / "src/tip_jar.py", MISTAKES[mistake]
    text = source.read_text()
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong))
    done = tool("pytest", "-p", "no:cacheprovider", cwd=copy)
    assert done.returncode == 1, done.stdout
    assert "1 failed, 3 passed" in done.stdout


def test_its_package_is_up_to_date(project: Path) -> None:
    done = rpcschema("check", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("checker", ["mypy", "basedpyright"])
def test_strict_type_checkers_find_nothing_but_what_is_planted(copy: Path, checker: str) -> None:
    pytest.importorskip(checker, reason=f"needs {checker}")
    done = tool(checker, cwd=copy)
    assert done.returncode == 0, done.stdout
    source = copy / "src/tip_jar.py"
    source.write_text(source.read_text().replace("request.peer_id is not", "request.peer is not"))
    done = tool(checker, cwd=copy)
    assert done.returncode == 1
    assert "peer" in done.stdout


def test_ruff_finds_nothing_in_it(project: Path) -> None:
    pytest.importorskip("ruff", reason="needs ruff")
    done = tool("ruff", "check", "--isolated", "--no-cache", "--extend-select", "I", ".", cwd=project)
    assert done.returncode == 0, done.stdout
    done = tool("ruff", "format", "--isolated", "--no-cache", "--line-length", "120", "--check", ".", cwd=project)
    assert done.returncode == 0, done.stdout


def started(program: Path, cwd: Path, path: str = PLAIN_PATH) -> CompletedProcess[str]:
    """Start a plugin in another folder, and ask for its manifest."""
    settings = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"} | {"PATH": path}
    message = '{"jsonrpc": "2.0", "id": 1, "method": "getmanifest", "params": {}}\n\n'
    return subprocess.run(
        [program], cwd=cwd, env=settings, input=message, capture_output=True, text=True, timeout=60, check=False
    )


def names_of_commands(done: CompletedProcess[str]) -> list[str]:
    """Return the commands in the manifest that a plugin has printed."""
    assert done.returncode == 0, done.stderr
    return [each["name"] for each in json.loads(done.stdout)["result"]["rpcmethods"]]


def test_the_program_finds_its_python_from_another_folder(project: Path, tmp_path: Path) -> None:
    assert names_of_commands(started(project / "tip-jar", tmp_path)) == ["tip-jar-capacity"]


def test_the_program_finds_its_python_through_a_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    link = tmp_path / "plugins/jar"
    link.symlink_to(project / "tip-jar")
    assert names_of_commands(started(link, tmp_path)) == ["tip-jar-capacity"]


def environment(folder: Path, says: str) -> Path:
    """Make a Python that only prints a text and its argument; return its folder of programs."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (programs / "python3").write_text(f'#!/bin/sh\necho {says} "$1"\n')
    (programs / "python3").chmod(0o755)
    return programs


def test_the_program_prefers_its_virtual_environment(copy: Path, tmp_path: Path) -> None:
    environment(copy / ".venv", "venv")
    on_path = f"{environment(tmp_path / 'other', 'path')}:{PLAIN_PATH}"
    source = copy / "src/tip_jar.py"
    assert started(copy / "tip-jar", tmp_path, on_path).stdout == f"venv {source}\n"
    shutil.rmtree(copy / ".venv")
    assert names_of_commands(started(copy / "tip-jar", tmp_path, on_path)) == ["tip-jar-capacity"]
    (copy / ".python").unlink()
    assert started(copy / "tip-jar", tmp_path, on_path).stdout == f"path {source}\n"


@pytest.mark.parametrize("name", ["a", "x2", "tip-jar-2", "rpcs"])
def test_names_that_can_be_used(tmp_path: Path, name: str) -> None:
    done = rpcschema("plugin", "new", name, "--out", tmp_path, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert names_of_commands(started(tmp_path / name / name, tmp_path)) == [f"{name}-capacity"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "use lower-case ASCII letters"),
        ("Tip", "use lower-case ASCII letters"),
        ("tip_jar", "use lower-case ASCII letters"),
        ("tip--jar", "use lower-case ASCII letters"),
        ("-tip", ""),  # an option
        ("2tip", "use lower-case ASCII letters"),
        ("tip/jar", "use lower-case ASCII letters"),
        ("../tip", "use lower-case ASCII letters"),
        ("tip\n", "use lower-case ASCII letters"),
        ("caf\u00e9", "use lower-case ASCII letters"),
        ("class", "a keyword of Python"),
        ("json", "hide another one, json"),
        ("clnrpc", "hide another one, clnrpc"),
        ("pytest", "hide another one, pytest"),
        ("src", "has a folder of this name"),
        ("rpc", "begin with rpc_ belong to clnrpc"),
        ("rpc-x", "begin with rpc_ belong to clnrpc"),
        ("x" * 250, "File name too long"),
    ],
)
def test_other_names_are_refused_and_nothing_is_written(tmp_path: Path, name: str, why: str) -> None:
    done = rpcschema("plugin", "new", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "tip-jar"
    {"folder": place.mkdir, "file": place.touch, "link": lambda: place.symlink_to("nowhere")}[kind]()
    before = place.lstat()
    done = rpcschema("plugin", "new", "tip-jar", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rpcschema: tip-jar exists already: choose another name, or another --out\n"
    assert list(tmp_path.iterdir()) == [place]
    assert place.lstat() == before


@pytest.mark.parametrize(("out", "message"), [("nowhere", "nowhere is not a folder"), ("", "--out: expected")])
def test_a_parent_that_does_not_exist_is_refused(tmp_path: Path, out: str, message: str) -> None:
    done = rpcschema("plugin", "new", "tip-jar", "--out", out, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"rpcschema: {message}")
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    """No file may have more than 2 KiB, which some files of the project need."""
    script = f"ulimit -f 2; exec {sys.executable} -B -m rpcschema plugin new tip-jar"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rpcschema: File too large\n"
    assert not list(tmp_path.iterdir())
