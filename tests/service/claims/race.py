"""Four processes claim single-use records of one store, all at once, again and again: each record has one winner.

`python -m tests.service.claims.race COUNT` lets them claim COUNT times in all, offers first and then requests, and
prints a table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from clnrpc.types import InvoicerequestRequest, OfferRequest
from lnoffers.service import Node, OffersService
from lnoffers.service.status import Status
from tests.service.claims import claimant
from tests.service.claims.claimant import KINDS, options
from tests.service.program import SEED_SECRET, write_secret

PROCESSES = 4
RECORDS = 100
SECONDS = 600
CLAIMED = Status.ACTIVE | Status.SINGLE_USE | Status.CLAIMED


def make(directory: Path, kind: str) -> list[str]:
    """Store the records; their ids."""
    write_secret(options(directory).secret_file, SEED_SECRET)
    with Node.open(options(directory)) as node, node.store.group():
        service, texts = OffersService(node), [f"number {number}" for number in range(RECORDS)]
        if kind == "offers":
            wanted = [OfferRequest(amount=1, description=text, single_use=True) for text in texts]
            return [service.offer(each).offer_id for each in wanted]
        return [service.invoicerequest(InvoicerequestRequest(amount=1, description=text)).invreq_id for text in texts]


def race(directory: Path, kind: str, claims: int) -> list[str]:
    """Let the processes claim records of a new store, `claims` times in all; the ids, once for each claim that won."""
    made = make(directory, kind)
    command = [sys.executable, "-m", claimant.__name__, str(directory), kind, str(claims // PROCESSES)]
    with ExitStack() as held:
        running = []
        for seed in range(PROCESSES):
            starting = subprocess.Popen([*command, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            running.append(held.enter_context(starting))
            held.callback(starting.kill)
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write(json.dumps(made) + "\n")
            process.stdin.flush()
        return [won for process in running for won in json.loads(process.communicate(timeout=SECONDS)[0])]


def states(directory: Path, kind: str) -> set[Status]:
    """Return the states of the records."""
    with Node.open(options(directory)) as node, node.store.transaction(writes=False) as connection:
        return {record.status for record in KINDS[kind].find(connection)}


def main(arguments: Sequence[str]) -> int:
    claims, fine = int(arguments[0]), True
    print("| records | claims | processes | won | won twice | seconds |\n|---|---|---|---|---|---|")
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="lno") as directory:
            start = time.monotonic()
            won = race(Path(directory), kind, claims)
            seconds = time.monotonic() - start
            fine &= len(won) == len(set(won)) == RECORDS and states(Path(directory), kind) == {CLAIMED}
        print(
            f"| {RECORDS} {kind} | {claims} | {PROCESSES} | {len(won)} | {len(won) - len(set(won))} | {seconds:.1f} |"
        )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
