"""`python bench/client.py`: the blocking client next to pyln-client, and over HTTPS next to http.client alone.

    PYLN_PYTHON=~/pyln/bin/python python bench/client.py

PYLN_PYTHON is the interpreter of another environment, which has pyln-client; without it, only HTTPS is measured. All
clients call the same node, which has its answers ready. They take turns, each in new processes. Times are medians, and
so are ratios, each of two runs after each other: what else the machine does slows both. Prints a table; exits with 1 if
a bar is missed.
"""

from __future__ import annotations

import compileall
import json
import os
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Final, NamedTuple

from answers import answer
from clients import serve

import clnrpc
from lnoffers.rest.certificates import server_context

RUNS: Final = 9
CALLS: Final = 1_000
PYLN_TIMES: Final = 5.0
"""How many times as many calls as pyln-client."""
BARE_TIMES: Final = 1.15
"""The most time over HTTPS, in times of http.client."""
RUNE: Final = "0kmmPDhTXyWZsUYWqSXz1nBwSOJRkMUT5zZZUpWOMBM9MA=="

TIMED: Final = """
import sys, time
place, ca = sys.argv[1:]
{opening}
for _ in range(20): {call}
start = time.perf_counter()
for _ in range({calls}): {call}
print(time.perf_counter() - start)
"""
IMPORTED: Final = "import time; start = time.perf_counter(); {opening}; print(time.perf_counter() - start)"
OURS: Final = "from clnrpc import Client; client = Client(place)"
PYLN: Final = "from pyln.client import LightningRpc; client = LightningRpc(place)"
OURS_REST: Final = f"from clnrpc import Client; client = Client(place, rune='{RUNE}', ca=ca)"
BARE_REST: Final = f"""
import json, ssl
from http.client import HTTPSConnection
host, port = place.removeprefix("https://").split(":")
client = HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=ca))
def call():
    client.request("POST", "/v1/getinfo", b"{{}}", {{"Rune": "{RUNE}", "Content-Type": "application/json"}})
    return json.loads(client.getresponse().read())
"""

RESULT: Final = json.dumps(answer(clnrpc.types.GetinfoResponse, seed=0)).encode()


class Rest(socketserver.BaseRequestHandler):
    """Answers calls over HTTPS, which may arrive as a head and a body."""

    context: ssl.SSLContext

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
        with self.context.wrap_socket(self.request, server_side=True) as secured:
            received = b""
            while data := secured.recv(1 << 16):
                received += data
                if received.endswith(b"}"):
                    secured.sendall(sent % (len(RESULT), RESULT))
                    received = b""


def seconds(python: str, code: str, *arguments: str) -> float:
    """Return what a process prints that runs `code`."""
    done = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout)


class Compared(NamedTuple):
    """How long our program takes and another, in seconds, and how many times as long the other takes."""

    ours: float
    other: float
    times: float


def compare(ours: tuple[str, str], other: tuple[str, str], *arguments: str) -> Compared:
    """Run two programs in turn, each an interpreter and code; return medians."""
    runs = [(seconds(*ours, *arguments), seconds(*other, *arguments)) for _ in range(RUNS)]
    return Compared(*map(median, zip(*runs, strict=True)), median(theirs / own for own, theirs in runs))


def over_a_socket(folder: Path, pyln: str) -> bool:
    """Compare with pyln-client; return whether the bar holds."""
    path = str(folder / "lightning-rpc")
    with serve(path) as node:
        call = {"call": "client.getinfo()", "calls": CALLS}
        calls = compare(
            (sys.executable, TIMED.format(opening=OURS, **call)),
            (pyln, TIMED.format(opening=PYLN, **call)),
            *(path, "-"),
        )
        node.shutdown()
    # As installers do. Without it, Python may compile the package at each start.
    compileall.compile_dir(Path(clnrpc.__file__).parent, quiet=1)
    imports = compare(
        (sys.executable, IMPORTED.format(opening="from clnrpc import Client")),
        (pyln, IMPORTED.format(opening="from pyln.client import LightningRpc")),
    )
    bar = verdict(calls.times >= PYLN_TIMES)
    rate = f"{CALLS / calls.ours:,.0f} | pyln-client: {CALLS / calls.other:,.0f}"
    print(f"| calls a second | {rate} | {calls.times:.1f} | {bar} |")
    milliseconds = f"{imports.ours * 1e3:.0f} ms | pyln-client: {imports.other * 1e3:.0f} ms"
    print(f"| import | {milliseconds} | {imports.times:.1f} | |")
    return calls.times >= PYLN_TIMES


def over_https(folder: Path) -> bool:
    """Compare with http.client; return whether the bar holds."""
    Rest.context = server_context(folder, "127.0.0.1")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rest) as node:
        node.daemon_threads = True
        Thread(target=node.serve_forever, daemon=True).start()
        found = compare(
            (sys.executable, TIMED.format(opening=OURS_REST, call="client.getinfo()", calls=CALLS)),
            (sys.executable, TIMED.format(opening=BARE_REST, call="call()", calls=CALLS)),
            *(f"https://127.0.0.1:{node.server_address[1]}", str(folder / "ca.pem")),
        )
        node.shutdown()
    times = 1 / found.times
    bar = verdict(times <= BARE_TIMES)
    took = f"{found.ours / CALLS * 1e6:.0f} us | http.client: {found.other / CALLS * 1e6:.0f} us"
    print(f"| a call over HTTPS | {took} | {times:.2f} | {bar} |")
    return times <= BARE_TIMES


def verdict(holds: bool) -> str:
    return "holds" if holds else "missed"


def main() -> int:
    print("| | clnrpc | yardstick | ratio | bar |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        pyln = os.environ.get("PYLN_PYTHON")
        held = [over_https(Path(name))]
        if pyln is None:
            print("pyln-client: skipped, because PYLN_PYTHON names no interpreter that has it")
        else:
            held.append(over_a_socket(Path(name), pyln))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
