"""A run makes again what changed, and nothing else; what it leaves is what a run from nothing would have made."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcschema import generate as generating
from rpcschema.settings import Settings
from rpcschema.targets import TARGETS
from rpcschema.write import manifest, output
from tests.generator.commands import rpcschema, tree
from tests.shared import ROOT

Run = Callable[..., "CompletedProcess[str]"]
SHARED = {
    *("docs/index.md", "manifest.json", "tank/calls.py", "tank/commands.py", "tank/service.py"),
    "tank/types/__init__.py",
}


def document(name: str, *, title: str = "A tank", kind: str = "rpc", **request: Any) -> str:
    """Return a command with a parameter for each member of `request`."""
    empty = {"properties": {}}
    return json.dumps(
        {"type": "object", kind: name, "title": title, "description": [f"About {name}."]}
        | {"request": {"properties": request} if kind == "rpc" else empty, "response": empty}
    )


def write_schemas(folder: Path, documents: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in documents.items():
        (folder / f"{name}.json").write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a package made from three documents."""
    names = {"drain": document("drain"), "fill": document("fill", tank={"type": "u32"}), "level": document("level")}
    write_schemas(tmp_path / "schemas", names)
    assert rpcschema("generate", "schemas", "--package", "tank", cwd=tmp_path).returncode == 0
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    def call(command: str = "generate", *more: str, **environment: str) -> CompletedProcess[str]:
        return rpcschema(command, "schemas", "--package", "tank", *more, cwd=folder, **environment)

    return call


def changed(folder: Path, run: Run) -> set[str]:
    """Return the files that a run writes or removes, and assert that the output equals that of a run from nothing."""
    before = tree(folder / "generated")
    assert run().returncode == 0
    after = tree(folder / "generated")
    assert run("generate", "--out", "anew").returncode == 0
    assert after == tree(folder / "anew")
    return {path for path in before | after if before.get(path) != after.get(path)}


def test_nothing_is_written_if_nothing_changed(folder: Path, run: Run) -> None:
    assert run().stdout == "generated: 0 written, 0 removed\n"


