"""A folder of templates replaces ours of the same names, for one run or in the project's table."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.generator.commands import rpcschema, tree
from tests.shared import ROOT

Run = Callable[..., "CompletedProcess[str]"]
PAGE = ROOT / "templates/markdown/page.md.jinja"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that generates or checks three documents, in the folder of the test."""
    shutil.copytree(ROOT / "tests/cases/every-target/schemas", tmp_path / "schemas")

    def call(*more: str, command: str = "generate") -> CompletedProcess[str]:
        return rpcschema(command, "schemas", "--package", "tank", *more, cwd=tmp_path)

    return call


def replace(folder: Path, name: str, text: str) -> None:
    """Write a template of the user."""
    file = folder / "mine" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_template_replaces_ours_and_leaves_the_others(tmp_path: Path, run: Run) -> None:
    run("--target", "markdown", "--target", "man")
    before = tree(tmp_path / "generated")
    replace(tmp_path, "markdown/page.md.jinja", PAGE.read_text() + "\nMade by us.\n")
    assert run("--target", "markdown", "--target", "man", "--templates", "mine").returncode == 0
    after = tree(tmp_path / "generated")
    changed = {path for path in after if after[path] != before[path]}
    assert changed == {"docs/tank-level.md", "docs/notification/tank_dry.md", "docs/hook/tank_full.md", "manifest.json"}
    assert after["docs/tank-level.md"].endswith(b"\nMade by us.\n")


def test_the_template_of_the_dataclasses_can_be_replaced(tmp_path: Path, run: Run) -> None:
    ours = (ROOT / "templates/python/dataclass.jinja2").read_text()
    replace(tmp_path, "python/dataclass.jinja2", ours.replace("@dataclass", "# mine\n@dataclass"))
    assert run("--templates", "mine").returncode == 0
    assert b"# mine\n@dataclass" in tree(tmp_path / "generated/tank")["types/tank_level.py"]


def test_a_changed_template_is_noticed_and_an_unchanged_one_makes_nothing_again(tmp_path: Path, run: Run) -> None:
    replace(tmp_path, "markdown/page.md.jinja", "one\n")
    run("--templates", "mine")
    assert run("--templates", "mine").stdout == "generated: 0 written, 0 removed\n"
    assert run("--templates", "mine", command="check").returncode == 0
    replace(tmp_path, "markdown/page.md.jinja", "two\n")
    assert run("--templates", "mine", command="check").returncode == 1
    assert run("--templates", "mine").stdout == "generated: 4 written, 0 removed\n"
    assert (tmp_path / "generated/docs/tank-level.md").read_text() == "two\n"
    assert run().stdout == "generated: 4 written, 0 removed\n"


def test_where_the_templates_are_does_not_matter(tmp_path: Path, run: Run) -> None:
    replace(tmp_path, "man/page.7.jinja", "a\n")
    run("--templates", "mine")
    (tmp_path / "mine").rename(tmp_path / "moved")
    assert run("--templates", str(tmp_path / "moved")).stdout == "generated: 0 written, 0 removed\n"


def test_the_table_of_the_project_names_the_folder(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests/cases/every-target/schemas", tmp_path / "schemas")
    replace(tmp_path, "markdown/page.md.jinja", "from the table\n")
    table = '[tool.rpcschema]\nschemas = ["schemas"]\npackage = "tank"\ntemplates = "mine"\n'
    (tmp_path / "pyproject.toml").write_text(table)
    (tmp_path / "below").mkdir()
    assert rpcschema("generate", "--out", "out", cwd=tmp_path / "below").returncode == 0
    assert (tmp_path / "below/out/docs/tank-level.md").read_text() == "from the table\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("man/page.7.jinj", "did you mean 'man/page.7.jinja'?"), ("notes.txt", "there are client/calls.py.jinja, ")],
)
def test_a_template_that_replaces_nothing_is_an_error(tmp_path: Path, run: Run, name: str, hint: str) -> None:
    replace(tmp_path, name, "x\n")
    done = run("--templates", "mine")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"rpcschema: mine/{name}: there is no template '{name}' to replace; {hint}")
    assert not (tmp_path / "generated").exists()


def test_a_folder_that_is_not_there_is_an_error(run: Run) -> None:
    assert run("--templates", "nowhere").stderr == "rpcschema: nowhere: the folder of templates does not exist\n"


def test_an_error_in_a_template_names_its_file_and_line(tmp_path: Path, run: Run) -> None:
    replace(tmp_path, "markdown/page.md.jinja", "fine\n{{ nothing_like_it }}\n")
    done = run("--templates", "mine", "--target", "markdown")
    assert done.returncode == 2
    assert "target markdown failed: mine/markdown/page.md.jinja:2: 'nothing_like_it' is undefined" in done.stderr
    assert "Traceback" not in done.stderr
