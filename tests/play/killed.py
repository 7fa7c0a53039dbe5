"""`python -m tests.play.killed [ROUNDS]`: a server is killed while it pays, or while it is paid, at random moments.

In each round two invoices arrive for one request of a single use. A moment later the payer's server or the payee's is
killed, and started again. Then one of the invoices must be paid, once, in the books of both sides. If the payer was
killed before it had stored anything, the first invoice is sent once more. Prints a table; exits with 1 if a payment is
lost or made twice.
"""

from __future__ import annotations

import os
import random
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from threading import Timer
from typing import Any, Final

from clnrpc import Client
from lnoffers.bolt12 import Invoice, new_hsm_secret
from lnstandin.play.ledger import NAME
from tests.endurance.table import Figure, report
from tests.peers.conftest import Served
from tests.peers.stranger import connected
from tests.play.servers import SENDER, Payee, deliver
from tests.service.program import SECONDS, Program, until

ROUNDS: Final = 200
LONGEST_SECONDS: Final = 0.02
"""The longest time from the invoices to the kill. A payment takes about 10 ms."""
PAUSE: Final = 0.3
"""Seconds between two attempts to have an invoice paid."""
OPEN: Final = {"claimed", "paying", "unknown"}


class Side:
    """A server that is killed and started again, always at the same port."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._program = Program(folder)
        self._program.give_secret(new_hsm_secret(os.urandom(16)))
        self._port = free_port()
        self._flags = (*flags, "--backend", "play", "--addr", f"127.0.0.1:{self._port}", "--log-file", "log")
        self._running = ExitStack()
        self.served = self._start()

    def restart(self) -> None:
        """Start the server again."""
        self.stop()
        self.served = self._start()

    def stop(self) -> None:
        """Stop the server."""
        self._running.close()

    def rows(self, file: str, query: str, *values: Any) -> list[Any]:
        """Return what a file of the server has, read without any code of the service."""
        with closing(sqlite3.connect(self._program.network_dir / file)) as connection:
            return connection.execute(query, values).fetchall()

    def _start(self) -> Served:
        process: Popen[str] = self._running.enter_context(self._program.served(*self._flags))
        client = self._running.enter_context(Client(self._program.socket))
        return Served(self._program, process, client, client.getinfo().id, self._port)


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Found:
    """What was found in all rounds."""

    killed_in: Counter[str] = field(default_factory=Counter)
    """The states in which payments were when their payer was killed."""
    sent_again: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def sides() -> Iterator[tuple[Side, Side]]:
    """Run the payer, and the payee to which it is connected."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lno"))) for _ in range(2)]
        payee = Side(folders[0])
        stack.callback(payee.stop)
        payer = Side(folders[1], "--peer", payee.served.address)
        stack.callback(payer.stop)
        until(lambda: payee.served.id in payer.served.peers())
        yield payer, payee


def states(payer: Side, invreq_id: str) -> list[str]:
    """Return the states of the payments for a request."""
    query = "SELECT state FROM payments WHERE invreq_id = ?"
    return [state for (state,) in payer.rows("lnoffers.sqlite3", query, bytes.fromhex(invreq_id))]


def play_round(payer: Side, payee: Side, books: Payee, found: Found) -> None:
    """Have a request paid while one of the servers is killed."""
    books.served = payee.served
    made = payer.served.client.invoicerequest(21_000, f"round {books.made}")
    invoices = [books.invoice(made.bolt12) for _ in range(2)]
    victim = random.choice((payer, payee))
    with connected(SENDER, payer.served.id, payer.served.port) as sender, suppress(OSError):
        killing = Timer(random.uniform(0, LONGEST_SECONDS), victim.served.process.kill)
        killing.start()
        for invoice in invoices:
            deliver(sender, payer.served, invoice)
        killing.join()
    victim.served.process.wait(SECONDS)
    if victim is payer:
        found.killed_in[", ".join(states(payer, made.invreq_id)) or "no claim"] += 1
    victim.restart()
    until(lambda: not OPEN.intersection(states(payer, made.invreq_id)))
    if "paid" not in states(payer, made.invreq_id):
        found.sent_again += 1
        with connected(SENDER, payer.served.id, payer.served.port) as sender:

            def is_paid() -> bool:
                deliver(sender, payer.served, invoices[0])  # it is refused while the payer still compares its books
                time.sleep(PAUSE)
                return "paid" in states(payer, made.invreq_id)

            until(is_paid)
    found.wrong += faults(payer, payee, made.invreq_id, invoices)


def faults(payer: Side, payee: Side, invreq_id: str, invoices: list[Invoice]) -> Iterator[str]:
    """Yield what is wrong with the payments for a request."""
    query = "SELECT payment_hash FROM payments WHERE invreq_id = ? AND state = 'paid'"
    paid = payer.rows("lnoffers.sqlite3", query, bytes.fromhex(invreq_id))
    query = "SELECT payment_hash FROM invoices WHERE payment_hash IN (?, ?) AND status = 'paid'"
    got = payee.rows("lnoffers.sqlite3", query, *(invoice.invoice_payment_hash for invoice in invoices))
    if len(paid) != 1 or paid != got:
        yield f"{invreq_id}: {len(paid)} payments made and {len(got)} received"
    [request] = payer.served.client.listinvoicerequests(invreq_id=invreq_id).invoicerequests
    if not request.used or request.active:
        yield f"{invreq_id}: used is {request.used}, and active is {request.active}"


def pending(payer: Side, payee: Side) -> int:
    """Return how many payments are under way by the ledgers. A server that was killed asks for what it has missed."""
    [[sent]] = payer.rows(NAME, "SELECT COUNT(*) FROM sent WHERE state = 'pending'")
    [[received]] = payee.rows(NAME, "SELECT COUNT(*) FROM received WHERE state = 'pending'")
    return int(sent + received)


def unbalanced(payer: Side, payee: Side) -> int:
    """Return how many payments only one of the ledgers has."""
    sent = payer.rows(NAME, "SELECT payment_hash, amount_msat FROM sent WHERE state = 'paid'")
    received = payee.rows(NAME, "SELECT payment_hash, amount_msat FROM received WHERE state = 'paid'")
    return len({*sent} ^ {*received})


def main(rounds: int) -> int:
    """Run so many rounds, and print a table."""
    found = Found()
    with sides() as (payer, payee):
        books = Payee(payee.served)
        for number in range(rounds):
            if sys.stderr.isatty():
                print(f"round {number + 1} of {rounds}", file=sys.stderr)
            play_round(payer, payee, books, found)
        until(lambda: not pending(payer, payee) and not unbalanced(payer, payee))
        payee.stop()
        payer.stop()
        different = unbalanced(payer, payee)
    moments = "; ".join(f"{count} times with {state}" for state, count in found.killed_in.most_common())
    for each in found.wrong:
        print(each, file=sys.stderr)
    return report(
        f"{rounds} payments, in each of which a server was killed",
        Figure("the payer was killed", moments or "never"),
        Figure("invoices that were sent again", f"{found.sent_again}"),
        Figure("requests not paid exactly once", f"{len(found.wrong)}", "0", bool(found.wrong)),
        Figure("payments that only one ledger has", f"{different}", "0", different > 0),
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
