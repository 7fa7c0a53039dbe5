"""Invoices that arrive together are checked and claimed in one commit, and none of them fails another one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from lnoffers.net.onion_messages import Payload, ReceivedMessage
from lnoffers.service import Node
from lnoffers.service.payments.inbox import Inbox
from lnoffers.service.payments.payer import Payer
from lnoffers.service.peers import Peers
from lnoffers.service.peers.replies import Replies
from lnoffers.service.serving.turns import Turns
from lnoffers.service.status import Status
from tests.bolt12.samples import REGTEST
from tests.payments.asking import asked_for, stored
from tests.payments.scripted import Scripted, ready


@contextmanager
def threaded(node: Node) -> Iterator[None]:
    """Have a thread use the node's store while the block runs, as in a server."""
    before = node.changes.run
    turns = Turns(node.store, lambda _: NotImplemented, lambda *_: NotImplemented, lambda: None)
    turns.start()
    node.changes.run = turns.run
    try:
        yield
    finally:
        turns.close()
        node.changes.run = before


def statements(node: Node) -> list[str]:
    """Return a list that gets what the store executes from now on."""
    found: list[str] = []
    with node.store.transaction(writes=False) as connection:
        connection.set_trace_callback(found.append)  # type: ignore[attr-defined] # SQLite's
    return found


def test_invoices_that_arrive_together_share_a_commit_and_a_bad_one_fails_alone(node: Node) -> None:
    good = [asked_for(node, Status.ACTIVE, number) for number in (1, 2, 3)]
    bad = [b"junk", good[0].to_bytes()[:-1] + b"\0"]
    backend = Scripted()

    async def use(payer: Payer) -> list[str]:
        peers = Peers(node.keys.key_pair, REGTEST, lambda _, __: None)
        inbox = Inbox(node, payer, peers, Replies(peers))
        with threaded(node):
            executed = statements(node)
            for data in (good[0].to_bytes(), bad[0], good[1].to_bytes(), bad[1]):
                inbox.receive(None, ReceivedMessage(Payload.build(invoice=data), None))
            while len(backend.told) < 2:
                await asyncio.sleep(0.001)
            inbox.close()
        return executed

    executed = ready(node, backend, use)
    assert [stored(node, invoice).state for invoice in good[:2]] == ["paying", "paying"]
    assert executed.count("BEGIN IMMEDIATE") == 1
    assert sum(each.startswith("ROLLBACK TO SAVEPOINT") for each in executed) == 1
