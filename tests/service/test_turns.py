"""No client keeps the others waiting: a turn is short, and who was not served in one is the first in the next."""

from __future__ import annotations

import json
import time

from tests.service.program import Program, Wire, request, while_served


class SlowEntropy:
    """Takes its time, and counts."""

    def __init__(self) -> None:
        self.draws = 0

    def draw(self, size: int) -> bytes:
        time.sleep(0.02)
        self.draws += 1
        return self.draws.to_bytes(size, "big")


def many(count: int) -> bytes:
    """Calls of which each takes its time."""
    return b"".join(request("invoicerequest", [1000, "x"], number) for number in range(count))


def test_a_turn_ends_after_a_while_and_its_answers_are_sent(program: Program) -> None:
    entropy = SlowEntropy()

    def ask() -> None:
        with Wire(program.socket) as busy, Wire(program.socket) as other:
            busy.send(many(32))
            while not entropy.draws:
                time.sleep(0.001)
            assert other.ask("help", ["stop"])["result"]
            assert entropy.draws < 16
            assert [json.loads(busy.answer())["id"] for _ in range(32)] == list(range(32))

    while_served(program, ask, entropy=entropy)


def test_clients_that_keep_the_server_busy_take_turns(program: Program) -> None:
    def ask() -> None:
        with Wire(program.socket) as one, Wire(program.socket) as two, Wire(program.socket) as three:
            clients = (one, two, three)
            for client in clients:
                assert client.ask("help", ["stop"])["result"]
            for client in clients:
                client.send(many(32))
            for _ in range(12):
                one.answer()
            assert not two.is_silent(0)
            assert not three.is_silent(0)
            for client, count in zip(clients, (20, 32, 32), strict=True):
                assert all("result" in json.loads(client.answer()) for _ in range(count))

    while_served(program, ask, entropy=SlowEntropy())
