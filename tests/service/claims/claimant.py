"""One of the processes of a race: `python -m tests.service.claims.claimant DIRECTORY KIND CLAIMS SEED`.

It says "ready", reads the records' ids as JSON, claims them in an order that the seed decides, and prints the ids of
those that it won.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Final

from lnoffers.service import Node, Options
from lnoffers.service.status import StatusChange
from lnoffers.service.store import invoicerequests, offers

KINDS: Final[dict[str, ModuleType]] = {"offers": offers, "invoicerequests": invoicerequests}


def options(directory: Path) -> Options:
    """Return the options of the node whose store all of them share."""
    return Options(lightning_dir=directory, network="regtest")


def claim(directory: Path, kind: str, claims: int, seed: int) -> None:
    """Claim the records, over and over, until the claims are used up."""
    chance = random.Random(seed)
    with Node.open(options(directory)) as node:
        print("ready", flush=True)
        made = json.loads(sys.stdin.readline())
        order = [record for _ in range(0, claims, len(made)) for record in chance.sample(made, len(made))]
        won = []
        for record in order[:claims]:
            with node.store.transaction() as connection:
                if KINDS[kind].apply(connection, bytes.fromhex(record), StatusChange.CLAIMED) is not None:
                    won.append(record)
            # SQLite has no queue: who waits looks again now and then, and starves if others never let go.
            time.sleep(chance.uniform(0, 0.002))
    print(json.dumps(won))


if __name__ == "__main__":
    claim(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
