"""Reply paths that lead nowhere: no answer, a reason in the log, and the next request is answered as ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import pytest

from lnoffers.bolt12 import BlindedPath, ChannelEnd, Invoice
from lnoffers.bolt12.blinded_paths import BlindedHop
from lnoffers.net.messages import OnionMessage, Ping, Pong
from lnoffers.net.onion_messages import MAX_REPLY_HOPS
from tests.peers.conftest import Served, Start
from tests.peers.issuing import answer, nothing_came, offer, path_to, request, send
from tests.peers.stranger import connected, key
from tests.service.program import until

PAYER, NOBODY = key(1).public_key, key(9).public_key


def disturbed(path: BlindedPath) -> BlindedPath:
    """Return the path with other data for its first node."""
    first, *others = path.hops
    return replace(path, hops=(BlindedHop(first.blinded_node_id, bytes(50)), *others))


PATHS: dict[str, tuple[Callable[[bytes], BlindedPath | None], str]] = {
    "none": (lambda _: None, "the request has no reply path"),
    "no hops": (lambda here: replace(path_to(here), hops=()), "the reply path has 0 hops"),
    "too many hops": (
        lambda here: path_to(*[here] * (MAX_REPLY_HOPS + 1)),
        f"the reply path has {MAX_REPLY_HOPS + 1} hops",
    ),
    "200 hops": (lambda here: path_to(*[here] * 200), "the reply path has 200 hops"),
    "a channel": (
        lambda here: replace(path_to(here, PAYER), first_node_id=ChannelEnd(0, 0)),
        "its reply path begins at the end of a channel",
    ),
    "only here": (path_to, "from this node: the invoice is refused: Unknown invoice_request ID"),
    "here twice": (lambda here: path_to(here, here), "the second node of its reply path is not connected"),
    "here ever again": (
        lambda here: path_to(*[here] * MAX_REPLY_HOPS),
        "the second node of its reply path is not connected",
    ),
    "nobody": (lambda here: path_to(here, NOBODY), "the second node of its reply path is not connected"),
    "data for another": (lambda here: disturbed(path_to(here, PAYER)), "the data was made for another node"),
}


@pytest.mark.parametrize("name", PATHS)
def test_an_answer_that_leads_nowhere_is_dropped_with_a_reason(start: Start, name: str) -> None:
    make, reason = PATHS[name]
    served = start()
    made = offer(served)
    here = bytes.fromhex(served.id)
    with connected(key(1), served.id, served.port) as payer:
        send(payer, made, request(made, key(1)), make(here))
        until(lambda: reason in served.log())
        assert nothing_came(payer)
        send(payer, made, request(made, key(1)), path_to(here, PAYER))
        assert isinstance(answer(payer, key(1)), Invoice)


@pytest.mark.parametrize("name", ["none", "a channel"])
def test_a_request_that_cannot_be_answered_stores_nothing(start: Start, name: str) -> None:
    make, reason = PATHS[name]
    served = start()
    made = offer(served)
    with connected(key(1), served.id, served.port) as payer:
        send(payer, made, request(made, key(1)), make(bytes.fromhex(served.id)))
        served.await_log(reason)
    assert served.client.listinvoices().invoices == []


@contextmanager
def locked(served: Served) -> Iterator[None]:
    """Hold a server's store, so that no answer can be stored."""
    with closing(sqlite3.connect(served.program.network_dir / "lnoffers.sqlite3", isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        yield
        store.execute("ROLLBACK")


def test_an_answer_whose_connection_has_ended_is_dropped_with_a_reason(start: Start) -> None:
    served = start()
    made = offer(served)
    with locked(served):
        with connected(key(1), served.id, served.port) as payer:
            send(payer, made, request(made, key(1)), path_to(NOBODY, PAYER))
            payer.send(Ping(7))
            assert payer.event() == Pong(7), "the request has arrived"
        until(lambda: not served.peers())
    served.await_log("neither the first node of its reply path nor the node that brought it is connected")


def test_an_answer_is_sent_over_the_new_connection_of_the_node_that_brought_the_request(start: Start) -> None:
    served = start()
    made = offer(served)
    with ExitStack() as stack:
        with locked(served):
            with connected(key(1), served.id, served.port) as payer:
                send(payer, made, request(made, key(1)), path_to(NOBODY, PAYER))
                payer.send(Ping(7))
                assert payer.event() == Pong(7), "the request has arrived"
            until(lambda: not served.peers())
            again = stack.enter_context(connected(key(1), served.id, served.port))
            until(served.peers)
        assert isinstance(again.event(), OnionMessage)


def test_a_path_that_begins_at_nobody_is_left_to_the_node_that_brought_the_request(start: Start) -> None:
    served = start()
    made = offer(served)
    with connected(key(1), served.id, served.port) as payer:
        send(payer, made, request(made, key(1)), path_to(NOBODY, PAYER))
        assert payer.event() is not None, "the payer is asked to forward it"
