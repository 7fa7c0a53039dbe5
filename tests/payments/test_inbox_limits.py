"""Invoices for which there is no room: each gets a reason, as many of them as can be sent at little cost."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import pytest

from lnoffers.bolt12 import CHAINS, InvoiceError
from lnoffers.net.blinding import message_path
from lnoffers.net.offer_messages import read_reply
from lnoffers.net.onion_messages import Payload, ReceivedMessage
from lnoffers.service import Node
from lnoffers.service.payments.inbox import REASON_BURST, TOO_MANY, Inbox
from lnoffers.service.peers import Peers
from lnoffers.service.peers.pace import Pace
from lnoffers.service.peers.pending import AwaitedAnswer
from lnoffers.service.peers.replies import Replies
from lnoffers.service.peers.scheduling import WAIT_OF_ADDRESS
from tests.payments.scripted import Scripted, payer


class Sender:
    """Sends invoices to a node, over its own connection to itself, and keeps the answers."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._answers: list[AwaitedAnswer] = []

    def invoice(self) -> ReceivedMessage:
        """Return an invoice with a reply path of its own."""
        path_id = secrets.token_bytes(32)
        answer: AwaitedAnswer = asyncio.get_running_loop().create_future()
        self._peers.pending.expect(path_id, answer)
        self._answers.append(answer)
        path = message_path(secrets.token_bytes(32), [self._peers.node_id], path_id)
        return ReceivedMessage(Payload.build(invoice=b"junk", reply_path=path), None)

    def reasons(self) -> list[str | None]:
        """Return why each invoice was refused so far; None if it has no answer yet."""
        return [reason_in(each.result()) if each.done() else None for each in self._answers]


def reason_in(received: ReceivedMessage) -> str | None:
    found = read_reply(received)
    assert isinstance(found, InvoiceError)
    return found.error


@pytest.fixture
def crowded(node: Node) -> Iterator[tuple[Inbox, Peers]]:
    """Yield an inbox whose pace allows nothing more, so that all invoices wait."""
    peers = Peers(node.keys.key_pair, CHAINS["regtest"], lambda *_: None)
    with payer(node, Scripted()) as paying:
        made = Inbox(node, paying, peers, Replies(peers))
        made._scheduler._pace = Pace(1e-9, 0)
        yield made, peers


async def quiet() -> None:
    """Wait until everything that is ready has been sent."""
    for _ in range(100):
        await asyncio.sleep(0)


def test_an_invoice_that_cannot_wait_gets_a_reason(crowded: tuple[Inbox, Peers]) -> None:
    inbox, peers = crowded

    async def main() -> list[str | None]:
        sender = Sender(peers)
        inbox.receive(None, sender.invoice())
        await quiet()  # it has its turn, and is held by the pace
        for _ in range(WAIT_OF_ADDRESS + 2):
            inbox.receive(None, sender.invoice())
        await quiet()
        inbox.close()
        return sender.reasons()

    assert asyncio.run(main()) == [None] * (1 + WAIT_OF_ADDRESS) + [TOO_MANY] * 2


def test_reasons_have_a_budget_however_many_invoices_come(crowded: tuple[Inbox, Peers]) -> None:
    inbox, peers = crowded
    inbox._reasons = Pace(1e-9, REASON_BURST)

    async def main() -> list[str | None]:
        sender = Sender(peers)
        for _ in range(10 * REASON_BURST):
            inbox.receive(None, sender.invoice())
        assert len(inbox._refusing) == REASON_BURST
        for _ in range(10):
            await quiet()
        inbox.close()
        return sender.reasons()

    assert asyncio.run(main()).count(TOO_MANY) == REASON_BURST


def test_reasons_are_sent_again_later(crowded: tuple[Inbox, Peers]) -> None:
    inbox, peers = crowded
    inbox._reasons = Pace(1_000, REASON_BURST)

    async def main() -> None:
        sender = Sender(peers)
        while sender.reasons().count(TOO_MANY) <= 2 * REASON_BURST:
            inbox.receive(None, sender.invoice())
            await asyncio.sleep(0)
        inbox.close()

    asyncio.run(main())


def test_an_invoice_without_a_reply_path_is_dropped_without_a_word(crowded: tuple[Inbox, Peers]) -> None:
    inbox, _ = crowded

    async def main() -> None:
        for _ in range(2 * WAIT_OF_ADDRESS):
            inbox.receive(None, ReceivedMessage(Payload.build(invoice=b"junk"), None))
        assert not inbox._refusing
        inbox.close()

    asyncio.run(main())
