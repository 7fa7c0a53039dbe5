"""`python -m tests.endurance.fuzz_socket [COUNT [SEED]]`: mutated requests, a hundred thousand unless it is told.

They are made of the examples in `schemas/`, and of upstream's transcripts where they are there. Those that are still
one JSON object go to a connection that stays, where each must have one answer, or the connection is closed. The others
have a connection each, whose sending side is then closed: the server must answer and close. All the while another
client is served, and in the end nothing that is a bug may be in the log. Prints a table; exits with 1, and with the
request, at the first that breaks this. The same seed makes the same requests.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from tests.endurance.table import Figure, report
from tests.service.program import COMMAND, SECONDS, Program, Wire, request
from tests.shared import ROOT, SHARED

COUNT: Final = 100_000
SEED: Final = 12
BATCH: Final = 2_000
"""Requests of one server: its store grows with each that succeeds, and with it each list."""
NOT_SENT: Final = ("stop", "wait", "waitinvoice", "waitanyinvoice", "waitblockheight", "waitsendpay")
"""These end the server, or answer when something happens."""

HOSTILE: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**400, 0.5, -0.0, 1e308, 1e-400),
    *("", "0", "-1", "1sat", "0.001sat", "any", "1e3", "18446744073709551615msat", "é", "\0", "\u202e", "\ud800"),
    *("x" * 5_000, "lno1", "lnr1qqqq", "lni1" + "q" * 3_000, "lightning:lnr1", "+", "00" * 32, "02" * 33, "[]", "{}"),
    *([], {}, [[]], [{}], {"": ""}, [None] * 50, {"a": {"b": [1, {"c": None}]}}),
)
SNIPPETS: Final = (
    *rb'{ } [ ] " , : \ \u0000 \ud800 null NaN 1e999 // "id":1, "params":[], "jsonrpc":"2.0", "filter":{},'.split(),
    *(b"\0", b"\xff", b"\xc3", b"\n\n", b"9" * 1_100, b"[" * 300),
)


def seeds() -> list[bytes]:
    """Return the requests to begin with."""
    found = [
        json.dumps({"jsonrpc": "2.0"} | example["request"]).encode()
        for document in sorted((ROOT / "schemas").glob("*.json"))
        for example in json.loads(document.read_text(encoding="utf-8")).get("examples", ())
    ]
    for transcript in sorted((SHARED / "golden").glob("*.jsonl")):
        found += [json.loads(line)["request_raw"].encode() for line in transcript.read_text("utf-8").splitlines()]
    return [each for each in found if not any(f'"{method}"'.encode() in each for method in NOT_SENT)]


def mutated(seed: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return a request like `seed`, with a few changes to its values or its bytes."""
    changes = chance.randint(1, 3)
    if chance.random() < 0.5:
        try:
            request = json.loads(seed)
        except ValueError:
            pass
        else:
            for _ in range(changes):
                _change_value(request, chance)
            return json.dumps(request, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    for _ in range(changes):
        seed = chance.choice(BYTE_CHANGES)(seed, chance.choice(others), chance)
    return seed


def _change_value(within: Any, chance: random.Random) -> None:
    """Replace, add or remove a value somewhere in an object or array."""
    while isinstance(within, dict | list) and within:
        keys: list[Any] = list(within) if isinstance(within, dict) else list(range(len(within)))
        key = chance.choice(keys)
        if isinstance(within[key], dict | list) and within[key] and chance.random() < 0.8:
            within = within[key]
            continue
        match chance.randrange(6):
            case 0:
                del within[key]
            case 1 if isinstance(within, dict):
                within[chance.choice(("x", "filter", "label", "amount", ""))] = within[key]
            case 1 | 2:
                within[key] = [within[key]]
            case _:
                within[key] = deepcopy(chance.choice(HOSTILE))
        return


def _cut(seed: bytes, _: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.choices(range(len(seed) + 1), k=2))
    return seed[:start] + seed[end:]


def _flip(seed: bytes, _: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(seed) or 1)
    return seed[:at] + bytes([chance.randrange(256)]) + seed[at + 1 :]


def _insert(seed: bytes, _: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(seed))
    return seed[:at] + chance.choice(SNIPPETS) + seed[at:]


def _join(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    return seed[: chance.randint(0, len(seed))] + other[chance.randint(0, len(other)) :]


BYTE_CHANGES: Final[tuple[Callable[[bytes, bytes, random.Random], bytes], ...]] = (_cut, _flip, _insert, _join)


def is_one_object(text: bytes) -> bool:
    """Return whether it is surely one JSON object: Python reads more than JSON, so what it reads is written again."""
    try:
        found = json.loads(text)
        return isinstance(found, dict) and json.dumps(found, allow_nan=False) != ""
    except (ValueError, RecursionError):
        return False


class Sender:
    """Sends requests and holds the server to what it owes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wire = Wire(path)
        self.answers = 0
        self.closed = 0

    def send(self, text: bytes) -> None:
        """Send one, and see that it is answered or its connection closed."""
        if is_one_object(text):
            self._wire.send(text)
            answer = self._wire.answer()
            if not self._accept(answer) or b'"code":-32600' in answer:  # after that no more may be read
                self._wire.socket.close()
                self._wire = Wire(self._path)
        else:
            with Wire(self._path) as wire:
                wire.send(text)
                wire.socket.shutdown(socket.SHUT_WR)
                while self._accept(wire.answer()):
                    pass

    def close(self) -> None:
        """Send no more."""
        self._wire.socket.close()

    def _accept(self, answer: bytes) -> bool:
        """Count an answer; False, and count, if there is none because the connection is closed."""
        if not answer:
            self.closed += 1
            return False
        assert answer.endswith(b"\n\n"), answer
        told = json.loads(answer)
        assert ("result" in told) != ("error" in told), answer
        assert told.get("error", {}).get("message") != "Internal error", answer
        self.answers += 1
        return True


@contextmanager
def served(program: Program) -> Iterator[None]:
    """Yield a server whose log is read after its end, because it may be longer than a pipe holds."""
    with tempfile.TemporaryFile("w+") as log:
        command = [*COMMAND, "serve", *program.flags, "--dev-time", "1800000000"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Listening on ")
            yield
            assert process.poll() is None, "the server has ended"
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)
            log.seek(0)
            told = log.read()
        assert "Traceback" not in told, told


class Bystander:
    """Another client: it asks again and again, and remembers how long it ever waited."""

    def __init__(self, path: Path) -> None:
        self.longest = 0.0
        self.asked = 0
        self._path = path
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(SECONDS)

    def _ask(self) -> None:
        with Wire(self._path) as wire:
            while not self._stopped.wait(0.01):
                started = time.perf_counter()
                wire.send(request("getinfo"))
                if b'"lightning-dir"' not in wire.answer():
                    return
                self.longest = max(self.longest, time.perf_counter() - started)
                self.asked += 1

    @property
    def is_served(self) -> bool:
        """Whether each of its calls had its answer so far."""
        return self._thread.is_alive() or self._stopped.is_set()


def main(count: int, seed: int) -> int:
    chance, begin_with = random.Random(seed), seeds()
    answers = closed = asked = 0
    longest = 0.0
    for start in range(0, count, BATCH):
        if sys.stderr.isatty():
            print(f"{start:,} of {count:,}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="lno") as folder:
            program = Program(Path(folder))
            with (
                served(program),
                Bystander(program.socket) as other,
                closing(Sender(program.socket)) as sender,
            ):
                for _ in range(min(BATCH, count - start)):
                    text = mutated(chance.choice(begin_with), begin_with, chance)
                    try:
                        sender.send(text)
                    except (AssertionError, OSError, ValueError):
                        print(f"seed {seed}, this request was not answered as it should be: {text!r}", file=sys.stderr)
                        raise
                assert other.is_served, "another client was not served"
        answers, closed, asked = answers + sender.answers, closed + sender.closed, asked + other.asked
        longest = max(longest, other.longest)
    return report(
        f"{count:,} mutated requests of {len(begin_with):,}, seed {seed}",
        Figure("answers", f"{answers:,}"),
        Figure("closed connections", f"{closed:,}"),
        Figure("calls of another client, all answered", f"{asked:,}"),
        Figure("its longest wait", f"{longest * 1e3:.0f} ms"),
    )


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(given + [COUNT, SEED][len(given) :])))
