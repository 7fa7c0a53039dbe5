"""The output folder holds exactly what was made, and nothing outside of it is touched."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from rpcschema.write import manifest
from rpcschema.write.manifest import DocumentRecord, Manifest, TargetEntry
from rpcschema.write.output import Change, OutputError, compare, diff, stays_inside, write
from tests.generator.commands import tree


def bring(out: Path, wanted: dict[str, bytes], previous: tuple[str, ...] = ()) -> tuple[Change, ...]:
    changes = compare(out, wanted, previous)
    write(out, changes, last=manifest.NAME)
    return changes


def test_writes_what_is_missing_and_leaves_the_rest(tmp_path: Path) -> None:
    bring(tmp_path / "out", {"a/b.txt": b"1", "c": b"2"})
    before = (tmp_path / "out/c").stat()
    assert [change.path for change in bring(tmp_path / "out", {"a/b.txt": b"3", "c": b"2"})] == ["a/b.txt"]
    assert tree(tmp_path / "out") == {"a/b.txt": b"3", "c": b"2"}
    after = (tmp_path / "out/c").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_files_are_as_readable_as_any_new_file(tmp_path: Path) -> None:
    bring(tmp_path / "out", {"a": b""})
    (tmp_path / "b").touch()
    assert (tmp_path / "out/a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_prunes_listed_files_and_folders_that_become_empty(tmp_path: Path) -> None:
    bring(tmp_path, {"a/b/c": b"", "a/d": b"", "e": b""})
    (tmp_path / "a/by-hand").touch()
    bring(tmp_path, {"e": b""}, ("a/b/c", "a/d", "e", "long-gone"))
    assert set(tree(tmp_path)) == {"a/by-hand", "e"}
    assert not (tmp_path / "a/b").exists()


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "", ".", "a//b", "a/./b", "a\\b", "a\0b", ".."])
def test_refuses_paths_that_lead_out(tmp_path: Path, path: str) -> None:
    assert not stays_inside(path)
    for wanted, previous in (({path: b""}, ()), ({}, (path,))):
        with pytest.raises(OutputError, match="is not a path inside"):
            compare(tmp_path / "out", wanted, previous)


@pytest.mark.parametrize("link", ["folder", "file"])
def test_refuses_links_that_lead_out(tmp_path: Path, link: str) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (elsewhere / "x").write_bytes(b"mine")
    path = "link/x" if link == "folder" else "link"
    (out / "link").symlink_to(elsewhere if link == "folder" else elsewhere / "x")
    for wanted, previous in (({path: b"new"}, ()), ({}, (path,))):
        with pytest.raises(OutputError, match="symbolic link"):
            compare(out, wanted, previous)
    assert (elsewhere / "x").read_bytes() == b"mine"


def test_link_to_the_output_folder_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    bring(tmp_path / "out", {"a": b"1"})
    assert tree(tmp_path / "real") == {"a": b"1"}


def test_link_to_itself_is_an_error_without_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        compare(tmp_path, {"a": b""}, ())


def test_nothing_changes_if_one_file_cannot_be_written(tmp_path: Path) -> None:
    bring(tmp_path, {"a": b"old", "b": b"old"})
    too_long = "n" * 300
    changes = (Change("a", b"old", b"new"), Change(f"{too_long}/x", None, b"new"), Change("b", b"old", None))
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
        write(tmp_path, changes, last=manifest.NAME)
    assert tree(tmp_path) == {"a": b"old", "b": b"old"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_nothing_changes_if_one_file_cannot_be_removed(tmp_path: Path) -> None:
    bring(tmp_path, {"a/x": b"old", "b/x": b"old", "c": b"old"})
    (tmp_path / "b").chmod(0o500)
    changes = (Change("a/x", b"old", None), Change("b/x", b"old", None), Change("c", b"old", b"new"))
    with pytest.raises(PermissionError, match="b/x"):
        write(tmp_path, changes, last=manifest.NAME)
    (tmp_path / "b").chmod(0o700)
    assert tree(tmp_path) == {"a/x": b"old", "b/x": b"old", "c": b"old"}


@pytest.mark.parametrize(("broken", "removed"), [("stale", False), ("zebra", True)])
def test_list_of_files_stays_the_old_one_if_anything_fails(tmp_path: Path, broken: str, removed: bool) -> None:
    bring(tmp_path, {manifest.NAME: b"old", "gone": b"", "new": b"old"})
    (tmp_path / broken).mkdir()
    changes = (
        Change("gone", b"", None),
        Change(manifest.NAME, b"old", b"new"),
        Change("new", b"old", b"new"),
        Change("stale", b"", None),
        Change("zebra", None, b"new"),
    )
    with pytest.raises(OSError, match=broken):
        write(tmp_path, changes, last=manifest.NAME)
    assert (tmp_path / manifest.NAME).read_bytes() == b"old"
    assert (tmp_path / "new").read_bytes() == (b"new" if removed else b"old")
    (tmp_path / broken).rmdir()
    write(tmp_path, changes, last=manifest.NAME)
    assert tree(tmp_path) == {manifest.NAME: b"new", "new": b"new", "zebra": b"new"}


def test_file_that_differs_and_is_not_listed_is_foreign(tmp_path: Path) -> None:
    bring(tmp_path, {"listed": b"1", "mine": b"1", "same": b"1"})
    changes = compare(tmp_path, {"listed": b"2", "mine": b"2", "same": b"1", "new": b"2"}, ["listed"])
    assert {change.path: change.is_foreign for change in changes} == {"listed": False, "mine": True, "new": False}


def test_folder_in_the_place_of_a_file_is_an_error_before_writing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        compare(tmp_path, {"a": b""}, ())


def test_diff_shows_changes_creations_and_removals() -> None:
    assert diff(Change("d/f", b"1\n2\n", b"1\n3")) == (
        "--- a/d/f\n+++ b/d/f\n@@ -1,2 +1,2 @@\n 1\n-2\n+3\n\\ No newline at end of file\n"
    )
    assert diff(Change("f", None, b"1\n")) == "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+1\n"
    assert diff(Change("f", b"\xff\n", None)) == "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-\\xff\n"


@pytest.mark.parametrize(
    "change",
    [
        Change("f", None, b""),
        Change("f", b"", None),
        Change("f", b"1\r\n", b"1\n"),
        Change("f", b"\xff", b"\xfe"),
        Change("f", b"\x0c", b"\x0b"),
    ],
)
def test_no_change_is_invisible_in_a_diff(change: Change) -> None:
    assert diff(change) != ""


RECORD = DocumentRecord(
    sha256="00",
    files={"model/rpc/a.json": "11"},
    parts={"p/b.py": 7},
    summary={"x": ["y"]},
    warnings=(("/a", "odd", "x"),),
)
ENTRY = TargetEntry(maker="22", documents={"rpc/a": RECORD}, files={"p/b.py": "33"}, frames={"p/b.py": (5, 1)})


def test_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = Manifest({"client": ENTRY, "empty": TargetEntry(maker="", documents={}, files={}, frames={})}, "p")
    (tmp_path / manifest.NAME).write_bytes(written.encode())
    assert manifest.read(tmp_path) == written
    assert manifest.read(tmp_path / "nowhere") == Manifest()


def test_manifest_is_plain_json_with_a_line_for_each_document_and_file() -> None:
    text = Manifest({"client": ENTRY}).encode().decode()
    assert json.loads(text)["targets"]["client"]["documents"]["rpc/a"]["parts"] == {"p/b.py": 7}
    assert [line.split(":")[0] for line in text.splitlines() if "/" in line.split(":")[0]] == ['"rpc/a"', '"p/b.py"']


def test_of_a_manifest_that_was_edited_only_the_list_of_files_is_believed(tmp_path: Path) -> None:
    text = Manifest({"client": ENTRY}).encode().decode()
    (tmp_path / manifest.NAME).write_text(text.replace('"33"', '"44"'))
    entry = manifest.read(tmp_path).targets["client"]
    assert entry == TargetEntry(maker="", documents={}, files={"p/b.py": "", "model/rpc/a.json": ""}, frames={})


def test_files_of_a_manifest_of_the_first_format_are_known(tmp_path: Path) -> None:
    entry = {"generator": "1", "package": "p", "documents": {"rpc/a": "00"}, "files": {"model/rpc/a.json": "11"}}
    (tmp_path / manifest.NAME).write_text(json.dumps({"format": 1, "targets": {"model": entry}}))
    assert list(manifest.read(tmp_path).targets["model"].paths) == ["model/rpc/a.json"]


def listing(**parts: object) -> str:
    entry = {"maker": "1", "documents": {}, "files": {}, "frames": {}} | parts
    return json.dumps({"format": manifest.FORMAT, "targets": {"man": entry}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a manifest"),
        ('{"format": "1"}', "not a manifest"),
        ('{"format": 3}', "not a manifest of format 3"),
        ('{"format": 4, "targets": {}}', "newer generator"),
        ('{"format": 3, "targets": {"man": []}}', "not a manifest of format 3"),
        ('{"format": 2, "targets": {"man": {}}}', "not a manifest of format 3"),
        (listing(files=[]), "not a manifest of format 3"),
        (listing(documents={"rpc/a": {}}), "not a manifest of format 3"),
        (listing(files={"../a": ""}), "lists '../a'"),
        (listing(documents={"rpc/a": {"files": {"/etc/passwd": ""}}}), "lists '/etc/passwd'"),
    ],
    ids=range(11),
)
def test_refuses_a_manifest_that_it_did_not_write(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / manifest.NAME).write_text(content)
    with pytest.raises(OutputError, match=message):
        manifest.read(tmp_path)
