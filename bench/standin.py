"""`python bench/standin.py`: how soon a network of two nodes is ready, and how long a hundred tests with one take.

In this process, after imports, a network is compared with opening one new store; in processes of their own, with
`lnoffers serve` alone. Each is measured next to its yardstick, in turn; medians. The tests are run by pytest,
each with a network and a payment. Prints a table; exits with 1 if a bar is missed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

from lnoffers.bolt12.keys import NodeKeys
from lnoffers.service.store import Identity, Store
from lnstandin.network import Network

RUNS: Final = 15
TESTS: Final = 100
STORE, THREADS, SERVE, PROCESSES = "one store", "in one process", "`lnoffers serve`", "in processes"
BARS: Final = {THREADS: (STORE, 10), PROCESSES: (SERVE, 3)}
"""For each network its yardstick, and how many times as long it may take."""
TESTS_SECONDS: Final = 60
SUITE: Final = f"""
import pytest
from lnstandin.network import Network

@pytest.mark.parametrize("number", range({TESTS}))
def test_payment(number):
    with Network(2) as network:
        payer, payee = network.nodes
        bolt11 = payee.client.invoice("21sat", "lunch", "a sandwich").bolt11
        assert payer.client.xpay(bolt11).amount_msat == 21_000
"""


def open_store(folder: Path, stack: ExitStack) -> None:
    """Open a new store."""
    identity = Identity("regtest", NodeKeys.from_seed(bytes(32)).node_id)
    stack.callback(Store.open(None, folder / "store.sqlite3", identity).close)


def serve(folder: Path, stack: ExitStack) -> None:
    """Start `lnoffers serve` on a new directory, and wait until clients can connect."""
    command = [sys.executable, "-m", "lnoffers", "serve", "--lightning-dir", str(folder), "--network", "regtest"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    stack.callback(process.communicate)
    stack.callback(process.terminate)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"Listening")


def network(folder: Path, stack: ExitStack, *, processes: bool = False) -> None:
    """Start a network of two nodes."""
    stack.enter_context(Network(2, directory=folder, processes=processes))


WORK: Final[Mapping[str, Callable[[Path, ExitStack], None]]] = {
    STORE: open_store,
    THREADS: network,
    SERVE: serve,
    PROCESSES: lambda folder, stack: network(folder, stack, processes=True),
}


def seconds(work: Callable[[Path, ExitStack], None]) -> float:
    """Return how long something takes until it is ready."""
    with tempfile.TemporaryDirectory(prefix="lnb") as folder, ExitStack() as stack:
        started = time.perf_counter()
        work(Path(folder), stack)
        return time.perf_counter() - started


def medians() -> dict[str, float]:
    """Return the median time of each, in seconds. The first run is not counted, because it imports."""
    runs = [{name: seconds(work) for name, work in WORK.items()} for _ in range(1 + RUNS)]
    return {name: median(run[name] for run in runs[1:]) for name in WORK}


def suite_seconds() -> float:
    """Return how long pytest takes for all tests, one after the other, with its own start."""
    with tempfile.TemporaryDirectory(prefix="lnb") as folder:
        (Path(folder) / "test_suite.py").write_text(SUITE)
        started = time.perf_counter()
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_suite.py"]
        subprocess.run(pytest, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started


def main() -> int:
    found, suite = medians(), suite_seconds()
    print(f"a network of two nodes, ready; medians of {RUNS}\n\n| | found | yardstick | times | at most |")
    print("|---|---|---|---|---|")
    is_missed = suite > TESTS_SECONDS
    for name, (yardstick, most) in BARS.items():
        times = found[name] / found[yardstick]
        is_missed |= times > most
        print(f"| {name} | {found[name] * 1e3:.0f} ms | {yardstick}, {found[yardstick] * 1e3:.1f} ms ", end="")
        print(f"| {times:.2f} | {most} |")
    print(f"| {TESTS} tests with a network each | {suite:.1f} s | | | {TESTS_SECONDS} s |")
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
