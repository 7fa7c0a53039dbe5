"""The files of a node: links, and files that others can access, are refused; errors name the file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lnoffers.service.errors import ListenError, SecretError, StoreError
from lnoffers.service.secret import load_keys
from lnoffers.service.serving.listening import MAX_PATH, locked_pid_file
from lnoffers.service.store import Identity, Store
from lnoffers.service.store.examination import examine
from lnoffers.service.store.store import back_up
from tests.service.program import Program, run, write_secret

OWNER = Identity("regtest", b"\x02" * 33)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o666])
def test_refuses_a_secret_that_others_may_read_or_write(tmp_path: Path, mode: int) -> None:
    secret = tmp_path / "hsm_secret"
    write_secret(secret, bytes(range(32)))
    secret.chmod(mode)
    why = f"{secret}: others may read or write it (mode {mode:04o}). Do: chmod 600 {secret}"
    with pytest.raises(SecretError) as refused:
        load_keys(secret, None)
    assert str(refused.value) == why


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_takes_a_secret_that_is_its_owner_s_alone(tmp_path: Path, mode: int) -> None:
    secret = tmp_path / "hsm_secret"
    write_secret(secret, bytes(range(32)))
    secret.chmod(mode)
    assert load_keys(secret, None)


def test_a_secret_may_be_reached_by_a_link_and_what_that_leads_to_counts(tmp_path: Path) -> None:
    write_secret(tmp_path / "kept" / "secret", bytes(range(32)))
    link = tmp_path / "hsm_secret"
    link.symlink_to(tmp_path / "kept" / "secret")
    assert load_keys(link, None)
    (tmp_path / "kept" / "secret").chmod(0o644)
    with pytest.raises(SecretError, match="others may read"):
        load_keys(link, None)


@pytest.mark.parametrize("kind", ["directory", "fifo"])
def test_refuses_a_secret_that_is_not_a_regular_file(tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "hsm_secret"
    secret.mkdir() if kind == "directory" else os.mkfifo(secret)
    with pytest.raises(SecretError, match="hsm_secret is not a regular file"):
        load_keys(secret, None)


def test_the_program_refuses_an_open_secret_and_makes_nothing(program: Program) -> None:
    (program.network_dir / "hsm_secret").chmod(0o644)
    for outcome in (program.call("getinfo"), run("serve", *program.flags)):
        assert (outcome.code, "chmod 600" in outcome.err) == (2, True)
        assert [path.name for path in program.network_dir.iterdir()] == ["hsm_secret"]


def test_refuses_a_link_for_the_pid_file_and_leaves_what_it_leads_to(tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "pid"
    precious.write_bytes(b"")
    link.symlink_to(precious)
    with pytest.raises(ListenError, match=f"pid file {link}: pid is a symbolic link"), locked_pid_file(link):
        pass
    precious.unlink()
    with pytest.raises(ListenError, match="is a symbolic link"), locked_pid_file(link):
        pass
    assert not precious.exists()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_refuses_a_link_for_the_store_or_a_file_beside_it(tmp_path: Path, suffix: str) -> None:
    path, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    Store.open(None, path, OWNER).close()
    link = path.with_name(path.name + suffix)
    if not suffix:
        path.rename(elsewhere)
    link.symlink_to(elsewhere)
    before = elsewhere.read_bytes() if elsewhere.exists() else None
    for use in (
        lambda: Store.open(None, path, OWNER),
        lambda: Store.is_new(None, path),
        lambda: back_up(None, path, tmp_path / "copy"),
        lambda: list(examine(None, path, "regtest")),
    ):
        with pytest.raises(StoreError, match=f"store{suffix} is a symbolic link"):
            use()
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == before
    assert not (tmp_path / "copy").exists()


def test_refuses_a_link_where_a_new_store_would_be(program: Program, tmp_path: Path) -> None:
    (program.network_dir / "lnoffers.sqlite3").symlink_to(tmp_path / "elsewhere")
    outcome = program.call("getinfo")
    assert (outcome.code, "is a symbolic link" in outcome.err) == (2, True)
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_may_be_reached_by_a_link(program: Program, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(program.directory)
    assert Program(tmp_path / "link").call("getinfo").code == 0


@pytest.mark.parametrize("kind", ["link", "broken link"])
def test_a_copy_does_not_follow_a_link(program: Program, tmp_path: Path, kind: str) -> None:
    program.call("invoicerequest", "1sat", "x")
    precious, link = tmp_path / "precious", tmp_path / "copy"
    if kind == "link":
        precious.write_text("mine")
    link.symlink_to(precious)
    refused = run("backup", *program.flags, str(link))
    assert (refused.code, "exists: choose another name" in refused.err) == (2, True)
    assert not precious.exists() or precious.read_text() == "mine"


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(no_node: Program) -> None:
    deep = Program(no_node.directory / ("x" * MAX_PATH))
    outcome = run("serve", *deep.flags)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"lnoffers: {deep.socket} is too long for a socket")
    assert not any(no_node.directory.iterdir())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of a mebibyte."""
    made = tmp_path / "disk"
    made.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(made)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a file system to fill")
    try:
        yield made
    finally:
        subprocess.run(["umount", str(made)], check=True)


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 5, 8, 13, 21])
def test_a_full_disk_at_the_start_is_told_with_the_file(disk: Path, pages: int) -> None:
    """Wherever in the start the disk is full: the pid file has the first page."""
    fill(disk / "filling", leaving=pages)
    outcome = run("serve", "--lightning-dir", str(disk / "node"), "--network", "regtest")
    assert (outcome.code, outcome.out) == (2, "")
    last = outcome.err.splitlines()[-1]
    assert last.startswith("lnoffers: ")
    assert str(disk / "node") in last
    assert "Traceback" not in outcome.err
    assert any(why in last for why in ("No space left on device", "disk is full", "disk I/O error")), last


def fill(file: Path, leaving: int) -> None:
    """Fill the disk but for some pages."""
    free = os.statvfs(file.parent)
    file.write_bytes(bytes((free.f_bavail - leaving) * free.f_bsize))
