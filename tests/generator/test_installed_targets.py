"""A target of another package: an entry point to a function that makes files of all documents."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.generator.commands import rpcschema, tree
from tests.shared import ROOT

Run = Callable[..., "CompletedProcess[str]"]
EXAMPLE = ROOT / "docs/examples/commands_csv.py"
NOTHING = "generated: 0 written, 0 removed\n"


def install(
    site: Path, source: str, *, package: str = "tank-csv", module: str = "tank_csv", version: str = "1"
) -> None:
    """Install a distribution with one module and its target `csv`, as pip does."""
    site.mkdir(exist_ok=True)
    (site / f"{module}.py").write_text(source)
    for old in site.glob(f"{module}-*.dist-info"):
        shutil.rmtree(old)
    info = site / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[rpcschema.targets]\ncsv = {module}:commands\n")


def returning(expression: str) -> str:
    """Return a module whose target returns the value of an expression."""
    return f"def commands(documents, settings):\n    return {expression}\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs `rpcschema` on three documents, with what is installed in the folder `site`."""
    shutil.copytree(ROOT / "tests/cases/every-target/schemas", tmp_path / "schemas")

    def call(*targets: str, command: str = "generate", more: tuple[str, ...] = ()) -> CompletedProcess[str]:
        chosen = [word for target in targets for word in ("--target", target)]
        arguments = ("schemas", "--package", "tank", *chosen, *more)
        return rpcschema(command, *arguments, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site"))

    return call


def test_the_example_of_the_guide_makes_a_table_of_the_commands(tmp_path: Path, run: Run) -> None:
    install(tmp_path / "site", EXAMPLE.read_text())
    done = run("csv", "markdown")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "generated/commands.csv").read_text().splitlines() == [
        "command,title,parameters,deprecated",
        "tank-level,Command that tells a tank's level,tank unit in_mm,",
    ]
    assert (tmp_path / "generated/docs/tank-level.md").exists()
    assert run("csv", "markdown").stdout == NOTHING
    assert run("csv", "markdown", command="check").returncode == 0


def test_a_document_that_changes_makes_the_target_run_with_all_documents(tmp_path: Path, run: Run) -> None:
    install(tmp_path / "site", returning('{"n": " ".join(each.title for each in documents).encode()}'))
    run("csv")
    before = (tmp_path / "generated/n").read_text()
    file = tmp_path / "schemas/tank_dry.json"
    file.write_text(file.read_text().replace('"title": "', '"title": "New: ', 1))
    assert run("csv").stdout == "generated: 2 written, 0 removed\n"
    after = (tmp_path / "generated/n").read_text()
    assert after != before
    assert after.replace("New: ", "") == before


def test_another_release_of_the_target_and_another_source_are_noticed(tmp_path: Path, run: Run) -> None:
    site = tmp_path / "site"
    source = "from importlib.metadata import version\n" + returning('{"v": version("tank-csv").encode()}')
    install(site, source)
    run("csv", "man")
    install(site, source, version="2")
    assert run("csv", "man").stdout == "generated: 2 written, 0 removed\n"
    assert (tmp_path / "generated/v").read_text() == "2"
    install(site, returning('{"v": b"mine"}'), version="2")
    assert run("csv", "man").stdout == "generated: 2 written, 0 removed\n"
    assert (tmp_path / "generated/v").read_text() == "mine"
    assert run("csv", "man").stdout == NOTHING


def test_a_file_that_was_edited_is_made_again_and_one_that_is_no_longer_made_is_removed(
    tmp_path: Path, run: Run
) -> None:
    install(tmp_path / "site", returning('{"a.txt": b"a", "b/b.txt": b"b"}'))
    run("csv")
    (tmp_path / "generated/b/b.txt").write_text("edited")
    assert run("csv").stdout == "generated: 1 written, 0 removed\n"
    install(tmp_path / "site", returning('{"a.txt": b"a"}'))
    assert run("csv").stdout == "generated: 1 written, 1 removed\n"
    assert set(tree(tmp_path / "generated")) == {"a.txt", "manifest.json"}


@pytest.mark.parametrize("path", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "", "a//b", "a\\\\b", "."])
def test_a_path_out_of_the_folder_is_an_error(tmp_path: Path, run: Run, path: str) -> None:
    install(tmp_path / "site", returning(f'{{"{path}": b""}}'))
    done = run("csv")
    assert done.returncode == 2
    assert "target csv makes a file whose path does not stay inside the output folder: '" in done.stderr
    assert not (tmp_path / "generated").exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("docs/index.md", "target markdown and target csv both make the file docs/index.md"),
        ("DOCS/index.md", "target markdown and target csv both make the file DOCS/index.md"),
        ("docs", "target csv makes the file docs, which is a folder for target markdown"),
        ("docs/index.md/x", "target markdown makes the file docs/index.md, which is a folder for target csv"),
        ("manifest.json", "the generator and target csv both make the file manifest.json"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["together", "later"])
def test_a_path_of_another_target_is_an_error(
    tmp_path: Path, run: Run, path: str, message: str, *, together: bool
) -> None:
    install(tmp_path / "site", returning(f'{{"{path}": b""}}'))
    if not together:
        assert run("markdown").returncode == 0
    before = tree(tmp_path / "generated")
    done = run("markdown", "csv") if together else run("csv")
    assert done.returncode == 2
    assert message in done.stderr
    assert tree(tmp_path / "generated") == before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (returning("1 / 0"), "target csv failed: ZeroDivisionError: division by zero ("),
        (returning("[]"), "target csv failed: it returned list; expected a mapping of paths to bytes"),
        (returning('{"a": "text"}'), "target csv failed: it returned str for 'a'; expected bytes for a path"),
        ("import nowhere\n", "target csv failed: tank_csv:commands cannot be loaded: ModuleNotFoundError"),
        ("", "target csv failed: tank_csv:commands cannot be loaded: AttributeError"),
    ],
    ids=["raises", "no mapping", "no bytes", "import", "attribute"],
)
def test_a_target_that_fails_is_reported_without_a_traceback(
    tmp_path: Path, run: Run, source: str, message: str
) -> None:
    install(tmp_path / "site", source)
    done = run("csv")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_no_package_has_gets_a_suggestion(tmp_path: Path, run: Run) -> None:
    install(tmp_path / "site", returning("{}"))
    done = run("csvs")
    assert done.returncode == 2
    assert "there is no target 'csvs'; did you mean 'csv'?; there are python, " in done.stderr.replace("\n", " ")


def test_two_packages_with_one_target_are_an_error(tmp_path: Path, run: Run) -> None:
    install(tmp_path / "site", returning("{}"))
    install(tmp_path / "site", returning("{}"), package="other-csv", module="other_csv")
    done = run("csv")
    assert done.returncode == 2
    assert "other-csv 1 and tank-csv 1 both have a target 'csv'; uninstall one of them" in done.stderr


def test_the_table_of_the_project_names_the_target(tmp_path: Path, run: Run) -> None:
    install(tmp_path / "site", returning('{"a.txt": b"a"}'))
    table = '[tool.rpcschema]\npackage = "tank"\ntargets = ["csv", "man"]\n'
    (tmp_path / "pyproject.toml").write_text(table)
    assert run().returncode == 0
    assert (tmp_path / "generated/a.txt").exists()
    assert (tmp_path / "generated/man").is_dir()
