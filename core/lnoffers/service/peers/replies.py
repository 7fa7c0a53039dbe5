"""Send answers along the reply paths of messages that have arrived. This runs in the event loop.

The reply path names its first node. The answer goes to it directly if it is connected. If it is this node itself, as
when the sender is connected to it, its part of the path is opened here. Otherwise the node that brought the message is
asked to forward the answer, since it, too, has the message from somewhere.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Final

from lnoffers.bolt12 import BlindedPath, Invoice, InvoiceRequest
from lnoffers.net.blinding import PATH_KEY_BYTES, prepend
from lnoffers.net.errors import WireError
from lnoffers.net.messages import OnionMessage
from lnoffers.net.offer_messages import InvoiceReply, reply
from lnoffers.service.errors import ServiceError
from lnoffers.service.peers.link import Link
from lnoffers.service.peers.peers import Peers

MAX_QUOTED: Final = 8192
"""Bytes of the request or the invoice that an error quotes; a longer one would not fit into the message."""
_SESSION_KEY_BYTES: Final = 32


class UnsendableError(ServiceError):
    """An answer cannot be sent; the message says why."""


def quoted(message: Invoice | InvoiceRequest) -> str:
    """Return what an error quotes of the message it is about: a space and its string; nothing if that is too long."""
    return "" if len(message.to_bytes()) > MAX_QUOTED else f" {message.encode()}"


def check_reply_path(path: BlindedPath | None) -> None:
    """Check that answers can be sent along a path, which may be missing.

    Raises:
        UnsendableError: if not.
    """
    if path is not None and not isinstance(path.first_node_id, bytes):
        raise UnsendableError("its reply path begins at the end of a channel, and the node there is not known")


class Replies:
    """Sends the answers of one node, one at a time."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._sending = asyncio.Lock()
        """Held while an answer is made, which takes up to 3 ms for the longest reply path."""

    async def send(self, link: Link | None, path: BlindedPath, answer: InvoiceReply, *, for_ldk: bool = False) -> None:
        """Send an answer along a reply path that `check_reply_path` allows.

        Args:
            link: the connection that brought the message, or None if this node has sent it. It may have ended since,
                and the node may be connected again.
            path: the reply path.
            answer: the answer.
            for_ldk: whether to write an error as LDK reads it.

        Raises:
            UnsendableError: if the path does not lead anywhere, or the answer does not fit into a message.
        """
        async with self._sending:
            await asyncio.sleep(0)  # other connections come first, however many answers are ready
            try:
                self._send(link, path, partial(reply, message=answer, for_ldk=for_ldk))
            except WireError as error:
                raise UnsendableError(str(error)) from error

    def _send(self, link: Link | None, path: BlindedPath, along: Callable[[bytes, BlindedPath], OnionMessage]) -> None:
        """Send an answer; `along` makes the message from a session key and a path."""
        first, session_key = path.first_node_id, secrets.token_bytes(_SESSION_KEY_BYTES)
        assert isinstance(first, bytes)  # by `check_reply_path`
        if first == self._peers.node_id:
            if not self._peers.inject(along(session_key, path)):
                raise UnsendableError("the second node of its reply path is not connected, or reads too slowly")
            return
        to = self._peers.link(first) or (link and self._peers.link(link.node_id))
        if to is None:
            raise UnsendableError("neither the first node of its reply path nor the node that brought it is connected")
        if to.node_id != first:
            path = prepend(secrets.token_bytes(PATH_KEY_BYTES), [to.node_id], path)
        if to.send(along(session_key, path)) is None:
            raise UnsendableError(f"{to} reads too slowly, or its connection has ended")
