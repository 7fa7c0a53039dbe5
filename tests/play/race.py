"""Eight invoices at once for one request of a single use, again and again: one is paid, and seven hear why not.

`python -m tests.play.race ROUNDS` runs half of the rounds against one server, which gets all eight, and half against
two processes that use one store directly, which get four each. It prints a table.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from unittest.mock import patch

from clnrpc.types import InvoicerequestRequest
from lnoffers.bolt12 import Invoice, InvoiceRequest
from lnoffers.service import Node, OffersService
from lnoffers.service.peers import admission
from tests.endurance.table import Figure, report
from tests.play import competitor
from tests.play.players import PRICE, Player, playing
from tests.service.program import SEED_SECRET, write_secret

INVOICES: Final = 8
ADMITTED: Final = ("HANDSHAKES_A_SECOND", "HANDSHAKE_BURST", "OF_ADDRESS_A_SECOND", "ADDRESS_BURST")
"""The limits of the payee that other tests hold."""
CHUNK: Final = 50
"""Rounds whose requests and invoices are made together."""
KINDS: Final = {"server": 1, "process": 2}
"""How many processes of each kind compete."""
REASON: Final = re.compile(
    "(Single-use invoice_request already (paid|in progress) with [0-9a-f]{64}|invoice_request no longer available)$"
)


@dataclass
class Found:
    """What has become of all invoices."""

    rounds: int = 0
    paid: Counter[int] = field(default_factory=Counter)
    """How many rounds had so many payments."""
    unclear: list[str] = field(default_factory=list)
    """Errors that give no reason."""
    twice: int = 0
    """Payments that the payee got, or the payer sent, beyond one for each request."""

    @property
    def is_fine(self) -> bool:
        """Whether each round has had one payment, and all other invoices a reason."""
        return self.paid == {1: self.rounds} and not self.unclear and self.twice == 0


def new_requests(directory: Path, count: int) -> Sequence[InvoiceRequest]:
    """Make requests of a single use in the payer's store."""
    with Node.open(competitor.options(directory)) as node, node.store.group():
        service = OffersService(node)
        made = [service.invoicerequest(InvoicerequestRequest(amount=PRICE, description="race")) for _ in range(count)]
        return [InvoiceRequest.parse(each.bolt12) for each in made]


def new_invoices(payee: Player, requests: Sequence[InvoiceRequest], first: int) -> Sequence[Sequence[Invoice]]:
    """Make invoices of the payee for each request, numbered from `first` on."""
    numbers = range(first, first + len(requests) * INVOICES)
    made = {number: payee.unknown_invoice(number, requests[(number - first) // INVOICES]) for number in numbers}
    payee.store(made)
    invoices = [*made.values()]
    return [invoices[place : place + INVOICES] for place in range(0, len(invoices), INVOICES)]


@asynccontextmanager
async def competitors(directory: Path, payee: Player, kind: str) -> AsyncIterator[Sequence[asyncio.subprocess.Process]]:
    """Run the processes that pay."""
    address = f"{payee.address.node_id.hex()}@{payee.address.host}:{payee.address.port}"
    command = [sys.executable, "-m", competitor.__name__, str(directory), address, kind]
    async with AsyncExitStack() as stack:
        running = []
        for _ in range(KINDS[kind]):
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
            stack.push_async_callback(process.wait)
            running.append(process)
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        yield running
        for process in running:
            assert process.stdin is not None
            process.stdin.close()


async def hand_over(process: asyncio.subprocess.Process, invoices: Sequence[Invoice]) -> Sequence[str]:
    """Give invoices to a process; return what it says of each."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([invoice.to_bytes().hex() for invoice in invoices]).encode() + b"\n")
    answer: Sequence[str] = json.loads(await process.stdout.readline())
    return answer


async def race(folder: Path, kind: str, rounds: int) -> Found:
    """Run so many rounds on new stores."""
    found, payer = Found(rounds), folder / "payer"
    write_secret(competitor.options(payer).secret_file, SEED_SECRET)
    new_requests(payer, 0)
    async with AsyncExitStack() as stack:
        # Processes with one key take the place of each other's connection, up to some ten times a second. That is
        # more than the payee admits, and a payment whose payee cannot be reached fails.
        with patch.multiple(admission, **dict.fromkeys(ADMITTED, 1_000_000)):
            payee = await stack.enter_async_context(playing(folder / "payee"))
        async with competitors(payer, payee, kind) as running:
            for start in range(0, rounds, CHUNK):
                requests = new_requests(payer, min(CHUNK, rounds - start))
                for invoices in new_invoices(payee, requests, 1 + start * INVOICES):
                    parts = [invoices[number :: len(running)] for number in range(len(running))]
                    said = await asyncio.gather(*map(hand_over, running, parts))
                    outcomes = [outcome for part in said for outcome in part]
                    found.paid[outcomes.count("paid")] += 1
                    found.unclear += [each for each in outcomes if each != "paid" and not REASON.search(each)]
        found.twice = abs(len(payee.taken()) - rounds) + abs(used(payer) - rounds)
    found.twice += abs(len(payee.rows("received")) - rounds)
    return found


def used(payer: Path) -> int:
    """Return how many requests of the payer's store are used, each by one payment."""
    with closing(sqlite3.connect(competitor.options(payer).store_file)) as connection:
        query = """
            SELECT COUNT(*) FROM (
                SELECT invreq_id FROM payments JOIN invoicerequests USING (invreq_id)
                WHERE state = 'paid' AND status = ? GROUP BY invreq_id HAVING COUNT(*) = 1
            )
        """
        [count] = connection.execute(query, (competitor.USED,)).fetchone()
        return int(count)


def main(rounds: int) -> int:
    """Run the long form."""
    figures = []
    for kind, count in KINDS.items():
        with tempfile.TemporaryDirectory(prefix="lno") as folder:
            start = time.monotonic()
            found = asyncio.run(race(Path(folder), kind, rounds // 2))
            seconds = time.monotonic() - start
        for error in found.unclear[:3]:
            print(f"an error without a reason: {error}", file=sys.stderr)
        name = "one server" if kind == "server" else f"{count} processes, one store"
        figures += [
            Figure(f"{name}: rounds", f"{found.rounds:,} in {seconds:.0f} s"),
            Figure(f"{name}: rounds with one payment", f"{found.paid[1]:,}", "all", found.paid[1] != found.rounds),
            Figure(f"{name}: errors without a reason", f"{len(found.unclear)}", "0", bool(found.unclear)),
            Figure(f"{name}: payments too many or lost", f"{found.twice}", "0", found.twice > 0),
        ]
    return report(f"{INVOICES} invoices at once for one request of a single use", *figures)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
