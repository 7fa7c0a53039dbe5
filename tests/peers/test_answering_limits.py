"""How many requests are answered: no more than the limits say, whoever sends them and however often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lnoffers.bolt12 import Invoice
from lnoffers.net.onion_messages import Payload, ReceivedMessage
from lnoffers.service import Node, Options
from lnoffers.service.answering import Answers, Issuer
from lnoffers.service.answering.answers import ANSWER_BURST, MAX_ANSWERS
from lnoffers.service.peers import Peers
from lnoffers.service.peers.link import ONION_BURST
from tests.peers.conftest import Start
from tests.peers.issuing import answer, offer, path_to, request, send
from tests.peers.stranger import REGTEST, connected, key
from tests.service.program import SEED_SECRET, until, write_secret
from tests.service.requesting import OFFER, requested

TOO_MANY = "there are too many requests"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    write_secret(tmp_path / "regtest" / "hsm_secret", SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path, network="regtest")) as opened:
        yield opened


def message(*, reply: bool) -> ReceivedMessage:
    """A request as it arrives."""
    path = path_to(key(9).public_key) if reply else None
    return ReceivedMessage(Payload.build(invoice_request=requested(OFFER).to_bytes(), reply_path=path), None)


def receive(node: Node, count: int, each: ReceivedMessage, run: Any) -> None:
    """Have a node receive the same message many times."""

    async def main() -> None:
        peers = Peers(node.keys.key_pair, REGTEST, lambda _, __: None)
        answers = Answers(Issuer(node), peers, run)
        for _ in range(count):
            answers.receive("a peer", each)  # type: ignore[arg-type] # only the log names it here
        answers.close()

    asyncio.run(main())


def test_requests_beyond_a_burst_are_dropped_before_they_are_parsed(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lnoffers")
    receive(node, 3 * ANSWER_BURST, message(reply=False), node.changes.run)
    assert "the request has no reply path" in caplog.messages[0]
    assert all(TOO_MANY not in text for text in caplog.messages[:ANSWER_BURST])
    assert TOO_MANY in caplog.text


def test_only_so_many_requests_wait_for_the_store(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "lnoffers")

    async def held(function: Any) -> None:
        await asyncio.Event().wait()

    assert MAX_ANSWERS > ANSWER_BURST, "a burst has room"
    receive(node, 2 * MAX_ANSWERS, message(reply=True), held)
    assert TOO_MANY in caplog.text


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
