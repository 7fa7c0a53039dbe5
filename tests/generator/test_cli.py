"""The command: arguments, exit codes, messages, and that the same input gives the same bytes however it is run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from rpcschema.model.nodes import FACTS
from tests.generator.commands import rpcschema, tree
from tests.shared import ROOT

SCHEMAS = ROOT / "tests/cases/every-construct/schemas"

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with documents in `schemas`, none of them with problems."""
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    odd = tmp_path / "schemas/tank-fill.json"
    raw = json.loads(odd.read_text())
    response = raw["response"]
    del raw["$schema"], raw["examples"], response["x-colour"], response["properties"]["ghost"]
    response["required"].remove("nowhere")
    del response["allOf"][0]["else"]
    odd.write_text(json.dumps(raw))
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Run `rpcschema COMMAND schemas --package tank --target model …` in `folder`."""

    def call(command: str, *more: str) -> CompletedProcess[str]:
        return rpcschema(command, "schemas", "--package", "tank", "--target", "model", *more, cwd=folder)

    return call


def test_generate_then_check(folder: Path, run: Run) -> None:
    done = run("generate")
    assert (done.returncode, done.stdout, done.stderr) == (0, "generated: 5 written, 0 removed\n", "")
    done = run("check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_shows_what_is_out_of_date_and_writes_nothing(folder: Path, run: Run) -> None:
    run("generate")
    document = folder / "schemas/notification/tank.json"
    document.write_text(document.read_text().replace("Sent when", "Told when"))
    (folder / "generated/model/rpc/tank-fill.json").unlink()
    before = tree(folder / "generated")
    done = run("check")
    assert done.returncode == 1
    assert '-    "Sent when a level changes."\n+    "Told when a level changes."\n' in done.stdout
    assert "--- /dev/null\n+++ b/model/rpc/tank-fill.json\n" in done.stdout
    assert done.stderr == "rpcschema: generated: 3 out of date; rpcschema generate brings them up to date\n"
    assert tree(folder / "generated") == before


def test_document_that_is_gone_takes_its_files_along(folder: Path, run: Run) -> None:
    run("generate")
    shutil.rmtree(folder / "schemas/hook")
    assert run("check").returncode == 1
    assert run("generate").stdout == "generated: 1 written, 1 removed\n"
    assert set(tree(folder / "generated")) == {
        "manifest.json",
        "model/notification/tank_level.json",
        "model/rpc/tank-fill.json",
        "model/schema.json",
    }


def test_target_leaves_files_of_other_targets_alone(folder: Path, run: Run) -> None:
    run("generate")
    manifest = json.loads((folder / "generated/manifest.json").read_text())
    manifest["targets"]["man"] = manifest["targets"]["model"] | {"documents": {}, "files": {"man/old.7": ""}}
    (folder / "generated/manifest.json").write_text(json.dumps(manifest))
    (folder / "generated/man").mkdir()
    (folder / "generated/man/old.7").touch()
    for _ in range(2):
        assert run("generate").stdout.endswith(" written, 0 removed\n")
    assert (folder / "generated/man/old.7").exists()


def test_file_that_it_did_not_make_is_never_overwritten(folder: Path, run: Run) -> None:
    mine = folder / "generated/model/rpc/tank-fill.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = run("generate")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "generated/model/rpc/tank-fill.json: error: in the way, and not known to be generated",
        "rpcschema: nothing was written: move these files away, or choose another --out"
        " (if only generated/manifest.json was lost, remove generated and generate again)",
    ]
    assert tree(folder / "generated") == {"model/rpc/tank-fill.json": b"mine"}
    assert "-mine" in run("check").stdout


@pytest.mark.parametrize("command", ["generate", "check"])
@pytest.mark.parametrize("target", [[], ["--target", "model"]])
def test_output_folder_of_another_package_is_refused(folder: Path, run: Run, command: str, target: list[str]) -> None:
    run("generate")
    before = tree(folder / "generated")
    done = rpcschema(command, "schemas", "--package", "barrel", *target, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "rpcschema: generated holds the package tank: choose another --out for barrel, or remove generated to rename"
        " the package\n",
    )
    assert tree(folder / "generated") == before


def test_lost_manifest_does_no_harm_while_the_files_are_as_they_should_be(folder: Path, run: Run) -> None:
    run("generate")
    (folder / "generated/manifest.json").unlink()
    assert run("generate").stdout == "generated: 1 written, 0 removed\n"


@pytest.mark.parametrize(("roots", "out"), [("schemas", "schemas/made"), (".", "generated"), ("schemas", "link")])
def test_output_is_never_put_among_the_documents(folder: Path, roots: str, out: str) -> None:
    (folder / "link").symlink_to("schemas")
    done = rpcschema("generate", roots, "--package", "tank", "--target", "model", "--out", out, cwd=folder)
    assert (done.returncode, done.stderr) == (
        2,
        f"rpcschema: {out} is inside of {roots}, which is searched for documents; choose another --out\n",
    )
    assert not list(folder.rglob("manifest.json"))


def test_who_says_everything_needs_no_readable_project(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.rpcschema")
    assert rpcschema("generate", "schemas", "--target", "model", cwd=folder).returncode == 2
    assert rpcschema("generate", "schemas", "--package", "tank", "--target", "model", cwd=folder).returncode == 0


def test_name_that_a_terminal_cannot_show_is_escaped(folder: Path, run: Run) -> None:
    args = ("schemas", "--package", "tank", "--target", "model", "--out", "caf\u00e9")
    done = rpcschema("generate", *args, cwd=folder, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, "caf\\xe9: 5 written, 0 removed\n", "")


@pytest.mark.parametrize(
    ("file", "content", "start"),
    [
        ("templates/markdown/page.md.jinja", "\n{{ nothing }}", "markdown/page.md.jinja:2: "),
        ("templates/markdown/page.md.jinja", "{{ 1 // 0 }}", "markdown/page.md.jinja:1: "),
        ("templates/markdown/page.md.jinja", "{% if %}", "markdown/page.md.jinja:1: "),
        (
            "text/page.py",
            "from rpcschema.problems import RenderError\ndef print_page(*_):\n    raise RenderError('no')",
            "no",
        ),
    ],
    ids=range(4),
)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_target_that_fails_names_the_document(folder: Path, file: str, content: str, start: str, jobs: str) -> None:
    installed = folder / "site/rpcschema"
    shutil.copytree(ROOT / "generator/rpcschema", installed, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    shutil.copytree(ROOT / "templates", installed / "templates")
    (installed / file).write_text(content)
    options = ("--package", "tank", "--target", "markdown", "--jobs", jobs)
    done = rpcschema("generate", "schemas/hook", *options, cwd=folder, PYTHONPATH=str(folder / "site"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"schemas/hook/tank.json: error: target markdown failed: {start}")
    assert done.stderr.count("\n") == 1


def test_manifest_that_lists_files_elsewhere_removes_nothing(folder: Path, run: Run) -> None:
    run("generate")
    mine = folder / "mine"
    mine.touch()
    manifest = folder / "generated/manifest.json"
    manifest.write_text(manifest.read_text().replace("model/rpc/tank-fill.json", "../mine"))
    done = run("generate")
    assert done.returncode == 2
    assert "generated/manifest.json: lists '../mine'" in done.stderr
    assert mine.exists()


def test_same_bytes_whatever_the_order_the_hash_seed_and_the_jobs(folder: Path) -> None:
    backwards = sorted(map(str, (folder / "schemas").rglob("*.json")), reverse=True)
    results = []
    for roots, jobs, seed in ((["schemas"], "1", "0"), (["schemas"], "2", "1"), (backwards, "1", "2")):
        out = folder / f"out{seed}"
        options = ("--package", "tank", "--target", "model", "--out", out, "--jobs", jobs)
        done = rpcschema("generate", *roots, *options, cwd=folder, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        results.append(tree(out))
    assert results[0] == results[1] == results[2]


def test_two_documents_may_not_make_the_same_file(folder: Path, run: Run) -> None:
    text = (folder / "schemas/tank-fill.json").read_text()
    (folder / "schemas/upper.json").write_text(text.replace('"tank-fill"', '"Tank-fill"'))
    done = run("generate")
    assert (done.returncode, done.stderr) == (
        2,
        "schemas/tank-fill.json: error: target model (schemas/upper.json) and target model (schemas/tank-fill.json)"
        " both make the file model/rpc/tank-fill.json\n",
    )
    assert not (folder / "generated").exists()


def test_error_in_one_document_writes_nothing_at_all(folder: Path, run: Run) -> None:
    run("generate")
    before = tree(folder / "generated")
    (folder / "schemas/tank-fill.json").write_text("{")
    (folder / "schemas/hook/tank.json").unlink()
    done = run("generate")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("schemas/tank-fill.json: line 1 column 2: error: not JSON")
    assert tree(folder / "generated") == before


PROJECT = """
[tool.rpcschema]
schemas = ["docs/schemas"]
out = "made"
package = "tank"
targets = ["model"]
"""


def test_table_of_the_nearest_project_gives_what_is_not_said(tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS, tmp_path / "docs/schemas")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "docs/pyproject.toml").write_text("[project]\n")
    done = rpcschema("generate", cwd=tmp_path / "docs")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made/model/rpc/tank-fill.json").exists()


@pytest.mark.parametrize(
    ("given", "release"),
    [
        ([], "'v26.09'"),
        (["--release", "v26.06"], "'v26.06'"),
        (["docs/schemas", "--out", "made"], "None"),  # the table does not speak of these documents
        (["docs/schemas", "--out", "made", "--release", "v26.06"], "'v26.06'"),
    ],
)
def test_package_names_the_release_of_its_documents(tmp_path: Path, given: list[str], release: str) -> None:
    shutil.copytree(SCHEMAS, tmp_path / "docs/schemas")
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace('["model"]', '["python"]') + 'release = "v26.09"\n')
    assert rpcschema("generate", *given, cwd=tmp_path).returncode == 0
    source = (tmp_path / "made/tank/commands.py").read_text().replace('"', "'")
    assert f"RELEASE: Final[str | None] = {release}\n" in source


def test_target_that_the_project_drops_takes_its_files_along(tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS, tmp_path / "docs/schemas")
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace('["model"]', '["model", "man"]'))
    assert rpcschema("generate", cwd=tmp_path).returncode == 0
    assert (tmp_path / "made/man").exists()
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert rpcschema("generate", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "made/man").exists()


def test_facts_are_in_the_package_and_on_no_page(folder: Path) -> None:
    request = {"required": ["tank"], "properties": {"tank": {"type": "string"}}}
    raw = {"rpc": "tank-drain", "title": "Drain", "description": [], "request": request, "response": {}}
    (folder / "schemas/tank-drain.json").write_text(json.dumps(raw | {"$schema": FACTS}))
    assert rpcschema("generate", "schemas", "--package", "tank", cwd=folder).returncode == 0
    made = tree(folder / "generated")
    assert "tank/types/tank_drain.py" in made
    assert b'def tank_drain(self, tank: str) -> TankDrainResponse:\n        """Drain."""\n' in made["tank/calls.py"]
    assert b"def tank_drain" in made["tank/service.py"]
    assert not [path for path in made if "drain" in path and not path.startswith("tank/")]
    assert b"drain" not in made["docs/index.md"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[tool.rpcschema", "not readable as TOML"),
        ("[tool]\nrpcschema = 1", "[tool.rpcschema]: expected a table"),
        (
            "[tool.rpcschema]\nschema = []",
            "[tool.rpcschema]: unknown schema; there are corrections, errors, facts, lint, out, ",
        ),
        ("[tool.rpcschema]\nschemas = 'a'", "[tool.rpcschema]: schemas: expected a list of strings"),
        ("[tool.rpcschema]\nout = ''", "[tool.rpcschema]: out: expected a path"),
        ("[tool.rpcschema]\nout = 1", "[tool.rpcschema]: out: expected a string"),
        ("[tool.rpcschema]\nfacts = ['x']", "[tool.rpcschema]: facts: expected a string"),
        ("[tool.rpcschema]\nschemas = ['x']", "--package is needed"),
        ("[tool.rpcschema]\npackage = 'x'", "SCHEMAS is needed"),
        ("[tool.rpcschema]\nschemas = ['x']\npackage = 'x'\ntargets = ['mann']", "there is no target 'mann'"),
        ("[tool.rpcschema]\nschemas = ['x']\npackage = 'x'\nrelease = '26.09'", "'26.09' does not name a release"),
        ("[tool.rpcschema]\nschemas = ['x']\npackage = 'x'\nrelease = 26.09", "release: expected a string"),
        ("[tool.rpcschema]\nschemas = ['x']\npackage = 'x'\nruntime = 'mine'", "there is no runtime 'mine'"),
        ("[tool.rpcschema]\nschemas = ['x']\npackage = 'clnrpc'\nruntime = 'clnrpc'", "another name than clnrpc"),
    ],
    ids=range(14),
)
def test_unusable_table_is_refused(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    done = rpcschema("check", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["generate", "schemas", "--package", "class"], "rpcschema: 'class' cannot be the name of a package"),
        (["generate", "schemas", "--package", "../x"], "rpcschema: '../x' cannot be the name of a package"),
        (["generate", "schemas", "--package", "a.b"], "rpcschema: 'a.b' cannot be the name of a package"),
        (["generate", "schemas", "--package", ""], "rpcschema: '' cannot be the name of a package"),
        (["generate", "schemas", "--package", "Docs"], "rpcschema: 'Docs' cannot be the name of a package: the folder"),
        (["generate", "schemas", "--package", "json"], "it would hide Python's own module json"),
        (["generate", "schemas", "--package", "__future__"], "it would hide Python's own module __future__"),
        (["generate", "schemas", "--package", "msgspec"], "it would hide msgspec, which it has to import"),
        (["generate", "schemas", "--package", "a", "--out", ""], "rpcschema: --out: expected the name of a folder"),
        (["generate", "schemas", "--package", "a", "--jobs", "0"], "--jobs"),
        (["generate", "schemas", "--package", "a", "--target", "all"], "rpcschema: there is no target 'all'"),
        (["generate", "schemas", "--package", "a", "--release", "v26.09.1"], "'v26.09.1' does not name a release"),
        (["generate", "schemas", "--package", "a", "--runtime", ""], "there is no runtime ''; there are own, clnrpc"),
        (["generate", "schemas", "--package", "a", "--nonsense"], "--nonsense"),
        (["generate", "nowhere", "--package", "a"], "nowhere: error: cannot be read: No such file or directory"),
        (["generate", "schemas", "--package", "a", "--target", "model", "--out", "file/x"], "Not a directory"),
        (["explode"], "explode"),
    ],
    ids=range(17),
)
def test_what_cannot_work_says_so_in_one_line(folder: Path, args: list[str], message: str) -> None:
    (folder / "file").touch()
    done = rpcschema(*args, cwd=folder)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert not (folder / "generated").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_folder_without_permission_is_an_error_without_traceback(folder: Path, run: Run) -> None:
    (folder / "generated").mkdir(mode=0o500)
    done = run("generate")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "Permission denied" in done.stderr


def test_reader_that_has_seen_enough_is_no_traceback(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "rpcschema", "check", "schemas", "--package", "tank", "--target", "model"]
    done = subprocess.run(command, cwd=folder, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode != 0
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_disk_is_an_error_without_traceback(folder: Path, run: Run) -> None:
    assert run("generate").returncode == 0
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "rpcschema", "generate", "schemas", "--package", "tank", "--target", "model"]
        done = subprocess.run(command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "rpcschema: No space left on device\n")


@pytest.mark.parametrize("command", [[], ["generate"], ["check"]])
def test_help_is_there_for_all(tmp_path: Path, command: list[str]) -> None:
    done = rpcschema(*command, "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: rpcschema" in done.stdout


def test_messages_have_no_colours_and_no_bar_in_a_pipe(folder: Path, run: Run) -> None:
    (folder / "schemas/bad.json").write_text('{"\\u001b[31m": 1}')
    assert "\x1b" not in run("generate").stderr
    (folder / "schemas/bad.json").unlink()
    assert run("generate").stderr == ""
