"""The steps of paying an invoice once, without I/O: what to call next, and what an answer means.

`xpay` runs in the node. It goes on if its caller is gone, and sends one part after the other, for `retry_for` seconds
and until the routing that began before has ended. Between two parts `listpays` says `failed`, and before the first one
it is empty. So these answers alone do not mean that the payment has failed.

Two things end this. An answer of `xpay` does: it sends no part after it, but for those whose routes it had reserved,
which leave at once. Without an answer, time does, counted from the first answer of the node, and anew whenever the node
does not answer. Then several prompt answers in a row must show that nothing is pending.

Source: Core Lightning, plugins/xpay (payment_give_up), and tests on nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from ...errors import METHOD_NOT_FOUND, ClientError, Outcome, ParameterError, RpcError

ROUTING_SECONDS: Final = 30
"""How long a call may take to send its first part: its routing is given up after 10 seconds (`askrene-timeout`)."""
MARGIN_SECONDS: Final = 10
PAUSE_SECONDS: Final = 0.5
"""The time between two calls of `listpays`."""
PROMPT_SECONDS: Final = 1.0
"""The time within which a node answers that is not held up."""
LOOK_SECONDS: Final = 10.0
"""How long to wait for an answer of `listpays`."""
LOOKS: Final = 3
"""How many prompt answers of `listpays` in a row must show nothing pending, at the end."""
ENDED: Final = frozenset({203, 209})
"""PAY_DESTINATION_PERM_FAIL and PAY_UNSPECIFIED_ERROR: `xpay` has given up, and parts may be on their way."""

_HASHES: Final = {"bolt11 invoice": "payment_hash", "bolt12 invoice": "invoice_payment_hash"}
"""What `decode` calls an invoice, and its payment hash."""
_CERTAIN: Final = frozenset({Outcome.FAILED, Outcome.RETRY})
_MESSAGES: Final = {
    Outcome.FAILED: "the invoice is not paid: no command is paying it any more, and the node has no payment of it that"
    " could still succeed",
    Outcome.UNKNOWN: "it is not known whether the invoice is paid, and the node may still pay it; call pay_once with"
    " again=True",
}


class PayOnceError(ClientError):
    """An invoice is not paid (`outcome` is failed), or it is not known whether it is (unknown).

    `payment_hash` is that of the invoice, in hex; None if the node was not reached. The cause is the last error.
    """

    def __init__(self, message: str, outcome: Outcome, payment_hash: str | None = None) -> None:
        super().__init__(message, outcome, payment_hash)
        self.outcome = outcome
        self.payment_hash = payment_hash

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An invoice to pay, and the limits. Amounts are in millisatoshi, times in seconds."""

    invoice: str
    amount_msat: int | None = None
    maxfee: int | None = None
    label: str | None = None
    retry_for: int = 60
    within: float = 300
    again: bool = False

    @property
    def longest(self) -> float:
        """How long a call can send parts."""
        return max(self.retry_for, ROUTING_SECONDS) + MARGIN_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment that has succeeded."""

    payment_hash: str
    """In hex, as the preimage."""
    preimage: str
    amount_msat: int | None
    """The amount of the invoice, in millisatoshi; None if the node does not list it."""
    amount_sent_msat: int | None
    """The same with fees."""


class Call(NamedTuple):
    """Call a command. The answer, or the RpcError or ClientError, goes to the generator."""

    method: str
    params: Mapping[str, Any]
    timeout: float
    """Seconds."""

    def timeout_of(self, client: float | None) -> float:
        """Return the timeout of the call, in seconds; `client` is that of the client's calls, None for none."""
        return self.timeout if client is None else min(self.timeout, client)


class Pause(NamedTuple):
    """Wait."""

    seconds: float


Found = TypeVar("Found")
Steps: TypeAlias = Generator[Call | Pause, Any, Found]


