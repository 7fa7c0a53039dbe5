"""Connections through a SOCKS5 proxy, which the tests run on loopback."""

from __future__ import annotations

import asyncio
import socket

import pytest

from lnoffers import FetchError, fetch_invoice
from lnoffers.fetching import Address, AddressError, Reason
from lnoffers.fetching.dialing import PROXY_PORT, PeerGoneError, Proxy, UnresolvedError, dial
from tests.fetching import socks
from tests.fetching.conftest import Start
from tests.fetching.test_fetch import ISSUER, offer
from tests.service.program import run

ONION = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwxyz23.onion"


def failure(host: str, proxy: str | None) -> str:
    """Return why a connection fails."""

    async def connect() -> None:
        _, writer = await dial(host, 9735, None if proxy is None else Proxy.parse(proxy))
        writer.close()

    with pytest.raises(PeerGoneError) as caught:
        asyncio.run(connect())
    return str(caught.value)


def elsewhere(address: str, host: str) -> tuple[str, int]:
    """Return a node's address with another host, and its TCP port."""
    found = Address.parse(address)
    return str(Address(found.node_id, host, found.port)), found.port


@pytest.mark.parametrize("host", [ONION, "node.example", "192.0.2.7", "2001:db8::7"])
def test_the_proxy_gets_the_host_as_it_is(start: Start, host: str) -> None:
    address, port = elsewhere(start(ISSUER), host)
    with socks.running(hosts={host: port}) as proxy:
        invoice = asyncio.run(fetch_invoice(offer(), connect=address, proxy=str(proxy)))
    assert invoice.invoice_amount == 1_000
    assert proxy.asked == [(host, port)]


def test_fetch_takes_a_proxy(start: Start) -> None:
    address, port = elsewhere(start(ISSUER), ONION)
    with socks.running(hosts={ONION: port}) as proxy:
        done = run("fetch", offer().encode(), "--connect", address, "--proxy", str(proxy))
    assert (done.code, done.err) == (0, "")
    assert proxy.asked == [(ONION, port)]


def test_an_onion_address_without_a_proxy_is_refused_with_advice() -> None:
    for host in (ONION, f"{ONION.upper()}."):
        assert failure(host, None) == (
            f"an .onion address needs Tor: pass its proxy with --proxy (in Python, proxy), as 127.0.0.1:{PROXY_PORT}"
        )


@pytest.mark.parametrize(
    ("reply", "why"),
    [(1, "general failure"), (4, "host unreachable"), (5, "connection refused"), (99, "reply 99")],
)
def test_says_why_the_proxy_cannot_reach_a_node(reply: int, why: str) -> None:
    with socks.running(socks.replies(bytes([5, reply, 0, 1]) + bytes(6))) as proxy:
        assert failure(ONION, str(proxy)) == f"the proxy {proxy} cannot reach it: {why}"


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (socks.answers(b"HTTP/1.1 400 Bad Request\r\n" * 10_000), "does not speak SOCKS5"),
        (socks.answers(b"\5\xff"), "demands a password; use one that does not"),
        (socks.answers(b"\5\2"), "does not speak SOCKS5"),
        (socks.answers(b"\5"), "closed the connection"),
        (socks.replies(b"\4\0\0\1" + bytes(6)), "does not speak SOCKS5"),
        (socks.replies(b"\5\0\0"), "closed the connection"),
        (socks.replies(b"\5\0\0\3\xff" + bytes(100)), "closed the connection"),
    ],
)
def test_a_proxy_that_breaks_the_protocol_is_named(behaviour: socks.Behaviour, why: str) -> None:
    with socks.running(behaviour) as proxy:
        assert failure(ONION, str(proxy)) == f"the proxy {proxy} {why}"


def test_a_proxy_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    assert failure(ONION, place) == f"the proxy {place} cannot be reached: Connection refused"


def test_a_name_that_no_proxy_can_get_is_refused() -> None:
    async def connect(host: str) -> None:
        await dial(host, 9735, Proxy("127.0.0.1", 9))

    for host in ("a..b", "x" * 64, ".".join(["x" * 60] * 5)):
        with pytest.raises(UnresolvedError, match="not a host name"):
            asyncio.run(connect(host))


def test_a_fetch_through_a_proxy_that_fails_says_so(start: Start) -> None:
    address, _ = elsewhere(start(ISSUER), ONION)
    with socks.running() as proxy, pytest.raises(FetchError) as caught:
        asyncio.run(fetch_invoice(offer(), connect=address, proxy=str(proxy)))
    assert caught.value.reason is Reason.CANNOT_CONNECT
    assert f"the proxy {proxy} cannot reach it: host unreachable" in str(caught.value)


@pytest.mark.parametrize("text", ["", "127.0.0.1:x", "[::1"])
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        asyncio.run(fetch_invoice(offer(), proxy=text))
    done = run("fetch", offer().encode(), "--proxy", text)
    assert done.code == 2
    assert done.err.startswith(f"lnoffers: --proxy {text!r} is not HOST:PORT: ")
