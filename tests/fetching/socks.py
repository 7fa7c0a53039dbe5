"""A SOCKS5 proxy under a test's control, on a loopback port and in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SECONDS = 60

Behaviour = Callable[["Proxy", socket.socket], None]


@dataclass
class Proxy:
    """A proxy. `hosts` has the TCP ports of this machine that stand for host names and addresses."""

    port: int
    hosts: Mapping[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    """The hosts and ports that clients asked for."""

    def __str__(self) -> str:
        return f"127.0.0.1:{self.port}"


def read(wire: socket.socket, length: int) -> bytes:
    """Return exactly so many bytes."""
    data = wire.recv(length, socket.MSG_WAITALL)
    if len(data) < length:
        raise ConnectionError
    return data


def requested(proxy: Proxy, wire: socket.socket) -> tuple[str, int]:
    """Accept a client without a password, and return the host and port that it asks for."""
    version, methods = read(wire, 2)
    assert version == 5
    assert 0 in read(wire, methods)
    wire.sendall(b"\5\0")
    version, command, _, kind = read(wire, 4)
    assert (version, command) == (5, 1)
    if kind == 1:
        host = socket.inet_ntop(socket.AF_INET, read(wire, 4))
    elif kind == 4:
        host = socket.inet_ntop(socket.AF_INET6, read(wire, 16))
    else:
        host = read(wire, read(wire, 1)[0]).decode()
    place = (host, int.from_bytes(read(wire, 2), "big"))
    proxy.asked.append(place)
    return place


def connect(proxy: Proxy, wire: socket.socket) -> None:
    """Connect to the port that stands for the host, and pass on the bytes of both sides."""
    host, _ = requested(proxy, wire)
    if host not in proxy.hosts:
        wire.sendall(b"\5\4\0\1" + bytes(6))
        return
    with socket.create_connection(("127.0.0.1", proxy.hosts[host]), SECONDS) as target:
        wire.sendall(b"\5\0\0\3\x09localhost" + bytes(2))
        other = threading.Thread(target=pump, args=(target, wire))
        other.start()
        pump(wire, target)
        other.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on bytes until the source has ended."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def answers(reply: bytes) -> Behaviour:
    """Answer the first message with these bytes, and close."""

    def run(proxy: Proxy, wire: socket.socket) -> None:
        read(wire, 3)
        wire.sendall(reply)
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(1 << 16):
            pass

    return run


def replies(reply: bytes) -> Behaviour:
    """Answer the request with these bytes, and close."""

    def run(proxy: Proxy, wire: socket.socket) -> None:
        requested(proxy, wire)
        wire.sendall(reply)

    return run


@contextmanager
def running(behaviour: Behaviour = connect, hosts: Mapping[str, int] | None = None) -> Iterator[Proxy]:
    """Run a proxy until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy, threads = Proxy(listener.getsockname()[1], hosts or {}), list[threading.Thread]()

        def serve(wire: socket.socket) -> None:
            with wire, suppress(OSError):
                wire.settimeout(SECONDS)
                behaviour(proxy, wire)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threads.append(threading.Thread(target=serve, args=(listener.accept()[0],)))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # ends accept
            accepting.join()
            for thread in threads:
                thread.join()
