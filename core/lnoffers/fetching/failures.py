"""The reasons why no invoice arrived, as a table: a name for programs, a text for people, and advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from lnoffers.bolt12 import Bolt12Error, InvoiceError
from lnoffers.bolt12.typecheck import typechecked


class Reason(Enum):
    """The reason why no invoice arrived. The value says what happened, `advice` what to do.

    The order counts: of several routes that failed, the last in this table got furthest and gives the reason.
    """

    NO_ADDRESS = (
        "no address is known",
        "Find the address of one of these nodes and pass it with --connect (in Python, connect) as ID@HOST:PORT.",
    )
    CANNOT_CONNECT = (
        "cannot connect",
        "Check the address, and whether the node is up and on the offer's network; an .onion address needs Tor.",
    )
    NO_ONION_MESSAGES = (
        "the node does not take onion messages",
        "Connect to another node of the offer's, or to any that forwards onion messages.",
    )
    CHANNEL_PEERS_ONLY = (
        "the node takes onion messages only from peers it has a channel with",
        "Ask the issuer for an offer through another node, or fetch with a node that has a channel there.",
    )
    NO_ANSWER = (
        "no answer came",
        "The issuer may be offline, the offer disabled, or the node not connected to the issuer; try again later, or "
        "through another node.",
    )
    THROTTLED = "the node is throttling us", "Wait some seconds and ask once."
    BAD_ANSWER = "the answer is not an invoice for this request", "Do not pay it. Tell the issuer what is wrong."
    REFUSED = "the issuer refuses", "Change the request as the issuer says."

    advice: str

    def __new__(cls, text: str, advice: str) -> Reason:
        """Create a member: the first column of its row is the value."""
        member = object.__new__(cls)
        member._value_ = text
        member.advice = advice
        return member


@typechecked
@dataclass(frozen=True, slots=True)
class Attempt:
    """One route that was tried.

    Attributes:
        towards: the first node of the offer's path, or the issuer: a node id in hex, or the end of a channel.
        via: the address that was connected to, as text; empty if none is known.
        reason: why it failed.
        detail: more about it, such as the system's error or the peer's warning.
    """

    towards: str
    via: str
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        place = f"{self.towards} via {self.via}" if self.via else self.towards
        return f"{place}: {self.reason.value}{f' ({self.detail})' if self.detail else ''}"


class FetchError(Exception):
    """No invoice arrived that answers the request.

    Attributes:
        reason: why, in short.
        detail: more about it; the issuer's words if it refused.
        attempts: the routes that were tried, in order.
        answer: the issuer's error, if it refused: perhaps with the field at fault and a value for it.
        fault: the rule that the answer breaks, if it is an invoice that can be read.
        raw: the TLV stream of the answer; empty without one.
    """

    def __init__(  # noqa: PLR0913 - one parameter per attribute
        self,
        reason: Reason,
        detail: str = "",
        attempts: Sequence[Attempt] = (),
        *,
        answer: InvoiceError | None = None,
        fault: Bolt12Error | None = None,
        raw: bytes = b"",
    ) -> None:
        self.summary = f"{reason.value}{f': {detail}' if detail else ''}".rstrip(".")
        """Reason and detail as one text, without advice."""
        super().__init__(f"{self.summary}. {reason.advice}")
        self.reason = reason
        self.detail = detail
        self.attempts = tuple(attempts)
        self.answer = answer
        self.fault = fault
        self.raw = raw


def furthest(attempts: Sequence[Attempt]) -> FetchError:
    """Return the error for routes that have all failed: that of the one that got furthest."""
    order = list(Reason)
    best = max(attempts, key=lambda attempt: order.index(attempt.reason))
    same = [attempt for attempt in attempts if attempt.reason is best.reason]
    return FetchError(best.reason, "; ".join(dict.fromkeys(filter(None, map(_named, same)))), attempts)


def _named(attempt: Attempt) -> str:
    """Return the node that failed, and the detail if there is one."""
    node = attempt.via or attempt.towards
    return f"{node} ({attempt.detail})" if attempt.detail else node
