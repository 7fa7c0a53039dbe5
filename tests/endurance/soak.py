"""`python -m tests.endurance.soak [COUNT]`: fills a store through a server, a million calls unless it is told.

Eight clients make invoice_requests, each waiting for its answer. Then one is listed by its id, and then all, while the
server's memory is watched. Prints a table; exits with 1 if the last thousand calls took longer than the first, or the
lists too long or too much. A tenth is allowed for noise, and calls are compared by their medians.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from tests.endurance.table import Figure, report
from tests.service.program import Program, Wire, request

COUNT: Final = 1_000_000
CLIENTS: Final = 8
COMPARED: Final = 1_000
NO_SLOWER: Final = 1.1
BY_ID_MS: Final = 2.0
PEAK_MIB: Final = 150
PROGRESS_SECONDS: Final = 10


def make(path: Path, count: int) -> Iterator[float]:
    """Make so many requests; yields how many seconds each took, in the order of the answers."""
    waiting, clients, begun = select.epoll(), {}, {}
    for _ in range(CLIENTS):
        client = socket.socket(socket.AF_UNIX)
        client.connect(os.fspath(path))
        clients[client.fileno()] = client
        waiting.register(client, select.EPOLLIN)
    messages = (
        request("invoicerequest", {"amount": 1000 + number, "description": f"number {number}", "label": "soak"})
        for number in range(count)
    )
    for number, client in clients.items():
        begun[number] = time.perf_counter()
        client.send(next(messages))
    left = count
    while left:
        for number, _ in waiting.poll():
            answer = clients[number].recv(1 << 16)
            now = time.perf_counter()
            yield now - begun[number]
            left -= 1
            assert answer.endswith(b"}}\n\n"), answer  # small enough to come in one piece
            assert b'"error"' not in answer, answer
            if (message := next(messages, None)) is not None:
                begun[number] = now
                clients[number].send(message)
    for client in clients.values():
        client.close()


def list_all(wire: Wire) -> tuple[int, int]:
    """List everything; how many requests came, in how many bytes. Keeps none of it."""
    wire.send(request("listinvoicerequests"))
    found = size = 0
    end = b""
    while not end.endswith(b"\n\n"):
        data = wire.socket.recv(1 << 20)
        assert data, "the server closed the connection in the middle of the list"
        text = end + data
        found += text.count(b'"invreq_id"') - end.count(b'"invreq_id"')
        size += len(data)
        end = text[-len(b'"invreq_id"') :]
    return found, size


def peak_mib(process: int) -> float:
    """Return the most memory that a process has held so far."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(count: int) -> tuple[Figure, ...]:
    """Return all figures; the last one is the peak of memory."""
    with tempfile.TemporaryDirectory(prefix="lno") as folder:
        program = Program(Path(folder))
        with program.served() as server, Wire(program.socket) as wire:
            started = reported = time.perf_counter()
            seconds = []
            for number, took in enumerate(make(program.socket, count), 1):
                if number <= COMPARED or number > count - COMPARED:
                    seconds.append(took)
                if sys.stderr.isatty() and time.perf_counter() - reported > PROGRESS_SECONDS:
                    reported = time.perf_counter()
                    print(f"{number:,} of {count:,}", file=sys.stderr)
            rate = count / (time.perf_counter() - started)
            first, last = median(seconds[:COMPARED]) * 1e3, median(seconds[-COMPARED:]) * 1e3
            most = NO_SLOWER * first
            made = wire.ask("invoicerequest", [1000, "the one"])["result"]["invreq_id"]
            by_id = []
            for _ in range(101):
                started = time.perf_counter()
                [item] = wire.ask("listinvoicerequests", [made])["result"]["invoicerequests"]
                by_id.append((time.perf_counter() - started) * 1e3)
                assert item["invreq_id"] == made
            before, started = peak_mib(server.pid), time.perf_counter()
            found, size = list_all(wire)
            took, peak = time.perf_counter() - started, peak_mib(server.pid)
            assert found == count + 1, f"{count + 1} were made, {found} are listed"
    return (
        Figure("all of them", f"{rate:,.0f} a second"),
        Figure(f"one of the first {COMPARED:,}", f"{first:.2f} ms"),
        Figure(f"one of the last {COMPARED:,}", f"{last:.2f} ms", f"{most:.2f} ms", last > most),
        Figure("one listed by its id", f"{median(by_id):.2f} ms", f"{BY_ID_MS:.0f} ms", median(by_id) > BY_ID_MS),
        Figure("all listed", f"{size / 1e6:,.0f} MB in {took:.1f} s"),
        Figure("the server's peak before that", f"{before:.0f} MiB"),
        Figure("the server's peak", f"{peak:.0f} MiB", f"{PEAK_MIB} MiB", peak > PEAK_MIB),
    )


def main(count: int) -> int:
    return report(f"{count:,} invoicerequests by {CLIENTS} clients", *measure(count))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
