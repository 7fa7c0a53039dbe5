"""Clients that want to harm: they get no traceback, fill nothing for long, and keep nobody else waiting."""

from __future__ import annotations

import asyncio
import os
import resource
import select
import socket
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lnoffers.rest.application import LONG_BYTES, SEND_SECONDS
from lnoffers.rest.listening import Limits
from lnoffers.rest.request import MAX_BODY_BYTES, MAX_DEPTH, MAX_HEAD_BYTES
from tests.rest.running import HOST, Node, Site, served
from tests.rest.serving import Served, served_over_rest
from tests.service.program import Program, run
from tests.service.test_lists import MANY, fill
from tests.shared import ROOT

IDLE = 2_000
PLACES = 256
"""How many connections a server has at once."""
HEAD = b"POST /v1/getinfo HTTP/1.1\r\nHost: x\r\nRune: a-rune\r\n"


@pytest.fixture
def room_for_files() -> Iterator[None]:
    """Allow this process as many open files as the connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < IDLE + 500:
        pytest.skip(f"only {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, IDLE + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files(process: int) -> int:
    """Return how many files a process has open."""
    return len([*Path(f"/proc/{process}/fd").iterdir()])


@contextmanager
def idle_connections(site: Site, count: int, first_bytes: bytes = b"", *, tls: bool = False) -> Iterator[None]:
    """Hold so many connections open, each after sending the same bytes."""
    with ExitStack() as held:
        for _ in range(count):
            connection: Any = site.socket() if tls else socket.create_connection((HOST, site.port), timeout=30)
            held.enter_context(connection)
            with suppress(OSError):  # another one may have taken its place already
                connection.sendall(first_bytes)
        yield


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in Linux's /proc")
def test_two_thousand_idle_connections_keep_nobody_out(directory: Path, room_for_files: None) -> None:
    with served_over_rest(directory) as server:
        rune, files = server.rune(), open_files(server.process.pid)
        with idle_connections(server.site, IDLE):
            for _ in range(3):
                assert server.site.post("getinfo", rune=rune).status == 201
            assert open_files(server.process.pid) <= files + PLACES + 8
            assert server.call("getinfo")["network"] == "regtest"
        assert server.site.post("getinfo", rune=rune).status == 201


@pytest.mark.parametrize(
    "first_bytes",
    [b"", b"POST /v1/getinfo HT", HEAD, HEAD + b"Content-Length: 100\r\n\r\n{", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["nothing", "half a line", "half a head", "half a body", "answered"],
)
def test_connections_that_stay_open_make_room_for_others(tmp_path: Path, first_bytes: bytes) -> None:
    with (
        served(Node(), tmp_path, Limits(connections=8)) as site,
        idle_connections(site, 30, first_bytes, tls=True),
    ):
        for _ in range(3):
            assert site.post("getinfo").status == 201


@pytest.mark.parametrize("head", [b"", HEAD, HEAD + b"Content-Length: 1000\r\n\r\n"], ids=["line", "head", "body"])
def test_a_request_that_trickles_in_is_cut_off(tmp_path: Path, head: bytes) -> None:
    limits = Limits(idle_seconds=1, request_seconds=0.1)
    with served(Node(), tmp_path, limits) as site, site.socket() as slow:
        slow.sendall(head)
        with suppress(OSError):
            while not select.select([slow], [], [], 0.05)[0]:
                slow.sendall(b"P")
            assert slow.recv(1 << 16) == b""
        assert site.post("getinfo").status == 201


def test_a_connection_without_a_request_is_closed(tmp_path: Path) -> None:
    with served(Node(), tmp_path, Limits(idle_seconds=1)) as site, site.socket() as idle:
        idle.sendall(HEAD + b"\r\n")
        assert idle.recv(1 << 16).startswith(b"HTTP/1.1 201 ")
        assert b"".join(iter(lambda: idle.recv(1 << 16), b"")) in (b"", b'{"id":"02aa"}')


def test_a_handshake_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    limits = Limits(idle_seconds=1, request_seconds=0.1)
    with served(Node(), tmp_path, limits) as site, socket.create_connection((HOST, site.port), timeout=30) as silent:
        assert silent.recv(1) == b""


BODIES = {
    "longer than it may be": b"Content-Length: 10000000000\r\n\r\n",
    "endless": b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n%b\r\n" % (b"x" * 0x10000) * 20,
    "a chunk without a length": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{}",
    "a negative length": b"Content-Length: -1\r\n\r\n{}",
    "compressed": b"Transfer-Encoding: gzip\r\n\r\n{}",
    "a header over many lines": b"X: a\r\n b\r\n" * 3 + b"Content-Length: 2\r\n\r\n[]",
    "a huge header": b"X: %b\r\n\r\n" % (b"x" * 100_000),
    "many headers": b"".join(b"X%d: y\r\n" % number for number in range(10_000)) + b"\r\n",
    "a NUL in a header": b"X: \0\r\n\r\n",
    "an upgrade": b"Connection: Upgrade\r\nUpgrade: websocket\r\nAccept: text/html\r\n\r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_malformed_or_huge_request_gets_an_error_of_the_client(site: Site, body: bytes) -> None:
    with site.socket() as raw:
        answer = b""
        with suppress(OSError):  # the server may close before it has read everything
            raw.sendall(HEAD + body)
        with suppress(OSError):
            answer = raw.recv(1 << 16)
    assert answer[:10] in (b"", b"HTTP/1.1 4"), answer
    assert site.post("getinfo").status == 201


class Slow(Node):
    """A node that takes its time to check a rune, and counts how many it checks at once."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._checking = 0

    async def __call__(self, method: str, params: bytes, /) -> bytes | AsyncGenerator[bytes, None]:
        self._checking += 1
        self.most = max(self.most, self._checking)
        await asyncio.sleep(0.02)
        self._checking -= 1
        return await super().__call__(method, params)


