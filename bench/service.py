"""`python bench/service.py`: the service under load, when idle and as it starts, against the bare work it cannot avoid.

The yardstick is a loop without checks or server that signs by coincurve's own method, inserts and commits,
as durably as the store does (a write-ahead log, flushed by each commit), one row a commit or eight. Beside it stands,
without a bar, a loop that signs four times as fast, with a key pair that is set up once, as the service does (which
verifies each signature, too). Loops and server take turns on the same disk. A client process drives its connections by
epoll, writes ready-made bytes and looks at nothing but the end of an answer; none of its connections has more than one
call under way. If LIGHTNING_RPC names the socket of a running lightningd, both decode the same string in turns. Prints
a table of medians; exits with 1 if a bar is missed.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Final

from coincurve import PrivateKey

from lnoffers.bolt12 import KeyPair

ROUNDS: Final = 5
CALLS: Final = 2_000
IDLE_CALLS: Final = 300
IDLE_SECONDS: Final = 0.01
STARTS: Final = 11
TOGETHER: Final = 8
SHARE: Final = 0.6
"""Of the loop's calls a second."""
IDLE_MS: Final = 0.5
"""What an idle server may take longer than the loop."""
DECODES: Final = 5_000
LIGHTNINGD: Final = "LIGHTNING_RPC"
"""The environment variable that names the socket of a running lightningd."""
DECODE_SHARE: Final = 1.0
"""Of the strings that lightningd decodes a second."""
ROUNDS_BESIDE: Final = 9
IN_PROCESS_MS: Final = 450
THROUGH_SERVER_MS: Final = 120
READY_MS: Final = 500
PACED_CALLS: Final = 1_000
PACE_SECONDS: Final = 0.002
TIMES_IDLE: Final = 8
"""How many times as long as on an idle server a call may take while others have the worst strings decoded."""

COMMAND: Final = (sys.executable, "-m", "lnoffers")
TABLE: Final = (
    "CREATE TABLE rows (id BLOB NOT NULL PRIMARY KEY, bolt12 TEXT NOT NULL, label TEXT, status INTEGER NOT NULL)"
)
END: Final = b"}\n\n"


def request(method: str, **params: object) -> bytes:
    """Return the text of a call."""
    return json.dumps({"jsonrpc": "2.0", "id": "bench:1", "method": method, "params": params}).encode()


GETINFO: Final = request("getinfo")
MAKE: Final = request("invoicerequest", amount="10000sat", description="one coffee", label="bench")


SECRET: Final = sha256(b"payer").digest()
PLAIN: Final = PrivateKey(SECRET).sign_schnorr
SET_UP: Final = KeyPair(SECRET).sign


