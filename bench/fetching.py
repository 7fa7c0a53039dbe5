"""Fetching an invoice from a lightningd: how long our server's `fetchinvoice` takes, and that of another lightningd."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from clnrpc import Client
from lnoffers.bolt12 import new_hsm_secret

FETCHES = 120
"""By each of the two payers, which take turns."""
WARM_UP = 10
PAUSE = 0.2
"""Seconds after each fetch: the issuer accepts four messages a second from each payer, and our server sends three."""


def medians() -> tuple[float, float]:
    """Return the wall time of a fetch by our server and by a lightningd from another one, in microseconds.

    All three are new, on a chain of their own. LIGHTNINGD names the lightningd binary. Each payer is connected to the
    issuer, and its caller to it; each fetch gets a new invoice.
    """
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.interop.chain.folder import Chain  # noqa: PLC0415 # it is found only now
    from tests.interop.channels import connect  # noqa: PLC0415 # it is found only now
    from tests.interop.nodes import running  # noqa: PLC0415 # it is found only now
    from tests.service.program import Program  # noqa: PLC0415 # it is found only now

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lno")))
        chain = Chain.create(folder / "chain")
        issuer, payer = (
            stack.enter_context(running(chain, folder / name, "--log-level=info")) for name in ("l1", "l2")
        )
        program = Program(folder / "ours")
        program.give_secret(new_hsm_secret(os.urandom(16)))
        stack.enter_context(program.served())
        ours = stack.enter_context(Client(program.socket))
        connect(payer, issuer)
        ours.connect(id=issuer.id, host="127.0.0.1", port=issuer.port)
        offer = issuer.client.offer(amount="1000msat", description="one coffee").bolt12
        times = [(_seconds(ours, offer), _seconds(payer.client, offer)) for _ in range(WARM_UP + FETCHES)]
    by_us, by_lightningd = zip(*times[WARM_UP:], strict=True)
    return median(by_us) * 1e6, median(by_lightningd) * 1e6


def _seconds(client: Client, offer: str) -> float:
    """Return how long one fetch takes, and wait until the next one may begin."""
    started = time.perf_counter()
    client.fetchinvoice(offer)
    took = time.perf_counter() - started
    time.sleep(PAUSE)
    return took