def test_nothing_slow_is_imported_if_nothing_changed(folder: Path) -> None:
    code = (
        "import sys; from rpcschema.cli.main import app; app(['generate', 'schemas', '--package', 'tank']);"
        "print({'black', 'datamodel_code_generator', 'jinja2', 'jsonschema', 'markdown_it'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "generated: 0 written, 0 removed\nset()\n"


def test_a_changed_document_changes_its_own_files_and_its_parts_of_shared_ones(folder: Path, run: Run) -> None:
    (folder / "schemas/fill.json").write_text(document("fill", tank={"type": "u16"}, unit={"type": "string"}))
    own = {"docs/fill.md", "man/lightning-fill.7", "model/rpc/fill.json", "tank/types/fill.py"}
    shared = {"manifest.json", "tank/calls.py", "tank/commands.py"}
    assert changed(folder, run) == own | shared


def test_a_document_more_or_less_changes_nothing_of_the_others(folder: Path, run: Run) -> None:
    (folder / "schemas/empty.json").write_text(document("empty"))
    own = {"docs/empty.md", "man/lightning-empty.7", "model/rpc/empty.json", "tank/types/empty.py"}
    assert changed(folder, run) == own | SHARED
    (folder / "schemas/empty.json").unlink()
    assert changed(folder, run) == own | SHARED


@pytest.mark.parametrize("path", ["docs/fill.md", "tank/calls.py", "tank/runtime/errors.py", "docs/index.md"])
def test_a_file_that_was_edited_by_hand_or_removed_is_made_anew(folder: Path, run: Run, path: str) -> None:
    (folder / "generated" / path).write_text("mine")
    assert changed(folder, run) == {path}
    (folder / "generated" / path).unlink()
    assert changed(folder, run) == {path}


def test_a_manifest_that_does_not_tell_the_truth_is_found_by_check_and_ended_by_fresh(folder: Path, run: Run) -> None:
    out = folder / "generated"
    true = manifest.read(out)
    lie = manifest.sha256(b"forged")
    record = true.targets["markdown"].documents["rpc/fill"]
    (out / "docs/fill.md").write_bytes(b"forged")
    record.files["docs/fill.md"] = lie  # type: ignore[index] # written as only a forger would
    (out / manifest.NAME).write_bytes(true.encode())
    assert run().stdout == "generated: 0 written, 0 removed\n"
    done = run("check")
    assert done.returncode == 1
    assert "-forged" in done.stdout
    assert run("generate", "--fresh").stdout == "generated: 2 written, 0 removed\n"
    assert run("check").returncode == 0


def test_a_manifest_that_was_edited_is_not_believed(folder: Path, run: Run) -> None:
    file = folder / "generated" / manifest.NAME
    file.write_text(file.read_text().replace('"method": "fill"', '"method": "drain"'))
    assert changed(folder, run) == {manifest.NAME}


def test_another_generator_makes_all_anew(folder: Path) -> None:
    site = folder / "site/rpcschema"
    shutil.copytree(ROOT / "generator/rpcschema", site, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    shutil.copytree(ROOT / "templates", site / "templates")
    arguments = ("generate", "schemas", "--package", "tank")
    path = str(folder / "site")
    assert rpcschema(*arguments, cwd=folder, PYTHONPATH=path).stdout == "generated: 0 written, 0 removed\n"
    template = site / "templates/markdown/page.md.jinja"
    template.write_text(template.read_text() + "The end.\n")
    done = rpcschema(*arguments, cwd=folder, PYTHONPATH=path)
    assert done.stdout == "generated: 4 written, 0 removed\n"
    assert (folder / "generated/docs/fill.md").read_text().endswith("The end.\n")


def test_other_settings_make_all_anew(folder: Path, run: Run) -> None:
    done = run("generate", "--target", "python", "--target", "man")
    assert done.returncode == 0
    assert '"Client"' not in (folder / "generated/tank/__init__.py").read_text().split("__all__")[1]


def test_warnings_about_unchanged_documents_are_repeated(folder: Path, run: Run) -> None:
    (folder / "schemas/odd.json").write_text(document("odd", x={"type": "u8", "descriptoin": []}))
    first = run()
    assert "odd.json: /request/properties/x/descriptoin: warning:" in first.stderr
    again = run()
    assert (again.stdout, again.stderr) == ("generated: 0 written, 0 removed\n", first.stderr)


def test_a_full_document_takes_the_place_of_facts_and_gives_it_back(folder: Path, run: Run) -> None:
    facts = json.loads(document("empty")) | {"$schema": "urn:rpcschema:facts"}
    (folder / "schemas/facts.json").write_text(json.dumps(facts))
    assert changed(folder, run) == {"tank/types/empty.py"} | SHARED - {"docs/index.md"}
    (folder / "schemas/empty.json").write_text(document("empty", x={"type": "u8"}))
    pages = {"docs/empty.md", "docs/index.md", "man/lightning-empty.7", "model/rpc/empty.json"}
    parts = {"manifest.json", "tank/calls.py", "tank/commands.py"}
    assert changed(folder, run) == {"tank/types/empty.py"} | pages | parts
    assert run().stdout == "generated: 0 written, 0 removed\n"
    (folder / "schemas/empty.json").unlink()
    assert changed(folder, run) == {"tank/types/empty.py"} | pages | parts


def test_a_clash_with_an_unchanged_document_is_an_error(folder: Path, run: Run) -> None:
    (folder / "schemas/FILL.json").write_text(document("FILL"))
    done = run()
    assert done.returncode == 2
    assert "both make the file man/lightning-fill.7" in done.stderr
    assert run("check").stderr == done.stderr


NAMES = ("a", "b-c", "b_d", "zz")
EDITS = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.sampled_from(["A", "B | c"]), st.sampled_from(["u8", "msat"])), min_size=1
)


