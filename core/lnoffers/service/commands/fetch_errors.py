"""The errors 1003, 1004 and 1005 of `fetchinvoice` and `sendinvoice`: lightningd's code and text, the reason, and what
to do.

The data has the reason and the attempts for programs. Source: Core Lightning, plugins/fetchinvoice.c.
"""

from __future__ import annotations

from typing import Any, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import ChannelEnd, Offer, RuleName
from lnoffers.fetching import Attempt, FetchError, Reason
from lnoffers.net.offer_messages import Target, node_of, paths_of
from lnoffers.service.commands.codes import OFFER_BAD_INVREQ_REPLY, OFFER_ROUTE_NOT_FOUND, OFFER_TIMEOUT

TIMEOUTS: Final = frozenset({Reason.NO_ANSWER, Reason.THROTTLED})
"""The reasons of a question that was sent, as far as this shows, and not answered."""
_ADVICE: Final = {
    Reason.NO_ADDRESS: "Find the address of one of these nodes and connect to it with the command connect, or start "
    "the server with --via and a node that forwards onion messages to them.",
}
"""The advice that differs from that to users of the library."""
_ADVICE_TO_PAYEE: Final = {
    **_ADVICE,
    Reason.CANNOT_CONNECT: "Check the address, and whether the node is up and on the network of this one.",
    Reason.NO_ONION_MESSAGES: "Connect to another node that forwards onion messages to the payer.",
    Reason.CHANNEL_PEERS_ONLY: "Ask the payer for a request with a path through another node, or send the invoice from "
    "a node that has a channel there.",
    Reason.NO_ANSWER: "The payer may be offline, or have found no route to this node; ask it before you try again.",
    Reason.BAD_ANSWER: "Ask the payer whether it has the invoice.",
    Reason.REFUSED: "Do as the payer says, or ask it for another request.",
}
"""The advice to the sender of an invoice."""
_FIELDS: Final = {
    RuleName.REQUEST_NOT_MIRRORED: "invoice_request match",
    RuleName.SIGNATURE_MISSING: "signature",
    RuleName.SIGNATURE_INVALID: "signature",
}
"""What lightningd calls the faults of an invoice that it does not call by the field."""


def error_for(error: FetchError, target: Target) -> RpcError:
    """Return the error of the command for a request or an invoice to this target that has failed."""
    is_fetch = isinstance(target, Offer)
    advice = (_ADVICE if is_fetch else _ADVICE_TO_PAYEE).get(error.reason, error.reason.advice)
    if error.reason is Reason.REFUSED:
        text = f"Remote node sent failure message: {error.detail.rstrip('.')}"
    elif error.reason is Reason.BAD_ANSWER:
        text = f"{_bad_answer(error)}: {error.detail}"
    elif error.reason in TIMEOUTS:
        text = f"{'Timeout' if is_fetch else 'Failed: timeout'} waiting for response: {error.summary}"
    else:
        text = f"Failed: could not route or connect directly to {_target(target)}: {error.summary}"
    return RpcError(_code(error.reason), f"{text}. {advice}", _data(error))


def _code(reason: Reason) -> int:
    if reason in TIMEOUTS:
        return OFFER_TIMEOUT
    return OFFER_BAD_INVREQ_REPLY if reason in (Reason.REFUSED, Reason.BAD_ANSWER) else OFFER_ROUTE_NOT_FOUND


def _bad_answer(error: FetchError) -> str:
    if not error.raw:
        return "Neither invoice nor invoice_request_failed in reply"
    fault = error.fault
    field = "invoice" if fault is None else _FIELDS.get(fault.rule, fault.field or "invoice")
    return f'Incorrect {field} field in "{error.raw.hex()}"'


def _target(target: Target) -> str:
    """Return how lightningd names the end of the last route that it tries."""
    paths = paths_of(target)
    if not paths:
        return (node_of(target) or b"").hex()
    first = paths[-1].first_node_id
    return f"blinded path at {f'{first}/{first.direction}' if isinstance(first, ChannelEnd) else first.hex()}"


def _data(error: FetchError) -> dict[str, Any]:
    answer, refused = error.answer, error.reason is Reason.REFUSED
    data = {
        "erroneous_field": None if answer is None else answer.erroneous_field,
        "suggested_value": None if answer is None or answer.suggested_value is None else answer.suggested_value.hex(),
        "error": None if answer is None else answer.error or "",
        "invoice_error_hex": error.raw.hex() if refused and answer is None else None,
        "reason": _name(error.reason),
        "detail": error.detail,
        "attempts": [_attempt(attempt) for attempt in error.attempts],
    }
    return {name: value for name, value in data.items() if value is not None}


def _attempt(attempt: Attempt) -> dict[str, str]:
    members = {
        "towards": attempt.towards,
        "via": attempt.via,
        "reason": _name(attempt.reason),
        "detail": attempt.detail,
    }
    return {name: value for name, value in members.items() if value or name == "detail"}


def _name(reason: Reason) -> str:
    return reason.name.lower()
