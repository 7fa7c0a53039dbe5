"""Send a request or an invoice, and await the answer: at one node after the other, along one route after the other.

How a node is reached is not known here: `talk` opens a connection for each fetch, and the service uses those that it
has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final, Protocol, TypeVar

from lnoffers.fetching.failures import Attempt, Reason, furthest
from lnoffers.fetching.question import Answered, Question
from lnoffers.fetching.routes import Entry, Route, first_nodes, node_text, plan
from lnoffers.net import features
from lnoffers.net.offer_messages import Target

SEND_SECONDS: Final = 1.0
"""How long a question may wait until it is sent, even if its share of the time is shorter."""
_THROTTLED: Final = ("ratelimit", "rate limit")
"""Parts of warnings, in lower case, by which nodes say that they drop messages."""


class UnreachableError(Exception):
    """A node cannot be asked, or not any more.

    Attributes:
        reason: why, in short.
        detail: more about it.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
        self.detail = detail


class BlockedRouteError(UnreachableError):
    """The node cannot be asked along one route; others may work."""


class Connected(Protocol):
    """A connection to a node at which messages enter the network."""

    async def ask(self, question: Question, route: Route, sent: Callable[[], None]) -> Answered:
        """Send the question along a route, call `sent`, and wait for the answer, to this question or an earlier one.

        It is cancelled if that takes too long. A question that has not been sent then is never sent.

        Raises:
            FetchError: if the answer cannot be read.
            BlockedRouteError: if only this route cannot be used.
            UnreachableError: if the connection ends.
        """

    def why_no_answer(self) -> tuple[Reason, str]:
        """Return why no answer has arrived, as far as that shows, and more about it."""


class ReachableEntry(Entry, Protocol):
    """A node that can be asked. As text, it is the address at which it is reached, or its id."""

    def connected(self, seconds: float) -> AbstractAsyncContextManager[Connected]:
        """Return a context manager that connects to the node within this time.

        Raises:
            UnreachableError: if it cannot be reached, or drops onion messages.
        """


E = TypeVar("E", bound=ReachableEntry)


async def ask_in_turn(target: Target, question: Question, entries: Sequence[E], seconds: float) -> Answered:
    """Ask along each route from the entries in turn, until there is an answer; each gets an equal share of the time.

    Raises:
        FetchError: if no answer arrives, or it cannot be read.
    """
    routes = plan_any(target, entries)
    clock, failed = asyncio.get_running_loop().time, list[Attempt]()
    deadline, left = clock() + seconds, sum(map(len, routes.values()))
    for entry, along in routes.items():
        share = max(deadline - clock(), 0) * len(along) / left
        found = await _ask_at(entry, along, question, share)
        if isinstance(found, Answered):
            return found
        failed += found
        left -= len(along)
    raise furthest(failed)


def plan_any(target: Target, entries: Sequence[E]) -> Mapping[E, Sequence[Route]]:
    """Return the routes from each entry, as `plan` does.

    Raises:
        FetchError: if there is none.
    """
    routes = plan(target, entries)
    if not routes:
        raise furthest([Attempt(node_text(node), "", Reason.NO_ADDRESS) for node in first_nodes(target)])
    return routes


async def _ask_at(
    entry: ReachableEntry, routes: Sequence[Route], question: Question, seconds: float
) -> Answered | list[Attempt]:
    """Ask at one entry; return the first answer, or all failures if none arrives."""
    clock, failed = asyncio.get_running_loop().time, list[Attempt]()
    deadline = clock() + seconds
    try:
        async with entry.connected(seconds) as connected:
            for route in routes:
                begun = clock()
                share = (deadline - begun) / (len(routes) - len(failed))
                try:
                    async with asyncio.timeout(max(share, SEND_SECONDS)) as limit:
                        return await connected.ask(question, route, partial(limit.reschedule, begun + share))
                except TimeoutError:
                    reason, detail = connected.why_no_answer()
                    if reason is Reason.NO_ANSWER and route.is_forwarded:
                        detail = "; ".join(filter(None, (detail, "it was asked to forward the message")))
                    failed.append(Attempt(route.towards, str(entry), reason, detail))
                except BlockedRouteError as error:
                    failed.append(failure(entry, route, error))
    except UnreachableError as error:
        failed += [failure(entry, route, error) for route in routes[len(failed) :]]
    return failed


def failure(entry: ReachableEntry, route: Route, error: UnreachableError) -> Attempt:
    """Return the attempt along a route from this entry that failed with this error."""
    return Attempt(route.towards, str(entry), error.reason, error.detail)


def check_takes_onion_messages(bitmap: bytes) -> None:
    """Check that a node with these features accepts onion messages from a peer without a channel.

    Raises:
        UnreachableError: if it drops them.
    """
    if features.offers(bitmap, features.ONION_MESSAGES):
        return
    only_channels = features.offers(bitmap, features.ONION_MESSAGES_ONLY_CHANNELS)
    raise UnreachableError(Reason.CHANNEL_PEERS_ONLY if only_channels else Reason.NO_ONION_MESSAGES)


def reason_in(warnings: Collection[str]) -> tuple[Reason, str]:
    """Return why a node that has sent these warnings brought no answer, and the warnings as one text."""
    throttled = any(part in text.lower() for text in warnings for part in _THROTTLED)
    return Reason.THROTTLED if throttled else Reason.NO_ANSWER, "; ".join(warnings)
