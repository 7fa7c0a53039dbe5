"""`python -m tests.endurance.durability [ROUNDS]`: a server is killed under load, two hundred times unless it is told.

Eight clients make invoice_requests until the server is gone, at a random moment. Then all that was answered must be in
the store as it was told, and what was not answered must be there whole or not at all. Then, under strace, the order of
system calls is looked at, and some of them are made to fail: what was answered as done must be there. If a write fails,
the server must go on; if a sync fails, it must end. Prints a table; exits with 1 if anything is lost or half-made.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from lnoffers.bolt12 import InvoiceRequest
from tests.endurance.load import CLIENTS, Told, load
from tests.endurance.table import Figure, report
from tests.service.program import SECONDS, Program, Wire
from tests.service.tracing import order_of, tracer

ROUNDS: Final = 200
LONGEST_SECONDS: Final = 0.5
"""How long a round goes on at most until the server is killed."""
TRACED_CALLS: Final = 50
"""Of each client."""
UNSYNCED: Final = "fsync,fdatasync:error=EIO:when=40+9"
FAULTS: Final = {
    "a log that cannot be written (EIO)": "pwrite64:error=EIO:when=60+41",
    "a disk that is full now and then (ENOSPC)": "pwrite64:error=ENOSPC:when=60+41",
}


def stored(program: Program) -> dict[str, tuple[str, int]]:
    """Return the string and state of each stored request, by id, read without any code of the service."""
    with closing(sqlite3.connect(program.network_dir / "lnoffers.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT invreq_id, bolt12, status FROM invoicerequests").fetchall()
    return {invreq_id.hex(): (bolt12, status) for invreq_id, bolt12, status in rows}


def lost(told: list[dict[str, Any]], kept: dict[str, tuple[str, int]]) -> int:
    """Return how many of the answered requests are not in the store as they were answered."""
    return sum(kept.get(answer["invreq_id"]) != (answer["bolt12"], 3) for answer in told)


def half_made(kept: dict[str, tuple[str, int]]) -> int:
    """Return how many rows are not what an invoicerequest leaves."""
    return sum(
        status != 3 or InvoiceRequest.parse(bolt12).invreq_id.hex() != identity
        for identity, (bolt12, status) in kept.items()
    )


def kill_again_and_again(rounds: int) -> list[Figure]:
    told, unanswered, damaged, seen = Told(), 0, 0, dict[str, tuple[str, int]]()
    with tempfile.TemporaryDirectory(prefix="lno") as folder:
        program = Program(Path(folder))
        for number in range(rounds):
            if sys.stderr.isatty():
                print(f"round {number + 1} of {rounds}", file=sys.stderr)
            before = len(told.made)
            with program.served() as server:
                clients = threading.Thread(target=load, args=(program.socket, told, sys.maxsize))
                clients.start()
                time.sleep(random.uniform(0, LONGEST_SECONDS))
                server.kill()
                server.wait(SECONDS)
                clients.join(SECONDS)
            kept = stored(program)
            new = {identity: row for identity, row in kept.items() if identity not in seen}
            damaged += half_made(new)
            unanswered += len(new) - (len(told.made) - before)
            assert len(new) - (len(told.made) - before) <= CLIENTS, "more was made than could be under way"
            seen = kept
        missing = lost(told.made, seen)
    return [
        Figure("killed", f"{rounds} times"),
        Figure("answered", f"{len(told.made):,}"),
        Figure("answered and lost", f"{missing}", "0", missing > 0),
        Figure("made, but killed before the answer", f"{unanswered}"),
        Figure("half-made", f"{damaged}", "0", damaged > 0),
        Figure("errors", f"{len(told.errors)}", "0", bool(told.errors)),
    ]


def load_traced(program: Program, tracer: tuple[str, ...], told: Told) -> None:
    """Load a server that runs under strace, which takes no signal that would end it."""
    with program.served(under=tracer) as server, Wire(program.socket) as wire:
        load(program.socket, told, TRACED_CALLS)
        wire.ask("stop")
        server.wait(SECONDS)


def look_at_the_order() -> list[Figure]:
    told = Told()
    with tempfile.TemporaryDirectory(prefix="lno") as folder:
        program, trace = Program(Path(folder)), Path(folder, "trace")
        load_traced(program, tracer(trace), told)
        made = {answer["invreq_id"] for answer in told.made}
        order = order_of(trace, made)
        assert len(made) == CLIENTS * TRACED_CALLS
        assert len(order.durable) + len(order.too_early) == len(made)
    return [
        Figure("answers written with the log on disk", f"{len(order.durable)}, {order.syncs} flushes"),
        Figure("answers written before that", f"{len(order.too_early)}", "0", bool(order.too_early)),
    ]


def injecting(fault: str) -> tuple[str, ...]:
    return ("strace", "-f", "-o", "/dev/null", "-e", "trace=pwrite64,fsync,fdatasync", "-e", f"inject={fault}")


def figure(what: str, told: Told, program: Program) -> Figure:
    assert told.errors, "no call was hit"
    assert all(error["code"] == -1 and "The store failed: " in error["message"] for error in told.errors)
    kept = stored(program)
    missing = lost(told.made, kept) + half_made(kept)
    found = f"{len(told.made)} made, {len(told.errors)} refused, {missing} lost or half-made"
    return Figure(what, found, "0 lost or half-made", missing > 0)


def with_store(folder: str) -> Program:
    """Return the program on a directory with a store, so that no fault hits the many writes that create it."""
    program = Program(Path(folder))
    with program.served():
        return program


def fail_writes(what: str, fault: str) -> Figure:
    told = Told()
    with tempfile.TemporaryDirectory(prefix="lno") as folder:
        program = with_store(folder)
        load_traced(program, injecting(fault), told)
        assert told.made_after_errors, "the server did not recover"
        return figure(what, told, program)


def fail_syncs() -> Figure:
    told = Told()
    with tempfile.TemporaryDirectory(prefix="lno") as folder:
        program = with_store(folder)
        with program.served(under=injecting(UNSYNCED)) as server:
            load(program.socket, told, sys.maxsize)
            assert server.wait(SECONDS) == 2, "the server did not end"
        assert "it is unknown whether this call is stored" in told.errors[0]["message"]
        assert not told.made_after_errors, "it went on writing"
        return figure("a log that cannot be flushed (EIO)", told, program)


def main(rounds: int) -> int:
    return report(
        f"{CLIENTS} clients",
        *kill_again_and_again(rounds),
        *look_at_the_order(),
        *(fail_writes(what, fault) for what, fault in FAULTS.items()),
        fail_syncs(),
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
