"""The command: where releases are, the forms of its output, and its exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rpcschema.read.packed import MAX_BYTES
from tests.generator.commands import rpcschema
from tests.project.changes import PAGE, page

FILL: dict[str, Any] = {
    "rpc": "fill",
    "title": "Fill a tank",
    "description": ["Fills it."],
    "request": {"required": ["tank"], "properties": {"tank": {"type": "string"}, "litres": {"type": "u32"}}},
    "response": {
        "required": ["level"],
        "properties": {"level": {"type": "u32"}, "old": {"type": "u32", "deprecated": ["v25.02", "v26.04"]}},
    },
}


def write(folder: Path, document: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fill.json").write_text(json.dumps(document))


def changed() -> dict[str, Any]:
    """Return the document without `old`, with a shorter list of litres, and with a field of a later release."""
    new: dict[str, Any] = json.loads(json.dumps(FILL))
    del new["response"]["properties"]["old"]
    new["request"]["properties"]["litres"]["type"] = "u16"
    new["response"]["properties"]["temperature"] = {"type": "u8", "added": "v26.06"}
    return new


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Return a folder with both releases."""
    write(tmp_path / "old", FILL)
    write(tmp_path / "new", changed())
    return tmp_path


def test_prints_a_line_for_each_change(folders: Path) -> None:
    done = rpcschema("diff", "old", "new", cwd=folders)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "callers   implem.  ",
        "command fill",
        "breaking  safe      parameter-type-narrowed request.litres: u32 -> u16",
        "risky     safe      field-removed response.old: u32; deprecated in v25.02, removed after v26.04; window kept",
        "safe      safe      field-added response.temperature: u8",
        "old -> new: 3 changes; for callers 1 breaking, 1 risky, 1 safe",
    ]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--fail-on", "breaking"], 1),
        (["--fail-on", "any"], 1),
        (["--fail-on", "breaking", "--for", "implementers"], 0),
        (["--fail-on", "any", "--for", "implementers"], 1),
    ],
)
def test_fails_on_what_was_asked_for(folders: Path, options: list[str], code: int) -> None:
    assert rpcschema("diff", "old", "new", *options, cwd=folders).returncode == code


def test_nothing_changed_fails_on_nothing(folders: Path) -> None:
    done = rpcschema("diff", "old", "old", "--fail-on", "any", cwd=folders)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "old -> old: no change")


def test_a_promise_that_was_broken_is_told(folders: Path) -> None:
    early = json.loads(json.dumps(FILL))
    early["response"]["properties"]["old"]["deprecated"] = ["v26.04", "v26.12"]
    write(folders / "old", early)
    printed = rpcschema("diff", "old", "new", cwd=folders).stdout
    assert "removed after v26.12; window not kept: v26.06 is without it" in printed


def test_json_has_every_change(folders: Path) -> None:
    found = json.loads(rpcschema("diff", "old", "new", "--json", cwd=folders).stdout)
    assert found["changes"][0] == {
        "rule": "parameter-type-narrowed",
        "callers": "breaking",
        "implementers": "safe",
        "kind": "command",
        "document": "fill",
        "path": "request.litres",
        "before": "u32",
        "after": "u16",
        "notice": "",
        "hidden": False,
    }


def test_markdown_begins_with_what_breaks(folders: Path) -> None:
    printed = rpcschema("diff", "old", "new", "--markdown", cwd=folders).stdout
    first, *_ = printed.split("### ")[1:]
    assert first == "Breaking changes\n\n- `fill` `request.litres`: parameter-type-narrowed: `u32` → `u16`\n\n"


def test_github_gets_annotations_at_the_file(folders: Path) -> None:
    first, *_ = rpcschema("diff", "old", "new", "--github", cwd=folders).stdout.splitlines()
    title = "title=parameter-type-narrowed%3A command fill"
    assert first == f"::error file=new/fill.json,{title}::request.litres: u32 -> u16"


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("place", ["doc/schemas", "."])
def test_reads_revisions_of_a_repository(tmp_path: Path, place: str) -> None:
    repository = tmp_path / "lightning"
    git(tmp_path, "init", "-q", "lightning")
    for name, document in (("v1", FILL), ("v2", changed())):
        write(repository / place, document)
        git(repository, "add", ".")
        git(repository, "commit", "-qm", name)
        git(repository, "tag", name)
    printed = rpcschema("diff", "lightning@v1", "lightning@v2", cwd=tmp_path).stdout
    assert (
        printed.splitlines()[-1] == "lightning@v1 -> lightning@v2: 3 changes; for callers 1 breaking, 1 risky, 1 safe"
    )
    printed = rpcschema("diff", "lightning@v1", "lightning", cwd=tmp_path).stdout
    assert "3 changes" in printed