def pay(order: Order, now: Callable[[], float]) -> Steps[Paid]:
    """Yield the steps that pay an invoice, and return the payment.

    `now` returns the seconds of a monotonic clock. Raises RpcError or ClientError; see `pay_once`.
    """
    until = now() + order.within
    payment_hash = yield from _find_hash(order)
    try:
        answer = yield from _ask(order, max(0.0, until - now()))
        return _paid(payment_hash, answer.get("payment_preimage"), answer)
    except PayOnceError:
        raise
    except (RpcError, ClientError) as error:
        reason = error
    if reason.outcome in _CERTAIN and not order.again:
        raise reason
    has_ended = reason.outcome == Outcome.DONE or _is_end(reason)
    found = yield from _look(order, payment_hash, until, now, has_ended=has_ended and not order.again)
    if isinstance(found, Paid):
        return found
    if reason.outcome == Outcome.DONE:
        raise reason
    if found == Outcome.FAILED and (reason.outcome in _CERTAIN or _is_end(reason)):
        reason.outcome = found
        raise reason
    raise PayOnceError(_MESSAGES[found], found, payment_hash) from reason


def _find_hash(order: Order) -> Steps[str]:
    """Return the payment hash of the invoice. The node decodes it, and nothing is sent."""
    outcome = Outcome.UNKNOWN if order.again else Outcome.FAILED
    try:
        decoded = _members((yield Call("decode", {"string": order.invoice}, order.within)))
    except RpcError as error:
        error.outcome = outcome
        raise
    except ClientError as error:
        raise PayOnceError("the invoice was not sent to the node, which does not answer", outcome) from error
    kind = decoded.get("type")
    if kind not in _HASHES:
        raise ParameterError(f"pay_once: this is no invoice, but: {kind}; for an offer, call fetchinvoice first")
    return str(decoded.get(_HASHES[kind]))


def _ask(order: Order, timeout: float) -> Steps[dict[str, Any]]:
    """Have the node pay, and return its answer."""
    params = {
        "amount_msat": order.amount_msat,
        "maxfee": order.maxfee,
        "label": order.label,
        "retry_for": order.retry_for,
    }
    try:
        answer = yield Call("xpay", {"invstring": order.invoice, **params}, timeout)
    except RpcError as error:
        if error.code != METHOD_NOT_FOUND:
            raise
        answer = yield Call("pay", {"bolt11": order.invoice, **params}, timeout)
    return _members(answer)


def _is_end(reason: RpcError | ClientError) -> bool:
    """Return whether the call sends no part any more."""
    return isinstance(reason, RpcError) and reason.method == "xpay" and reason.code in ENDED


def _look(
    order: Order, payment_hash: str, until: float, now: Callable[[], float], *, has_ended: bool
) -> Steps[Paid | Outcome]:
    """Return the payment, FAILED if it is certain that it has failed, or UNKNOWN if nothing is at the time `until`."""
    end = now() if has_ended else None
    quiet = 0
    while True:
        asked = now()
        try:
            answer = _members((yield Call("listpays", {"payment_hash": payment_hash}, LOOK_SECONDS)))
        except (RpcError, ClientError):
            end, quiet = None, 0  # a node that did not answer may have been held up, and the call with it
        else:
            pays: list[dict[str, Any]] = answer.get("pays", [])
            for pay in pays:
                if pay.get("status") == "complete":
                    return _paid(payment_hash, pay.get("preimage"), pay)
            end = now() + order.longest if end is None else end
            is_over = asked >= end and now() - asked < PROMPT_SECONDS
            quiet = quiet + 1 if is_over and all(pay.get("status") == "failed" for pay in pays) else 0
        if quiet == LOOKS:
            return Outcome.FAILED
        if now() >= until:
            return Outcome.UNKNOWN
        yield Pause(PAUSE_SECONDS)


def _members(answer: Any) -> dict[str, Any]:
    """Return the members of an answer, none if it is not an object."""
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}


def _paid(payment_hash: str, preimage: Any, amounts: Mapping[str, Any]) -> Paid:
    """Return the payment. Raises PayOnceError if the preimage is wrong."""
    if not isinstance(preimage, str) or sha256(bytes.fromhex(preimage)).hexdigest() != payment_hash:
        raise PayOnceError("the node returned a wrong preimage", Outcome.UNKNOWN, payment_hash)
    return Paid(
        payment_hash=payment_hash,
        preimage=preimage,
        amount_msat=amounts.get("amount_msat"),
        amount_sent_msat=amounts.get("amount_sent_msat"),
    )
