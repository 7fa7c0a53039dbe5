"""`lnoffers pay-by-hand`: show what is to be paid by hand, and record what has become of it."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.service.cli.call import ask
from lnoffers.service.cli.flags import node_options
from lnoffers.service.cli.output import is_for_people, print_error, print_json, print_summary, require_output
from lnoffers.service.cli.summary import Block, Line, Summary, Tone, format_amount, format_time
from lnoffers.service.clock import Clock
from lnoffers.service.escaping import escape

_OPEN: Final = {
    "claimed": (
        "waits",
        Tone.PLAIN,
        "Before you pay it, run pay-by-hand again with its payment hash, so that it is not given up meanwhile.",
    ),
    "paying": (
        "is yours to pay",
        Tone.CAREFUL,
        "Pay it once, with any wallet. Then run pay-by-hand with the payment hash and the preimage that the wallet "
        "shows, or with the payment hash and --failed.",
    ),
}
_ENDED: Final = {"paid": ("is recorded as paid", Tone.GOOD, ""), "failed": ("is recorded as not paid", Tone.BAD, "")}
_STATES: Final = {**_OPEN, "unknown": _OPEN["paying"], **_ENDED}
"""For each state of a payment: the verdict, its tone, and what to do."""


def pay_by_hand(given: Namespace) -> int:
    """Print what is to be paid, and return 0, or 1 if it is refused.

    Raises:
        ServiceError: if neither the server nor the store can be asked.
    """
    require_output()
    names = ("invoice", "preimage")
    params: dict[str, Any] = dict(zip(names, given.arguments, strict=False))
    if given.failed:
        params["failed"] = True
    if given.compared:
        params["compared"] = True
    try:
        answer = ask("paybyhand", json.dumps(params).encode(), None, node_options(given))
    except RpcError as error:
        print_error(error.message)
        return 1
    if not is_for_people(as_json=given.json, qr=given.qr):
        print_json(answer)
        return 0
    found = json.loads(answer)["payments"]
    for payment in found:
        is_open = payment["state"] not in _ENDED
        string = payment["invoice"] if is_open else None
        print_summary(_summarize(payment), string=string, qr=string.upper() if given.qr and string else None)
    if not found:
        print("No invoice is to be paid by hand.")
    return 0


def _summarize(payment: dict[str, Any]) -> Summary:
    verdict, tone, advice = _STATES[payment["state"]]
    rows = [
        Line("pay", format_amount(payment["amount_msat"]), tone=Tone.GOOD),
        Line("to", payment["payee"]),
        Line("for", escape(payment.get("description", ""))),
        Line("until", format_time(payment["expires_at"], Clock().now())),
        Line("payment hash", payment["payment_hash"]),
    ]
    rows += [Line(name, escape(payment[name])) for name in ("reason", "preimage") if name in payment]
    rows += [Line("next", advice)] if advice else []
    return Summary("invoice", verdict, tone, (Block("", tuple(rows)),))