@pytest.mark.parametrize(
    ("old", "message"),
    [
        (
            "nowhere",
            "rpcschema: nowhere: expected a folder of documents, a checkout of Core Lightning, REPO@REVISION, a file "
            "that rpcschema pack has written, or one of the releases v24.08, v24.11, ",
        ),
        ("new@--output=x", "rpcschema: new@--output=x: expected a folder of documents"),
        ("new@main", "rpcschema: new: git finds no files at the revision 'main'"),
        ("new/fill.json", "rpcschema: new/fill.json: not a release that rpcschema pack has written"),
    ],
)
def test_says_what_is_no_release(folders: Path, old: str, message: str) -> None:
    done = rpcschema("diff", old, "new", cwd=folders)
    assert done.returncode == 2
    assert done.stderr.startswith(message)


def test_a_document_that_cannot_be_read_is_an_error(folders: Path) -> None:
    (folders / "old" / "fill.json").write_text("{")
    done = rpcschema("diff", "old", "new", cwd=folders)
    assert done.returncode == 2
    assert done.stderr.endswith("rpcschema: nothing was compared: mend the documents first\n")


def test_two_forms_exclude_each_other(folders: Path) -> None:
    done = rpcschema("diff", "old", "new", "--json", "--github", cwd=folders)
    assert (done.returncode, done.stderr) == (2, "rpcschema: --json and --github exclude each other: choose one\n")


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.project.changes"


def test_knows_the_releases_of_core_lightning(tmp_path: Path) -> None:
    printed = rpcschema("diff", "v24.11", "v26.06", cwd=tmp_path).stdout
    assert "command graceful\nsafe      breaking  command-added\n" in printed


def test_reads_what_pack_has_written(folders: Path) -> None:
    done = rpcschema("pack", "old", "kept/v1.json.gz", cwd=folders)
    assert (done.returncode, done.stdout) == (0, "1 documents\n")
    packed = (folders / "kept" / "v1.json.gz").read_bytes()
    rpcschema("pack", "old", "kept/v1.json.gz", cwd=folders)
    assert (folders / "kept" / "v1.json.gz").read_bytes() == packed
    printed = rpcschema("diff", "kept/v1.json.gz", "new", cwd=folders).stdout
    assert printed.splitlines()[-1] == "kept/v1.json.gz -> new: 3 changes; for callers 1 breaking, 1 risky, 1 safe"


@pytest.mark.parametrize(
    ("place", "file", "message"),
    [
        ("old", "v1.json", "rpcschema: v1.json: the name of a packed release ends in .json.gz\n"),
        ("empty", "v1.json.gz", "rpcschema: nothing was written: mend the documents first\n"),
    ],
)
def test_packs_only_what_diff_can_read(folders: Path, place: str, file: str, message: str) -> None:
    (folders / "empty").mkdir()
    done = rpcschema("pack", place, file, cwd=folders)
    assert done.returncode == 2
    assert done.stderr.endswith(message)
    assert not (folders / file).exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        gzip.compress(b"{}"),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b"[]")[:-4],
        b"\x1f\x8b" + bytes(20),
    ],
    ids=["empty", "text", "an object", "deeply nested", "cut off", "no stream"],
)
def test_a_broken_file_is_no_release(folders: Path, content: bytes) -> None:
    (folders / "old.json.gz").write_bytes(content)
    done = rpcschema("diff", "old.json.gz", "new", cwd=folders)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rpcschema: old.json.gz: not a release that rpcschema pack has written\n"


def test_a_file_that_grows_without_end_is_no_release(folders: Path) -> None:
    (folders / "old.json.gz").write_bytes(gzip.compress(b"[" + b" " * MAX_BYTES + b"]"))
    assert "not a release" in rpcschema("diff", "old.json.gz", "new", cwd=folders).stderr
