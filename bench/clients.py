"""`python bench/clients.py`: the client next to pyln-client, in an environment that has both.

    pip install . pyln-client==26.6.9 mypy && python bench/clients.py

Both clients call the same node, a thread of this process that has its answers ready. Each time is the median of new
processes, in which the two clients take turns. Prints a table and has no bars: it compares, and does not judge.
"""

from __future__ import annotations

import json
import re
import socketserver
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import distribution, version
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any, Final

from answers import answer
from mistakes import MISTAKES

import clnrpc
from clnrpc.commands import COMMANDS

RUNS: Final = 7
CALLS: Final = 2_000
CHANNELS: Final = 2_000
SIDES: Final = ("clnrpc", "pyln-client")

OPEN: Final = {
    "clnrpc": "from clnrpc import AsyncClient, Client; client = Client(path)",
    "pyln-client": "from pyln.client import LightningRpc; client = LightningRpc(path)",
}
READ: Final = {
    "clnrpc": "sum(channel.to_us_msat for channel in client.listpeerchannels().channels)",
    "pyln-client": "sum(channel['to_us_msat'] for channel in client.listpeerchannels()['channels'])",
}


def serve(path: str) -> socketserver.BaseServer:
    """Start the node. It expects calls to arrive in one piece, which small ones do."""
    channels = [answer(clnrpc.types.ListpeerchannelsResponse, seed)["channels"][0] for seed in range(4)]
    results = {
        "getinfo": json.dumps(answer(clnrpc.types.GetinfoResponse, seed=0)).encode(),
        "listpeerchannels": json.dumps({"channels": channels * (CHANNELS // 4)}).encode(),
    }

    class Node(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while request := self.request.recv(1 << 16):
                call = json.loads(request)
                identity = json.dumps(call["id"]).encode()
                self.wfile.write(b'{"jsonrpc":"2.0","id":%b,"result":%b}\n\n' % (identity, results[call["method"]]))

    node = socketserver.ThreadingUnixStreamServer(path, Node)
    Thread(target=node.serve_forever, daemon=True).start()
    return node


def times(path: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each measurement: its name, and how long it takes with each client."""
    measurements = {
        "time for import, connection and first call": ("", "{open}; client.getinfo()"),
        f"time for {CALLS:,} further calls": ("{open}; client.getinfo()", f"for _ in range({CALLS}): client.getinfo()"),
        f"time for `listpeerchannels` with {CHANNELS:,} channels": ("{open}; client.getinfo()", "{read}"),
    }
    for name, (before, measured) in measurements.items():
        template = f"import sys, time\npath = sys.argv[1]\n{before}\nstart = time.perf_counter()\n{measured}\n"
        found: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(RUNS):
            for side in SIDES:
                code = template.format(open=OPEN[side], read=READ[side]) + "print(time.perf_counter() - start)"
                done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
                found[side].append(float(done.stdout))
        ours, theirs = (median(found[side]) * 1e3 for side in SIDES)
        yield name, f"{ours:,.0f} ms", f"{theirs:,.0f} ms ({theirs / ours:.1f} times)"


def caught(side: str) -> str:
    """Return how many lines with a mistake `mypy --strict` reports."""
    if find_spec("mypy") is None:
        return "(needs mypy)"
    lines = [line[SIDES.index(side)] for line in MISTAKES.values()]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "program.py")
        file.write_text("\n".join([f"path = ''; {OPEN[side]}; import asyncio", *lines]))
        # Packages without types are no mistake of the program's.
        options = ["--strict", "--ignore-missing-imports", "--disable-error-code=import-untyped", "--config-file="]
        command = [sys.executable, "-m", "mypy", *options, f"--cache-dir={folder}", "--no-pretty", file.name]
        printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    reported = {int(line) for line in re.findall(r"^program\.py:(\d+): error", printed, re.MULTILINE)}
    return str(len(reported - {1}))


def packages(name: str) -> int:
    """Return how many packages an installation brings at least: this one, and all that are always required."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            required = [line for line in distribution(current).requires or () if ";" not in line]
            waiting += [re.sub(r"[^\w.-].*", "", line).lower() for line in required]
    return len(found)


def facts() -> Iterator[tuple[str, ...]]:
    """Yield the rows that need no clock."""
    kinds: dict[str, Any] = {"clnrpc": clnrpc.Client, "pyln-client": import_module("pyln.client").LightningRpc}
    # clnrpc has commands of its own service too, which its client leaves out.
    methods = [command.method for command in COMMANDS.values() if hasattr(clnrpc.Client, command.method)]
    declared = {side: [getattr(kinds[side], name) for name in methods if hasattr(kinds[side], name)] for side in SIDES}
    typed = {side: sum("return" in method.__annotations__ for method in declared[side]) for side in SIDES}
    yield (
        f"commands of Core Lightning {clnrpc.commands.RELEASE} with a method",
        *(
            f"{len(declared[side])} of {len(methods)}"
            + (", the others by name only" if len(declared[side]) < len(methods) else "")
            for side in SIDES
        ),
    )
    yield "of these, with a type for the response", *(str(typed[side]) for side in SIDES)
    yield f"mistakes in {len(MISTAKES)} calls that `mypy --strict` finds", *(caught(side) for side in SIDES)
    limited = ["timeout" in signature(kinds[side]).parameters for side in SIDES]
    yield "calls can have a time limit", *("yes" if limit else "no" for limit in limited)
    modules = {"clnrpc": clnrpc, "pyln-client": import_module("pyln.client")}
    yield "`AsyncClient` for asyncio", *("yes" if hasattr(modules[side], "AsyncClient") else "no" for side in SIDES)
    yield "packages installed, at least", *(str(packages(side)) for side in SIDES)


def main() -> int:
    if find_spec("pyln") is None:
        print("skipped: pyln-client is not installed here (pip install pyln-client)")
        return 0
    print(f"clnrpc {version('clnrpc')}, pyln-client {version('pyln-client')}; times are medians of {RUNS}\n")
    print("| | clnrpc | pyln-client |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "lightning-rpc"))
        with serve(path) as node:
            for row in (*facts(), *times(path)):
                print(f"| {' | '.join(row)} |")
            node.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
