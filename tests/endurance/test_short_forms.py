"""The endurance sessions in short, without what only a quiet machine can tell."""

from __future__ import annotations

from tests.endurance import durability, fuzz_socket, soak
from tests.service.tracing import needs_strace


def test_a_store_that_was_filled_through_a_server_is_listed_whole_in_little_memory() -> None:
    *_, peak = soak.measure(1_000)
    assert not peak.missed, peak.found


@needs_strace
def test_a_server_killed_under_load_has_kept_what_it_answered_and_survives_a_failing_disk() -> None:
    assert durability.main(4) == 0


def test_mutated_requests_are_answered_or_their_connections_closed() -> None:
    assert fuzz_socket.main(1_500, fuzz_socket.SEED) == 0
