"""The part of a server that other nodes see: peers, the messages that they send, and payments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from lnoffers.bolt12 import CHAINS
from lnoffers.service.answering import Answers, Issuer
from lnoffers.service.payments import finding
from lnoffers.service.payments.backend import Host
from lnoffers.service.payments.collecting import Collector
from lnoffers.service.payments.inbox import Inbox
from lnoffers.service.payments.limits import Limits
from lnoffers.service.payments.owners import Owner
from lnoffers.service.payments.payer import Payer
from lnoffers.service.peers import Link, Peers, listening, stay_connected
from lnoffers.service.peers.replies import Replies
from lnoffers.service.serving.address_book import AddressBook
from lnoffers.service.store.sqlite import store_file
from lnoffers.service.tasks import ended_in_bug

if TYPE_CHECKING:
    from lnoffers.net.onion_messages import ReceivedMessage
    from lnoffers.service.node import Node


class Wire:
    """What a server does beside answering JSON-RPC. Create it within the event loop that runs it.

    Raises:
        BackendError: if the payment backend cannot be made.
        ServiceError: if the store's folder cannot be written to.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._book = AddressBook(node)
        options = node.options
        chain = CHAINS[options.network]
        self.peers = Peers(node.keys.key_pair, chain, self._receive, options.proxy, self._book.remember)
        store, collector = store_file(options.db, options.store_file), Collector(node)
        backend = finding.make(options.backend, Host(node, self.peers, collector.received, collector.settled))
        owner = Owner.enter(store.with_name(f"{store.name}.payers"))
        limits = Limits(payment_msat=options.max_payment_msat, daily_msat=options.max_daily_msat)
        self.payer = Payer(node, backend, owner, limits)
        replies = Replies(self.peers)
        issuer = Issuer(node, collects=backend.collects)
        self._answers = Answers(issuer, backend, self.peers, replies, node.changes)
        self._inbox = Inbox(node, self.payer, self.peers, replies)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Pay, listen for other nodes, keep those of `--via` and `--peer`, and answer, while the block runs.

        Raises:
            BackendError: if the payment backend cannot be used.
            ListenError: if a port cannot be used.
        """
        options = self._node.options
        self.peers.addresses.update(await self._book.load())
        await self.payer.start()
        loop = asyncio.get_running_loop()
        keeping = [loop.create_task(stay_connected(self.peers, address)) for address in (*options.via, *options.peers)]
        for task in keeping:
            task.add_done_callback(partial(ended_in_bug, "A peer is not kept connected because of a bug"))
        removing = loop.create_task(self._answers.remove_expired())
        removing.add_done_callback(partial(ended_in_bug, "Expired invoices are not removed because of a bug"))
        paying = loop.create_task(self.payer.work())
        paying.add_done_callback(partial(ended_in_bug, "Payments have ended because of a bug"))
        try:
            async with listening(self.peers, options.listen):
                yield
        finally:
            for task in (*keeping, removing, paying):
                task.cancel()
            self._answers.close()
            self._inbox.close()
            await self.payer.close()

    def _receive(self, link: Link | None, message: ReceivedMessage) -> None:
        """Handle an onion message for this node, which arrived on this connection, if another one has sent it."""
        if message.payload.invoice is not None:
            self._inbox.receive(link, message)
        else:
            self._answers.receive(link, message)
