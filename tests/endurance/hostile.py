"""`python -m tests.endurance.hostile [SECONDS]`: hostile nodes attack a server, each attack for ten seconds by default.

Before and during each attack a client of the socket calls `getinfo`, two hundred times a second. Its calls may take at
most eight times as long as without the attack (at the 99th percentile), and the server may use at most 100 MB. Prints a
table; exits with 1 if a limit is missed. The attackers run in another process, at a lower priority.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import Final

from clnrpc import Client
from lnoffers.bolt12 import Offer, new_hsm_secret
from lnoffers.net.errors import WireError
from lnoffers.net.onion_messages import Payload
from tests.endurance.table import Figure, report
from tests.peers import attacks
from tests.peers.conftest import Served
from tests.peers.issuing import path_to, request
from tests.peers.stranger import REGTEST, Stranger, connected, key
from tests.service.program import Program, Wire
from tests.shared import ROOT

SECONDS: Final = 10.0
MOST_TIMES: Final = 8
MOST_MEGABYTES: Final = 100
PACE: Final = 1 / 200
NICENESS: Final = 10
HALF_OPEN: Final = 10_000

Round = Callable[[str, int], None]


def garbage(peer_id: str, port: int) -> None:
    """Send garbage at each stage of the handshake, again and again, from twenty addresses."""
    for acts in (0, 1, 3):
        for noise in (b"", b"\1" * 50, bytes(66), os.urandom(100_000)):
            for number in range(1, 21):
                with suppress(OSError, WireError):
                    attacks.garbage_at(acts, noise, f"127.0.1.{number}")(peer_id, port)


def half_open(peer_id: str, port: int) -> None:
    """Open ten thousand connections from 250 addresses, and send nothing on them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        for number in range(min(HALF_OPEN, hard - 100)):
            wire = stack.enter_context(socket.socket())
            wire.setblocking(False)
            wire.bind((f"127.0.1.{number % 250 + 1}", 0))
            wire.connect_ex(("127.0.0.1", port))
        time.sleep(3_600)


def with_peers(count: int, attack: Callable[[Stranger], object]) -> Round:
    """Complete the handshake of so many nodes, from an address each, and have all attack in turn."""

    def run(peer_id: str, port: int) -> None:
        with ExitStack() as stack:
            strangers = []
            for number in range(1, count + 1):
                host = f"127.0.2.{number}"
                strangers.append(stack.enter_context(connected(key(number), peer_id, port, host=host)))
            while strangers:
                for stranger in [*strangers]:
                    stranger.wire.settimeout(0.1)
                    try:
                        attack(stranger)
                    except TimeoutError:
                        strangers.remove(stranger)  # half a frame is sent, so no other can follow
                    except OSError:
                        strangers.remove(stranger)
                time.sleep(0.001)
            time.sleep(3_600)

    return run


def small(stranger: Stranger) -> None:
    attacks.messages(b"\xff\xff", 10)(stranger)


def large(stranger: Stranger) -> None:
    attacks.messages(attacks.UNKNOWN_ODD["messages of 65,535 bytes"], 1)(stranger)


def pings(stranger: Stranger) -> None:
    stranger.send_pings(10, pong_length=attacks.PONG_BYTES)


def onions(peer_id: str) -> Callable[[Stranger], None]:
    messages = [message for _, message in attacks.odd_reply_paths(bytes.fromhex(peer_id))]
    messages.append(attacks.by_way_of(bytes.fromhex(peer_id), key(2).public_key, bytes(20_000)))

    def run(stranger: Stranger) -> None:
        for message in messages:
            stranger.send(message)

    return run


def requests(peer_id: str) -> Callable[[Stranger], None]:
    node_id = bytes.fromhex(peer_id)
    offer = Offer.build(offer_issuer_id=node_id, offer_description="unknown", offer_chains=(REGTEST,))
    payload = Payload.build(invoice_request=request(offer, key(1)).to_bytes(), reply_path=path_to(node_id, node_id))

    def run(stranger: Stranger) -> None:
        stranger.send(attacks.to_node(node_id, payload))

    return run


ATTACKS: Final[dict[str, Callable[[str], Round]]] = {
    "garbage at each stage of the handshake": lambda _: garbage,
    "10,000 half-open connections": lambda _: half_open,
    "short unknown messages of one peer": lambda _: with_peers(1, small),
    "short unknown messages of 64 peers": lambda _: with_peers(64, small),
    "messages of 65,535 bytes of 64 peers": lambda _: with_peers(64, large),
    "pings for long pongs of 64 peers that read nothing": lambda _: with_peers(64, pings),
    "onion messages of one peer": lambda peer_id: with_peers(1, onions(peer_id)),
    "onion messages of 64 peers": lambda peer_id: with_peers(64, onions(peer_id)),
    "requests of 64 peers for an unknown offer": lambda peer_id: with_peers(64, requests(peer_id)),
}


def attack(name: str, peer_id: str, port: int) -> None:
    """Attack until the process is killed."""
    os.nice(NICENESS)
    run = ATTACKS[name](peer_id)
    while True:
        with suppress(OSError, WireError, AssertionError):
            run(peer_id, port)
        time.sleep(0.01)


@contextmanager
def served() -> Iterator[Served]:
    """Run a server with a port for other nodes."""
    with tempfile.TemporaryDirectory(prefix="lno") as directory:
        program = Program(Path(directory))
        program.give_secret(new_hsm_secret(os.urandom(16)))
        flags = ("--addr", "127.0.0.1:0", "--log-file", "log", "--log-level", "debug")
        with program.served(*flags) as process, Client(program.socket) as client:
            info = client.getinfo()
            [port] = [place.port for place in info.binding or () if place.type == "ipv4"]
            yield Served(program, process, client, info.id, port or 0)


@contextmanager
def attacked(name: str, server: Served) -> Iterator[None]:
    """Run an attack until the end of the block."""
    command = [sys.executable, "-m", "tests.endurance.hostile", "attack", name, server.id, str(server.port)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            time.sleep(2)  # until it has started
            assert process.poll() is None, f"the attack {name!r} has ended"
            yield
            assert process.poll() is None, f"the attack {name!r} has ended"
        finally:
            process.kill()


def slowest_percent(path: Path, seconds: float) -> float:
    """Return how long `getinfo` takes, in milliseconds: the 99th percentile."""
    times = []
    with Wire(path) as wire:
        end = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            wire.ask("getinfo")
            times.append(time.perf_counter() - begun)
            time.sleep(PACE)
    return quantiles(times, n=100)[-1] * 1_000


def measure(name: str, seconds: float) -> Iterator[Figure]:
    """Attack a new server, and yield what that has cost."""
    with served() as server:
        idle = slowest_percent(server.program.socket, seconds)
        with attacked(name, server):
            busy = slowest_percent(server.program.socket, seconds)
        megabytes, log = server.peak_megabytes(), server.log()
    times = busy / idle
    found = f"{times:.1f} times ({idle:.2f} ms, then {busy:.2f} ms)"
    yield Figure(f"{name}: waiting", found, f"{MOST_TIMES} times", times > MOST_TIMES)
    yield Figure(f"{name}: memory", f"{megabytes:.0f} MB", f"{MOST_MEGABYTES} MB", megabytes > MOST_MEGABYTES)
    yield Figure(f"{name}: lines of the log", f"{len(log.splitlines())}")


def main(seconds: float) -> int:
    """Return 1 if a limit is missed, else 0."""
    return report("Hostile nodes", *(figure for name in ATTACKS for figure in measure(name, seconds)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["attack"]:
        attack(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
