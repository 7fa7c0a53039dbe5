"""Owning the socket and the pid file."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from lnoffers.service.errors import ListenError
from lnoffers.service.serving.listening import MAX_PATH, bound_socket, is_served, locked_pid_file
from tests.service.program import Program, run


@pytest.fixture
def path(program: Program) -> Path:
    """Return a path short enough for a socket."""
    return program.directory / "rpc"


def test_nobody_serves_a_path_without_a_socket_or_too_long_for_one(path: Path) -> None:
    assert not is_served(path)
    assert not is_served(path / "below")
    assert not is_served(path.with_name("x" * MAX_PATH))
    path.touch()
    assert not is_served(path)
    assert not is_served(path / "below")


def test_a_bound_socket_is_private_and_serves_nobody_before_it_listens(path: Path) -> None:
    with bound_socket(path) as listener:
        assert path.stat().st_mode & 0o777 == 0o600
        assert not is_served(path)
        listener.listen()
        assert is_served(path)


def test_a_path_may_be_as_long_as_the_system_allows_and_no_longer(path: Path) -> None:
    longest = path.with_name("x" * (MAX_PATH - len(f"{path.parent}/")))
    with bound_socket(longest):
        assert longest.exists()
    with pytest.raises(ListenError, match="is too long for a socket"), bound_socket(Path(f"{longest}x")):
        pass


def test_a_server_too_busy_to_accept_is_a_server(path: Path) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(bound_socket(path))
        listener.listen(0)
        refused = 0
        while refused == 0:
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            refused = waiting.connect_ex(os.fspath(path))
        assert is_served(path)
        with pytest.raises(ListenError, match="in use"), bound_socket(path):
            pass


def test_refuses_a_place_where_no_socket_can_be_made(path: Path) -> None:
    with pytest.raises(ListenError, match="cannot make the socket"), bound_socket(path / "missing" / "rpc"):
        pass


def test_the_pid_file_is_held_by_one_at_a_time_and_names_it(path: Path) -> None:
    with locked_pid_file(path):
        assert path.read_text() == f"{os.getpid()}\n"
        with pytest.raises(ListenError, match=f"process {os.getpid()}"), locked_pid_file(path):
            pass
    with locked_pid_file(path):
        pass


def test_refuses_a_pid_file_that_cannot_be_opened(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ListenError, match="Is a directory"), locked_pid_file(path):
        pass


def test_leaves_alone_what_is_no_pid_file(path: Path) -> None:
    for content in ("a note of mine\n", "12", "12\n13\n", "1" * 30 + "\n"):
        path.write_text(content)
        with pytest.raises(ListenError, match="is no pid file"), locked_pid_file(path):
            pass
        assert path.read_text() == content
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ListenError, match="is not a regular file"), locked_pid_file(path):
        pass


def test_takes_over_the_pid_file_of_a_crash(path: Path) -> None:
    path.write_text("99999999\n")
    with locked_pid_file(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_the_option_pid_file_names_the_file_that_is_held(program: Program) -> None:
    with program.served("--pid-file", "mine.pid") as server:
        assert (program.directory / "mine.pid").read_text() == f"{server.pid}\n"
        assert not (program.directory / "lnoffers-regtest.pid").exists()
        refused = run("serve", *program.flags, "--pid-file", "mine.pid", "--rpc-file", "other")
        assert (refused.code, refused.out) == (2, "")
        assert f"another server (process {server.pid})" in refused.err
    missing = run("serve", *program.flags, "--pid-file", "nowhere/mine.pid")
    assert (missing.code, "nowhere/mine.pid: No such file" in missing.err) == (2, True)


def test_a_bound_socket_is_removed_in_the_end_but_never_that_of_another(path: Path) -> None:
    with bound_socket(path):
        pass
    assert not path.exists()
    with bound_socket(path):
        path.unlink()
        other = socket.socket(socket.AF_UNIX)
        other.bind(os.fspath(path))
    other.close()
    assert path.exists()
