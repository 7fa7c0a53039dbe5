"""`python bench/rest.py`: calls over REST, beside the same HTTP server with a constant answer, and the socket.

Beside it stand the two calls that one over REST makes, `checkrune` and the command, at the server's socket. Each use of
a rune is stored, so a call takes a commit, which clients share. The connections stay open. Takes turns, and prints a
table of medians without a bar.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

ROUNDS: Final = 5
CALLS: Final = 1_000
TOGETHER: Final = 8
HOST: Final = "127.0.0.1"
COMMAND: Final = (sys.executable, "-m", "lnoffers")
CONSTANT: Final = """
import asyncio, sys
from pathlib import Path
from lnoffers.rest.certificates import server_context
from lnoffers.rest.listening import serving

async def constant(scope, receive, send):
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})

async def serve():
    async with serving(constant, "127.0.0.1", 0, server_context(Path(sys.argv[1]), "127.0.0.1")) as listener:
        print(listener.address[1], flush=True)
        await asyncio.Event().wait()

try:
    import uvloop
    uvloop.run(serve())
except ModuleNotFoundError:
    asyncio.run(serve())
"""


@contextmanager
def constant(folder: Path) -> Iterator[int]:
    """Serve the constant; yield the port."""
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", CONSTANT, folder], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


@contextmanager
def served(directory: Path) -> Iterator[int]:
    """Run a server; yield the port of REST."""
    flags = ("--lightning-dir", directory, "--network", "regtest", "--rest", f"{HOST}:0", "--log-file", "log")
    with subprocess.Popen([*COMMAND, "serve", *flags], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            server.stdout.readline()
            found = re.search(rf"https://{HOST}:(\d+)", (directory / "regtest" / "log").read_text())
            assert found is not None
            yield int(found[1])
        finally:
            server.terminate()


Place: TypeAlias = tuple[int, Path] | Path
"""A port and the authority to trust, or a socket."""


def rate(clients: int, message: bytes, end: bytes, held: ExitStack, place: Place) -> float:
    """Return the exchanges per second on so many connections, one after the other on each.

    Over REST, an answer ends once with `end`; at the socket, two do.
    """
    answers = 2 if isinstance(place, Path) else 1

    def exchange(client: socket.socket) -> None:
        for _ in range(CALLS // clients):
            client.sendall(message)
            answer = b""
            while not answer.endswith(end) or answer.count(end) < answers:
                answer += client.recv(1 << 16)

    with ThreadPoolExecutor(clients) as threads:
        open_ones = [held.enter_context(_connection(place)) for _ in range(clients)]
        started = time.perf_counter()
        list(threads.map(exchange, open_ones))
        return CALLS / (time.perf_counter() - started)


def _connection(place: Place) -> socket.socket:
    if isinstance(place, Path):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(place))
        return client
    port, authority = place
    tls = ssl.create_default_context(cafile=str(authority))
    return tls.wrap_socket(socket.create_connection((HOST, port)), server_hostname=HOST)


def made_rune(path: Path) -> str:
    """Return a rune for everything."""
    with _connection(path) as client:
        client.sendall(b'{"jsonrpc":"2.0","id":0,"method":"createrune","params":{}}')
        rune: str = json.loads(client.recv(1 << 16))["result"]["rune"]
        return rune


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="lno") as folder, ExitStack() as held:
        directory = Path(folder, "node")
        home, path = directory / "regtest", directory / "regtest" / "lightning-rpc"
        port, plain = held.enter_context(served(directory)), held.enter_context(constant(Path(folder, "constant")))
        rune = made_rune(path)
        call = f"POST /v1/getinfo HTTP/1.1\r\nHost: x\r\nRune: {rune}\r\n\r\n".encode()
        check = {"rune": rune, "method": "getinfo", "params": {}}
        two = [("checkrune", check), ("getinfo", {})]
        calls = [{"jsonrpc": "2.0", "id": name, "method": name, "params": params} for name, params in two]
        at_socket = "".join(map(json.dumps, calls)).encode()
        print("| clients | over REST | the same server with a constant | both calls at the socket |\n|---|---|---|---|")
        for clients in (1, TOGETHER):
            rows = [
                (
                    rate(clients, call, b"}", held, (port, home / "ca.pem")),
                    rate(clients, call, b"{}", held, (plain, Path(folder, "constant", "ca.pem"))),
                    rate(clients, at_socket, b"}\n\n", held, path),
                )
                for _ in range(ROUNDS)
            ]
            ours, constants, socket_calls = (median(each) for each in zip(*rows, strict=True))
            print(f"| {clients} | {ours:,.0f} a second | {constants:,.0f} | {socket_calls:,.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
