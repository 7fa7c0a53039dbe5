"""The log: a slow reader delays no client, and dropped lines are counted; and the signals of a server."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lnoffers.service.errors import ServiceError
from lnoffers.service.serving.logs import QUEUED_LINES, Log, logging_to
from tests.service.program import SECONDS, Program, Wire, request, run

DROPPED = re.compile(r"WARNING The log was not read fast enough, so lines were dropped: (\d+)\n")
REFUSED = ["not an id"]
"""Parameters of listinvoicerequests that get a line of the log."""


def test_a_reader_of_standard_error_that_stalls_keeps_no_client_waiting(program: Program) -> None:
    calls = 4 * QUEUED_LINES
    with program.served() as server, Wire(program.socket) as wire:
        # Nobody reads the pipe, which takes a few hundred of these lines.
        for number in range(calls):
            wire.send(request("listinvoicerequests", REFUSED, number))
            assert b"see logs" in wire.answer()
        assert "result" in wire.ask("getinfo")
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    dropped = sum(int(count) for count in DROPPED.findall(errors))
    assert dropped > 0
    assert errors.count("Refused listinvoicerequests") + dropped == calls


def test_a_server_stops_though_its_log_is_never_read(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        for number in range(2 * QUEUED_LINES):
            wire.send(request("listinvoicerequests", REFUSED, number))
            wire.answer()
        server.terminate()
        assert server.wait(SECONDS) == 0


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Yield a logger that only the test's own log listens to."""
    made = logging.getLogger("tests.logs")
    made.propagate, made.level = False, logging.INFO
    yield made
    made.handlers.clear()


def test_what_is_dropped_is_reported_once_the_reader_comes_back(
    monkeypatch: pytest.MonkeyPatch, logger: logging.Logger
) -> None:
    readable, writable = os.pipe()
    with os.fdopen(writable, "w") as standard_error, os.fdopen(readable) as reader:
        monkeypatch.setattr("sys.stderr", standard_error)
        log = Log()
        logger.addHandler(log)
        told = 3 * QUEUED_LINES
        for number in range(told):
            logger.info("%d %s", number, "x" * 200)
        read: list[str] = []
        missing = told
        while missing:  # the end of the pipe does not come: the log is still open
            line = reader.readline()
            reported = DROPPED.search(line)
            missing -= int(reported[1]) if reported else 1
            read.append(line)
        assert DROPPED.search(read[-1]), "the count stands where the lines are missing: behind those that were queued"
        logger.info("later")
        assert reader.readline().endswith(" INFO later\n")
        log.close()


def test_lines_that_cannot_be_written_are_counted_until_one_can(
    monkeypatch: pytest.MonkeyPatch, logger: logging.Logger, tmp_path: Path
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full, which is always a full disk")
    with open("/dev/full", "w") as full, (tmp_path / "log").open("w") as good:  # noqa: PTH123
        monkeypatch.setattr("sys.stderr", full)
        log = Log()
        logger.addHandler(log)
        for _ in range(5):
            logger.info("lost")
        while log._dropped < 5:
            time.sleep(0.01)
        os.dup2(good.fileno(), full.fileno())
        logger.info("kept")
        log.close()
    assert "INFO kept\n" in (tmp_path / "log").read_text()
    assert DROPPED.findall((tmp_path / "log").read_text()) == ["5"]


def test_any_thread_may_log_and_no_line_is_torn(logger: logging.Logger, tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    logger.addHandler(log)
    threads = [threading.Thread(target=lambda: [logger.info("whole") for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 400
    assert all(line.endswith(" INFO whole") for line in lines)


def test_a_log_file_is_for_its_owner_alone_and_is_appended_to(program: Program) -> None:
    file = program.network_dir / "log"
    for _ in range(2):
        with program.served("--log-file", "log") as server, Wire(program.socket) as wire:
            wire.ask("listinvoicerequests", REFUSED)
            server.terminate()
            assert server.communicate(timeout=SECONDS)[1] == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().count("Refused listinvoicerequests") == 2


@pytest.mark.parametrize(("level", "lines"), [("info", 1), ("warning", 0), ("error", 0)])
def test_the_level_says_what_is_logged(program: Program, level: str, lines: int) -> None:
    with program.served("--log-level", level) as server, Wire(program.socket) as wire:
        wire.ask("listinvoicerequests", REFUSED)
        server.terminate()
        assert server.communicate(timeout=SECONDS)[1].count("Refused listinvoicerequests") == lines


def test_an_unknown_level_is_refused_with_the_known_ones(program: Program) -> None:
    outcome = run("serve", *program.flags, "--log-level", "loud")
    assert (outcome.code, outcome.err) == (
        2,
        "lnoffers: unknown log level 'loud': it is one of debug, info, warning, error\n",
    )


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "missing"])
def test_a_log_file_that_is_none_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "log", tmp_path / "other"
    match kind:
        case "link":
            other.touch()
            path.symlink_to(other)
        case "fifo":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "missing":
            path = tmp_path / "missing" / "log"
    with pytest.raises(ServiceError, match=f"cannot open the log {path}: "), logging_to(path, "info"):
        pass
    assert not other.exists() or other.read_bytes() == b""


def test_sighup_opens_the_log_file_again_and_ends_nothing(program: Program) -> None:
    file, moved = program.network_dir / "log", program.network_dir / "log.1"
    with program.served("--log-file", str(file)) as server, Wire(program.socket) as wire:
        wire.ask("listinvoicerequests", REFUSED)
        while "Refused listinvoicerequests" not in file.read_text():
            assert server.poll() is None
        file.rename(moved)
        server.send_signal(signal.SIGHUP)
        while not file.exists():
            assert server.poll() is None
        wire.ask("listoffers", REFUSED)
        server.terminate()
        server.wait(SECONDS)
    assert "Refused listoffers" not in moved.read_text()
    assert "Refused listoffers" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_log_file_that_cannot_be_opened_again_goes_on_and_says_so(program: Program) -> None:
    file, moved = program.network_dir / "log", program.network_dir / "log.1"
    with program.served("--log-file", "log") as server, Wire(program.socket) as wire:
        file.rename(moved)
        file.mkdir()
        server.send_signal(signal.SIGHUP)
        while "cannot open the log" not in moved.read_text():
            assert server.poll() is None
        wire.ask("listoffers", REFUSED)
        server.terminate()
        server.wait(SECONDS)
    assert f"WARNING cannot open the log {file}: Is a directory. The log goes on" in moved.read_text()
    assert "Refused listoffers" in moved.read_text()


def test_sighup_ends_nothing_where_there_is_no_log_file(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        for _ in range(3):
            server.send_signal(signal.SIGHUP)
            assert "result" in wire.ask("getinfo")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
def test_a_signal_ends_the_server_in_good_order(program: Program, name: str) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        wire.send(b"".join(request("invoicerequest", [1000, f"number {number}"], number) for number in range(30)))
        assert b'"id":0,"result"' in wire.answer()
        server.send_signal(getattr(signal, name))
        assert all(b'"result"' in wire.answer() for _ in range(29)), "what has arrived is answered"
        assert wire.is_closed()
        assert server.wait(SECONDS) == 0
    left = sorted(path.name for path in program.network_dir.iterdir())
    assert left == ["hsm_secret", "lnoffers.sqlite3", "lnoffers.sqlite3.fence", "lnoffers.sqlite3.payers"]
    assert [*(program.network_dir / left[-1]).iterdir()] == []