def bare_rows(path: Path, calls: int, group: int, sign: Callable[[bytes], bytes] = PLAIN) -> Iterator[float]:
    """Run the loop; yield how many seconds each commit of `group` rows took."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(TABLE)
        text = "lnr1" + "q" * 400
        for at in range(0, calls, group):
            started = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            for number in range(at, at + group):
                digest = sha256(number.to_bytes(8)).digest()
                sign(digest)
                connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", (digest, text, "bench", 1))
            connection.execute("COMMIT")
            yield time.perf_counter() - started


def ask(path: Path, message: bytes, calls: int, together: int) -> float:
    """Return how many seconds so many calls take on `together` connections, one after the other on each."""
    clients = {}
    for _ in range(together):
        client = socket.socket(socket.AF_UNIX)
        client.connect(os.fspath(path))
        clients[client.fileno()] = client
    waiting = select.epoll()
    for number in clients:
        waiting.register(number, select.EPOLLIN)
    started, left = time.perf_counter(), calls
    for client in clients.values():
        client.send(message)
    while left > 0:
        for number, _ in waiting.poll():
            client = clients[number]
            answer = client.recv(1 << 16)
            while not answer.endswith(END):
                answer += client.recv(1 << 16)
            if b'"error"' in answer:
                raise RuntimeError(answer.decode())
            left -= 1
            if left >= together:
                client.send(message)
    return time.perf_counter() - started


def one_call(client: socket.socket, message: bytes) -> float:
    """Return how many seconds a call takes."""
    started = time.perf_counter()
    client.send(message)
    while not client.recv(1 << 16).endswith(END):
        pass
    return time.perf_counter() - started


def idle(path: Path, bare: Iterator[float]) -> tuple[float, float]:
    """Return the medians of a row of the loop and of a call, in seconds, each after a pause."""
    loop, ours = [], []
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.fspath(path))
        for _ in range(IDLE_CALLS):
            time.sleep(IDLE_SECONDS)
            loop.append(next(bare))
            time.sleep(IDLE_SECONDS)
            ours.append(one_call(client, MAKE))
    return median(loop), median(ours)


@contextmanager
def served(directory: Path) -> Iterator[tuple[Path, float]]:
    """Yield a server's socket, and how many seconds it took to be ready."""
    flags = ("--lightning-dir", str(directory), "--network", "regtest")
    started = time.perf_counter()
    with subprocess.Popen([*COMMAND, "serve", *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith(b"Listening on ")
            yield directory / "regtest" / "lightning-rpc", time.perf_counter() - started
        finally:
            server.terminate()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    name: str
    found: str
    bar: str
    missed: bool


def under_load(directory: Path, path: Path) -> Iterator[Row]:
    """Yield calls per second from one client and from several, and the time of one call, each beside the loop's."""
    made = iter(range(1000))

    def file() -> Path:
        return directory / f"bare{next(made)}"

    def rate(together: int, sign: Callable[[bytes], bytes]) -> float:
        return CALLS / sum(bare_rows(file(), CALLS, together, sign))

    for together in (1, TOGETHER):
        runs = [
            (rate(together, PLAIN), CALLS / ask(path, MAKE, CALLS, together), rate(together, SET_UP))
            for _ in range(ROUNDS)
        ]
        plain, ours, set_up = (median(each) for each in zip(*runs, strict=True))
        share, other = (median(run[1] / run[at] for run in runs) for at in (0, 2))
        yield Row(
            f"invoicerequest, {together} client{'s' if together > 1 else ''}",
            f"{ours:,.0f} a second, {share:.0%} of {plain:,.0f} ({other:.0%} of {set_up:,.0f})",
            f"{SHARE:.0%}",
            share < SHARE,
        )
    loop, ours = (seconds * 1e3 for seconds in idle(path, bare_rows(file(), IDLE_CALLS, 1)))
    found = f"{ours:.2f} ms, {ours - loop:.2f} more than {loop:.2f}"
    yield Row("invoicerequest, idle", found, f"{IDLE_MS} more", ours - loop > IDLE_MS)


def made_string(path: Path) -> str:
    """Return a new invoice_request, signed."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.fspath(path))
        client.send(MAKE)
        string: str = json.loads(client.recv(1 << 16))["result"]["bolt12"]
    return string


def decodes(path: Path) -> Row:
    """Return how many strings are decoded in a second, with their signatures verified."""
    message = request("decode", string=made_string(path))
    found = median(CALLS / ask(path, message, CALLS, TOGETHER) for _ in range(ROUNDS))
    return Row(f"decode, {TOGETHER} clients", f"{found:,.0f} a second", f"{DECODES:,} a second", found < DECODES)


def beside_lightningd(path: Path) -> Iterator[Row]:
    """Yield decoded strings a second as a share of lightningd's. The two take turns, with the same client."""
    node = os.environ.get(LIGHTNINGD)
    if node is None:
        yield Row("decode, beside lightningd", f"skipped: {LIGHTNINGD} names no lightning-rpc socket", "", missed=False)
        return
    message = request("decode", string=made_string(path))
    for together in (1, TOGETHER):
        shares = [
            ask(Path(node), message, CALLS, together) / ask(path, message, CALLS, together)
            for _ in range(ROUNDS_BESIDE)
        ]
        share = median(shares)
        name = f"decode, beside lightningd, {together} client{'s' if together > 1 else ''}"
        yield Row(name, f"{share:.0%} of its calls", f"{DECODE_SHARE:.0%}", share < DECODE_SHARE)


LOOPING: Final = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    message = sys.stdin.buffer.read()
    while True:
        client.sendall(message)
        end = b""
        while not end.endswith(b"}\\n\\n"):
            end = (end + client.recv(1 << 20))[-3:]
        print(flush=True)
"""
"""A client that has one string decoded again and again."""


@contextmanager
def looping(path: Path, message: bytes) -> Iterator[None]:
    """Run such a client during the block, which begins after its first answer."""
    command = (sys.executable, "-c", LOOPING, os.fspath(path))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(message)
        client.stdin.close()
        client.stdout.readline()
        try:
            yield
        finally:
            client.kill()


def slow_calls(path: Path) -> float:
    """Return how many seconds `getinfo` takes, the 99th percentile of calls that come every few milliseconds."""
    took = []
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.fspath(path))
        for _ in range(PACED_CALLS):
            time.sleep(PACE_SECONDS)
            took.append(one_call(client, GETINFO))
    return sorted(took)[PACED_CALLS * 99 // 100]


def beside_long_strings(path: Path) -> Iterator[Row]:
    """Yield how long other clients wait while four decode the worst strings again and again."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.service.worst import worst  # noqa: PLC0415 # it is found only now

    idle, busy = [], []
    for _ in range(ROUNDS):
        idle.append(slow_calls(path))
        with ExitStack() as clients:
            for string in worst().values():
                clients.enter_context(looping(path, request("decode", string=string)))
            busy.append(slow_calls(path))
    quiet, loud = median(idle), median(busy)
    yield Row("getinfo, p99", f"{quiet * 1e3:.2f} ms", "", missed=False)
    found = f"{loud * 1e3:.2f} ms, {loud / quiet:.1f} times as long"
    yield Row("getinfo, p99, beside the worst strings", found, f"{TIMES_IDLE} times", loud > TIMES_IDLE * quiet)


def starts(directory: Path) -> Iterator[Row]:
    """Yield how long whole processes take, with bytecode caches as after an installation."""
    flags = ("--lightning-dir", str(directory), "--network", "regtest")
    call = (*COMMAND, "call", *flags, "invoicerequest", "10000sat", "one coffee")

    def milliseconds() -> float:
        started = time.perf_counter()
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - started) * 1e3

    def ready() -> float:
        with served(directory) as (_, seconds):
            return seconds * 1e3

    def timed(name: str, measure: Callable[[], float], bar: float) -> Row:
        measure()
        found = median(measure() for _ in range(STARTS))
        return Row(name, f"{found:.0f} ms", f"{bar} ms", found > bar)

    yield timed("`lnoffers call`, in-process", milliseconds, IN_PROCESS_MS)
    yield timed("`lnoffers serve`, ready", ready, READY_MS)
    with served(directory):
        yield timed("`lnoffers call`, through a server", milliseconds, THROUGH_SERVER_MS)


def main() -> int:
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    with tempfile.TemporaryDirectory(prefix="lno") as folder:
        directory = Path(folder)
        with served(directory) as (path, _):
            rows = [*under_load(directory, path), decodes(path), *beside_lightningd(path), *beside_long_strings(path)]
        rows += starts(directory)
    loop = "asyncio" if find_spec("uvloop") is None else "uvloop"
    print(f"{loop}; medians of {ROUNDS} rounds of {CALLS:,} calls, and of {STARTS} starts\n")
    print("| | found | bar |\n|---|---|---|")
    for row in rows:
        print(f"| {row.name} | {row.found} | {row.bar} |")
    return int(any(row.missed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
