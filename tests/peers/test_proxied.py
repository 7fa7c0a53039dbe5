"""A server that connects through a proxy."""

from __future__ import annotations

import pytest

from clnrpc import RpcError
from tests.fetching import socks
from tests.peers.conftest import Start
from tests.peers.stranger import key
from tests.service.program import Program, run, until

ONION = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwxyz23.onion"
NODE_ID = key(7).public_key.hex()


@pytest.mark.parametrize(("host", "kind"), [(ONION, "torv3"), ("node.example", "dns"), ("192.0.2.7", "ipv4")])
def test_all_outgoing_connections_use_the_proxy(start: Start, host: str, kind: str) -> None:
    two = start()
    with socks.running(hosts={host: two.port}) as proxy:
        one = start("--proxy", str(proxy), "--peer", f"{two.id}@{host}:9735")
        until(one.peers)
        made = one.client.connect(two.id, host=host, port=9_735)
        assert (made.address.type, made.address.address, made.address.port) == (kind, host, 9_735)
        assert one.client.listpeers().peers[0].netaddr == [f"{host}:9735"]
        assert set(proxy.asked) == {(host, 9_735)}
        one.client.disconnect(two.id)
        one.process.terminate()
        one.process.wait()


def test_connect_says_what_the_proxy_says(start: Start) -> None:
    with socks.running() as proxy:
        one = start("--proxy", str(proxy))
        with pytest.raises(RpcError) as caught:
            one.client.connect(NODE_ID, host=ONION, port=9_735)
    why = f"the proxy {proxy} cannot reach it: host unreachable"
    assert (caught.value.code, caught.value.message) == (401, f"All addresses failed: {ONION}:9735: {why}")


def test_an_onion_address_needs_a_proxy(start: Start) -> None:
    with pytest.raises(RpcError, match=r"an \.onion address needs Tor: pass its proxy with --proxy") as caught:
        start().client.connect(NODE_ID, host=ONION, port=9_735)
    assert caught.value.code == 401


def test_refuses_what_is_no_proxy(program: Program) -> None:
    done = run("serve", *program.flags, "--proxy", "127.0.0.1:70000")
    assert done.code == 2
    assert done.err.startswith("lnoffers: --proxy '127.0.0.1:70000' is not HOST:PORT: the port should be")
