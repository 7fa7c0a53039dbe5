"""How many requests are answered: no more than the limits say, whoever sends them and however often."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lnoffers.bolt12 import BlindedPath, ChannelEnd, Invoice, Offer, UnsignedInvoiceRequest
from lnoffers.net.onion_messages import Payload, ReceivedMessage, wrap
from lnoffers.service import Node, Options
from lnoffers.service.answering import Answers, Issuer
from lnoffers.service.answering.answers import ANSWER_BURST, MAX_ANSWERS
from lnoffers.service.payments.manual import Manual
from lnoffers.service.peers import Link, Peers
from lnoffers.service.peers.link import ONION_BURST
from lnoffers.service.peers.pace import Pace
from lnoffers.service.peers.replies import Replies
from lnoffers.service.peers.scheduling import WAIT_OF_ADDRESS
from tests.peers.conftest import Start
from tests.peers.issuing import answer, offer, path_to, request, send
from tests.peers.stranger import REGTEST, connected, key
from tests.peers.test_link import ends, started
from tests.service.program import SEED_SECRET, until, write_secret
from tests.service.requesting import OFFER, requested

TOO_MANY = "too many requests wait"
ELSEWHERE = Offer.build(offer_issuer_id=key(8).public_key, offer_description="tea", offer_chains=(REGTEST,))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    write_secret(tmp_path / "regtest" / "hsm_secret", SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path, network="regtest")) as opened:
        yield opened


def message(stream: bytes, path: BlindedPath | None) -> ReceivedMessage:
    """Return a request as it arrives."""
    return ReceivedMessage(Payload.build(invoice_request=stream, reply_path=path), None)


PATH = path_to(key(9).public_key)
GOOD = message(requested(OFFER).to_bytes(), PATH)
JUNK = {
    "the request cannot be parsed": message(b"junk", PATH),
    "the request has no reply path": message(requested(OFFER).to_bytes(), None),
    "the request is not for an offer of this node": message(requested(ELSEWHERE).to_bytes(), PATH),
    "its reply path begins at the end of a channel": message(
        requested(OFFER).to_bytes(), replace(PATH, first_node_id=ChannelEnd(0, 0))
    ),
}


def accepted(node: Node, *messages: ReceivedMessage, pace: Pace | None = None, link: Link | None = None) -> int:
    """Have a node receive messages; return how many of them its issuer begins to answer before time passes."""
    begun = 0

    async def held(function: Any) -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    async def main() -> None:
        peers = Peers(node.keys.key_pair, REGTEST, lambda _, __: None)
        node.changes.run = held
        answers = Answers(Issuer(node), Manual(), peers, Replies(peers), node.changes)
        answers._scheduler._pace = pace or answers._scheduler._pace
        for each in messages:
            answers.receive(link, each)
            for _ in range(3):
                await asyncio.sleep(0)
        answers.close()

    asyncio.run(main())
    return begun


def test_requests_beyond_a_burst_wait_and_those_beyond_these_are_dropped(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lnoffers")
    assert accepted(node, *[GOOD] * (ANSWER_BURST + WAIT_OF_ADDRESS)) == ANSWER_BURST
    assert TOO_MANY not in caplog.text
    assert accepted(node, *[GOOD] * (ANSWER_BURST + WAIT_OF_ADDRESS + 2)) == ANSWER_BURST
    assert TOO_MANY in caplog.text


def test_no_more_requests_are_answered_at_a_time_than_the_limit(node: Node) -> None:
    assert accepted(node, *[GOOD] * 2 * MAX_ANSWERS, pace=Pace(1, 3 * MAX_ANSWERS)) == MAX_ANSWERS


def test_a_request_whose_connection_has_ended_is_dropped_at_its_turn(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    async def closed() -> Link:
        async with ends() as both:
            link = Link(both.ours, None)
            ended = started(link)
            link.close()
            await ended
            return link

    caplog.set_level(logging.DEBUG, "lnoffers")
    assert accepted(node, GOOD, link=asyncio.run(closed())) == 0
    assert "its connection has ended before its turn" in caplog.text


@pytest.mark.parametrize("reason", JUNK)
def test_junk_takes_nothing_of_the_pace(node: Node, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    caplog.set_level(logging.DEBUG, "lnoffers")
    assert accepted(node, *[JUNK[reason]] * 3 * ANSWER_BURST, *[GOOD] * ANSWER_BURST) == ANSWER_BURST
    assert reason in caplog.text
    assert TOO_MANY not in caplog.text


@pytest.mark.parametrize("addresses", [1, 12])
def test_a_crowd_of_nodes_does_not_keep_out_a_payer_from_another_address(start: Start, addresses: int) -> None:
    served = start()
    made = offer(served)
    here = bytes.fromhex(served.id)
    notes = count()
    with ExitStack() as stack:
        payer = stack.enter_context(connected(key(20), served.id, served.port))
        crowd = [
            stack.enter_context(
                connected(key(number + 1), served.id, served.port, host=f"127.0.2.{number % addresses + 1}")
            )
            for number in range(12)
        ]

        def flood() -> None:
            for stranger in crowd:
                unsigned = UnsignedInvoiceRequest._build(made.records, invreq_payer_note=str(next(notes)))
                payload = Payload.build(invoice_request=unsigned.to_bytes(), reply_path=path_to(here, here))
                stranger.send(wrap(secrets.token_bytes(32), path_to(here), payload))

        def is_flooded() -> bool:
            flood()
            return TOO_MANY in served.log()

        until(is_flooded)
        flood()
        send(payer, made, request(made, key(20)), path_to(here, key(20).public_key))
        flood()
        assert isinstance(answer(payer, key(20)), Invoice)


def test_a_peer_that_floods_gets_what_its_own_limit_allows_and_others_are_answered(start: Start) -> None:
    served = start()
    made = offer(served)
    here = bytes.fromhex(served.id)
    with connected(key(1), served.id, served.port) as one, connected(key(2), served.id, served.port) as two:
        for number in range(10 * ONION_BURST):
            asked = request(made, key(1), invreq_payer_note=str(number))
            send(one, made, asked, path_to(here, key(1).public_key))
        send(two, made, request(made, key(2)), path_to(here, key(2).public_key))
        assert isinstance(answer(two, key(2)), Invoice)
        assert isinstance(answer(one, key(1)), Invoice)
    until(lambda: not served.client.listpeers().peers)
    assert len(served.client.listinvoices().invoices) == 2, "one for each payer's key"