@settings(max_examples=8)
@given(st.lists(EDITS, min_size=2, max_size=4))
def test_any_series_of_edits_ends_where_a_run_from_nothing_does(
    tmp_path_factory: pytest.TempPathFactory, series: list[dict[str, tuple[str, str]]]
) -> None:
    work = tmp_path_factory.mktemp("edits")

    def bring(out: str, *, trusts_manifest: bool) -> dict[str, bytes]:
        run = generating.Run(
            roots=[work / "schemas"],
            out=work / out,
            settings=Settings(package="tank", targets=TARGETS),
            targets=TARGETS,
            trusts_manifest=trusts_manifest,
        )
        outcome = generating.generate(run)
        assert outcome.changes is not None
        output.write(run.out, outcome.changes, last=manifest.NAME)
        return tree(run.out)

    for edit in series:
        made = {name: document(name, title=title, p={"type": kind}) for name, (title, kind) in edit.items()}
        write_schemas(work / "schemas", made)
        in_steps = bring("steps", trusts_manifest=True)
        assert in_steps == bring("anew", trusts_manifest=False)


def many(folder: Path) -> list[str]:
    """Return a command line that works for a while on documents in `many`, in two processes."""
    write_schemas(folder / "many", {f"c{at}": document(f"c{at}", x={"type": "u8"}) for at in range(400)})
    return [sys.executable, "-m", "rpcschema", "generate", "many", "--package", "tank", "--jobs", "2"]


def wait_for_workers(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes that do the work, as soon as they run: they are children of a child, which forks them."""
    while process.poll() is None:
        found = [pid for child in children(process.pid) for pid in children(child)]
        if len(found) == 2:
            return found
        time.sleep(0.01)
    pytest.fail("it ended before it began")


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc here")


@needs_proc
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("victim", "sent"), [("group", signal.SIGINT), ("process", signal.SIGINT), ("process", signal.SIGTERM)]
)
def test_an_interrupt_leaves_the_old_output_and_no_process(folder: Path, victim: str, sent: signal.Signals) -> None:
    before = tree(folder / "generated")
    with subprocess.Popen(
        many(folder), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        workers = wait_for_workers(process)
        (os.killpg if victim == "group" else os.kill)(process.pid, sent)
        said, complained = process.communicate()
    assert (process.returncode, said, complained) == (2, "", "rpcschema: interrupted\n")
    assert tree(folder / "generated") == before
    assert not [pid for pid in workers if Path(f"/proc/{pid}/exe").exists()]


def test_a_run_waits_for_another_one_in_its_folder(folder: Path) -> None:
    write_schemas(folder / "schemas", {"new": document("new", x={"type": "u8"})})
    before = tree(folder / "generated")
    command = [sys.executable, "-m", "rpcschema", "generate", "schemas", "--package", "tank"]
    other = os.open(folder / "generated", os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "rpcschema: waiting for another run in generated\n"
        assert tree(folder / "generated") == before
        os.close(other)
        process.communicate()
    assert process.returncode == 0
    assert tree(folder / "generated") != before


@needs_proc
def test_processes_that_share_the_work_end_with_the_one_that_is_killed(folder: Path) -> None:
    before = tree(folder / "generated")
    with subprocess.Popen(many(folder), cwd=folder) as process:
        workers = wait_for_workers(process)
        process.kill()
    while any(Path(f"/proc/{pid}/exe").exists() for pid in workers):
        time.sleep(0.01)
    assert tree(folder / "generated") == before


@needs_proc
def test_a_worker_that_dies_is_an_error_without_traceback(folder: Path) -> None:
    before = tree(folder / "generated")
    with subprocess.Popen(
        many(folder), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.kill(wait_for_workers(process)[0], signal.SIGKILL)
        said, complained = process.communicate()
    assert (process.returncode, said, len(complained.splitlines())) == (2, "", 1)
    assert "terminated abruptly" in complained
    assert tree(folder / "generated") == before
