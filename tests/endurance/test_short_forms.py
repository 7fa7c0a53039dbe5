"""The endurance sessions in short, without what only a quiet machine can tell."""

from __future__ import annotations

import gc
import socket
import tempfile
from pathlib import Path

from tests.endurance import durability, fuzz_socket, soak
from tests.endurance.load import Told, load
from tests.service.tracing import needs_strace


def test_a_store_that_was_filled_through_a_server_is_listed_whole_in_little_memory() -> None:
    *_, peak = soak.measure(1_000)
    assert not peak.missed, peak.found


@needs_strace
def test_a_server_killed_under_load_has_kept_what_it_answered_and_survives_a_failing_disk() -> None:
    assert durability.main(4) == 0


def test_clients_that_nobody_serves_leave_no_socket_open() -> None:
    """As after a kill. Python warns of a socket that nobody closes, and a warning is an error here."""
    with tempfile.TemporaryDirectory(prefix="lno") as directory, socket.socket(socket.AF_UNIX) as silent:
        path = Path(directory, "socket")
        silent.bind(str(path))
        load(path, Told(), calls=1)
        gc.collect()


def test_mutated_requests_are_answered_or_their_connections_closed() -> None:
    assert fuzz_socket.main(1_500, fuzz_socket.SEED) == 0
