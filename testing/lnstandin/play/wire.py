"""Send messages to other nodes, with the faults that were asked for."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from random import Random

from lnoffers.fetching.peer import PeerGoneError
from lnoffers.net.messages import CustomMessage
from lnoffers.service.peers import Link, Peers
from lnoffers.service.tasks import ended_in_bug, start
from lnstandin.play.faults import Faults

logger = logging.getLogger(__name__)


class Wire:
    """The way out. Whatever it is given may be lost, as on any network, so its users repeat what matters.

    `faults` can be replaced at any time.
    """

    def __init__(self, peers: Peers, faults: Faults) -> None:
        self._peers = peers
        self.faults = faults
        self.may_take = asyncio.Event()
        """Set unless payments to this node are to stay pending."""
        self.may_take.set()
        self._random = Random(faults.seed)  # noqa: S311 - chooses faults, not keys
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self, link: Link, message: CustomMessage) -> None:
        """Send a message now, or later or never, as the faults have it."""
        if self.faults.lose and self._random.random() < self.faults.lose:
            return
        copies = [self._delay()]
        if self.faults.repeat and self._random.random() < self.faults.repeat:
            copies.append(self._delay() + self.faults.late)
        for seconds in copies:
            if seconds:
                task = start(self._send_later(link, message, seconds), self._sending)
                task.add_done_callback(partial(ended_in_bug, "A delayed message ended in a bug"))
            else:
                await self._send(link, message)

    def refuses(self) -> bool:
        """Return whether this node refuses the next payment to it."""
        return self.faults.fail > 0 and self._random.random() < self.faults.fail

    def close(self) -> None:
        """Lose the messages that are delayed."""
        for task in self._sending:
            task.cancel()

    def _delay(self) -> float:
        return self._random.uniform(0, self.faults.delay) if self.faults.delay else 0.0

    async def _send_later(self, link: Link, message: CustomMessage, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._send(self._peers.link(link.node_id) or link, message)  # it may be connected again by now

    async def _send(self, link: Link, message: CustomMessage) -> None:
        try:
            await link.send_custom(message)
        except PeerGoneError as error:
            logger.debug("A message to %s is lost: %s", link, error)
