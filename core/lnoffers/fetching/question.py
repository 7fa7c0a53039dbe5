"""A request or an invoice as onion messages, one for each route, and the answer to any of them. No I/O.

Each message has a reply path of its own, with a secret path id. By this the asker recognises an answer, and the route
on which its question was sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceError, InvoiceRequest
from lnoffers.bolt12.blinded_paths import BlindedPath, ChannelEnd
from lnoffers.fetching.failures import FetchError, Reason
from lnoffers.fetching.routes import Route
from lnoffers.net.blinding import PATH_KEY_BYTES, message_path
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import OnionMessage
from lnoffers.net.offer_messages import InvoiceReply, ask, read_reply
from lnoffers.net.onion_messages import ReceivedMessage

PATH_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it arrived, and the route on which its question was sent."""

    answer: InvoiceReply
    raw: bytes
    """The TLV stream of the answer."""
    route: Route


class Question:
    """A request or an invoice, and the routes on which it was sent.

    Args:
        sent: the message.
        reply_nodes: the nodes of all reply paths, compressed points, the last of which is the asker; by default a reply
            comes through the node at which its question entered the network.
        reply_channel: the first node of all reply paths, named by a channel.
    """

    def __init__(
        self,
        sent: InvoiceRequest | Invoice,
        *,
        reply_nodes: Sequence[bytes] | None = None,
        reply_channel: ChannelEnd | None = None,
    ) -> None:
        self.sent = sent
        self._reply_nodes = reply_nodes
        self._reply_channel = reply_channel
        self._routes: dict[bytes, Route] = {}

    @property
    def path_ids(self) -> Collection[bytes]:
        """The secret path ids of all reply paths, 32 bytes each."""
        return self._routes.keys()

    def message(self, route: Route, entry: bytes, asker: bytes) -> tuple[OnionMessage, bytes]:
        """Return the question as an onion message along a route, and the path id by which its answer is recognised.

        `entry` and `asker` are the node ids of the first node of the route and of this node, which may be the same.

        Raises:
            LocalProtocolError: if it is too long for an onion message.
        """
        path_id = secrets.token_bytes(PATH_ID_BYTES)
        nodes = self._reply_nodes or ([asker] if entry == asker else [entry, asker])
        path = message_path(secrets.token_bytes(PATH_KEY_BYTES), nodes, path_id)
        if self._reply_channel is not None:
            path = BlindedPath(self._reply_channel, path.first_path_key, path.hops)
        message = ask(secrets.token_bytes(32), route.path, self.sent, path)
        self._routes[path_id] = route
        return message, path_id

    def read(self, received: ReceivedMessage) -> Answered | None:
        """Return the answer in a message; None if it came along none of the reply paths. It is not verified yet.

        Raises:
            FetchError: if the answer cannot be read.
        """
        route = self._routes.get(received.path_id or b"")
        if route is None:
            return None
        payload = received.payload
        raw = payload.invoice or payload.invoice_error or b""
        try:
            answer = read_reply(received)
        except RemoteProtocolError as error:
            if payload.invoice is None:
                raise FetchError(Reason.REFUSED, "in words that cannot be read", raw=raw) from error
            raise FetchError(Reason.BAD_ANSWER, error.message, raw=raw) from error
        if answer is None:
            raise FetchError(Reason.BAD_ANSWER, "it contains neither an invoice nor an error")
        return Answered(answer, raw, route)


def refusal(answered: Answered, sent: InvoiceRequest | Invoice) -> FetchError | None:
    """Return the error for an answer that refuses what was sent; None if it does not."""
    answer = answered.answer
    if not isinstance(answer, InvoiceError):
        return None
    words = answer.error or "it does not say why"
    words = words.replace(sent.encode(), "…")  # some repeat the whole string
    return FetchError(Reason.REFUSED, words, answer=answer, raw=answered.raw)


def verified_invoice(answered: Answered, request: InvoiceRequest, *, max_amount: int | None, now: int) -> Invoice:
    """Return the invoice that answers a request once it is verified completely.

    Args:
        answered: the answer.
        request: the request.
        max_amount: as for `Invoice.verify_answer`.
        now: Unix seconds.

    Raises:
        FetchError: if the issuer refuses, or the invoice is not valid for the request.
    """
    if refused := refusal(answered, request):
        raise refused
    answer = answered.answer
    assert isinstance(answer, Invoice)
    try:
        answer.verify_answer(request, sent_to=answered.route.end, max_amount=max_amount)
        answer.check_unexpired(now)
    except Bolt12Error as error:
        raise FetchError(Reason.BAD_ANSWER, error.message, fault=error, raw=answered.raw) from error
    return answer