@pytest.mark.parametrize(("length", "at_once"), [(LONG_BYTES + 20, 1), (10, 8)])
def test_long_bodies_of_strangers_take_turns(tmp_path: Path, length: int, at_once: int) -> None:
    node = Slow()
    with served(node, tmp_path) as site, ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(site.post, "getinfo", {"a": "x" * length}, "a stranger's") for _ in range(24)]
        assert {call.result().status for call in calls} == {401}
    assert node.most <= at_once
    assert (node.most == 1) == (at_once == 1)


def test_right_and_wrong_runes_at_once_each_get_their_answer(server: Served) -> None:
    right, wrong = server.rune(), server.rune(method="help")
    blacklisted = server.rune()
    server.blacklist_last()
    wanted = {right: 201, wrong: 401, blacklisted: 401, "x": 401, "": 403}
    with ThreadPoolExecutor(8) as threads:
        runes = [*wanted] * 40
        statuses = [*threads.map(lambda rune: server.site.post("getinfo", rune=rune).status, runes)]
    assert statuses == [wanted[rune] for rune in runes]


def test_a_rate_holds_for_calls_at_once(server: Served) -> None:
    rune = server.rune(["rate=60"])
    with ThreadPoolExecutor(8) as threads:
        statuses = [*threads.map(lambda _: server.site.post("getinfo", rune=rune).status, range(24))]
    assert sorted(statuses) == [201] + [401] * 23


def test_a_client_that_does_not_read_delays_no_other(directory: Path) -> None:
    run("init", *Program(directory).flags)
    fill(Program(directory), MANY)
    with served_over_rest(directory) as server, ExitStack() as held:
        rune = server.rune()
        for _ in range(20):
            raw = held.enter_context(server.site.socket())
            raw.sendall(f"POST /v1/listinvoicerequests HTTP/1.1\r\nHost: x\r\nRune: {rune}\r\n\r\n".encode())
        for _ in range(5):
            assert server.site.post("getinfo", rune=rune).status == 201


def test_plain_bytes_at_the_tls_port_end_only_their_connection(site: Site) -> None:
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 1000, os.urandom(10_000)):
        with socket.create_connection((HOST, site.port), timeout=30) as raw, suppress(OSError):
            raw.sendall(data)
            while raw.recv(1 << 16):
                pass
    assert site.post("getinfo").status == 201


def test_the_guide_has_the_limits_that_there_are() -> None:
    guide = (ROOT / "docs" / "how-to" / "call-over-rest.md").read_text()
    told = {row.split(" | ")[0].removeprefix("| "): row.split(" | ")[1] for row in guide.splitlines() if " | " in row}
    limits = Limits()
    assert told["connections"].startswith(f"{limits.connections}, ")
    assert told["a body"] == f"{MAX_BODY_BYTES:,} bytes, {MAX_DEPTH} levels"
    assert told["413"] == f"the body is longer than {MAX_BODY_BYTES:,} bytes"
    assert told["the head of a request"] == f"{MAX_HEAD_BYTES:,} bytes"
    assert told["an idle connection"] == f"{limits.idle_seconds} seconds"
    assert told["the arrival of a request"].startswith(f"{limits.idle_seconds + limits.request_seconds:g} seconds ")
    assert told["a piece of an answer that the client does not read"] == f"{SEND_SECONDS:g} seconds"
    assert told["last answers when the server stops"] == f"{limits.grace_seconds:g} seconds"
