"""What the answers of a Core Lightning node mean: the codes of `xpay`, and the rows of `listpays`.

Of an error code only two things matter. Has the call ended, so that no further part of it is sent? Then the parts that
were sent decide, and `listpays` shows them. Or may it go on, or may another call pay the same invoice? Then nothing is
known yet. A code that is not in `ENDED` means the latter, whatever it is.

Sources: plugins/xpay/xpay.c, lightningd/pay.c, plugins/askrene/child and common/jsonrpc_errors.h of v26.06, and the
tests in `tests/interop/test_payments_sending.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import INVALID_PARAMS, METHOD_NOT_FOUND
from lnoffers.service.payments.backend import BackendError, Failed, FailureCode, Paid

if TYPE_CHECKING:
    from clnrpc.types import ListpaysPay

ALREADY_PAID: Final = 219
"""PAY_INJECTPAYMENTONION_ALREADY_PAID: an earlier call has paid this payment hash."""

_OWN_FAILURES: Final = (
    # The call was refused before anything was sent.
    Failed("the invoice has expired", FailureCode.EXPIRED),
    Failed("the node's signer does not approve the payment", FailureCode.NOT_APPROVED),
    # Routing failed; xpay passes these codes on only if it has not sent any part.
    Failed("there is no route", FailureCode.NO_ROUTE),
    Failed("every route costs more than the fee limit, or takes too long", FailureCode.TOO_EXPENSIVE),
    Failed("the node's channels cannot carry the amount", FailureCode.TOO_LITTLE),
    Failed("the payee's channels cannot carry the amount", FailureCode.TOO_SMALL),
    # xpay gives up, and parts may be on their way.
    Failed("the payee does not accept the payment", FailureCode.REFUSED),
    Failed("no route has worked", FailureCode.OTHER),
)
"""The failures that have a code of `xpay`."""
ENDED: Final[Mapping[int, Failed]] = {
    # The call was refused before anything was sent.
    INVALID_PARAMS: Failed("the node cannot pay this invoice"),
    METHOD_NOT_FOUND: Failed("the node has no command to pay"),
    **{failed.code: failed for failed in _OWN_FAILURES},
}
"""Code -> the failure, with what the payee may know. The node's own words would tell it what channels the node has."""

UNCERTAIN: Final[Mapping[int, str]] = {
    -1: "an error without a code of its own",
    -3: "a plugin failed; among others, xpay found parts of another call for this payment hash in progress",
    -4: "the plugin ended during the call; its parts remain",
    -5: "the node is shutting down; parts remain",
    200: "a part is in progress",
    210: "retries have ended, and parts may be in progress; xpay passes it on from routing, pay uses it for itself",
}
"""Codes that are known to say nothing about the money, and why. They are treated as every unknown code."""


def paid(pays: Iterable[ListpaysPay]) -> Paid | None:
    """Return the success among rows of `listpays` for one payment hash; None if there is none.

    Raises:
        BackendError: if the preimage is wrong.
    """
    complete = [pay for pay in pays if pay.status == "complete"]
    for pay in complete:
        if pay.preimage is not None:
            return success(pay.preimage, pay.payment_hash, sum(each.amount_sent_msat or 0 for each in complete))
    return None


def success(preimage: str, payment_hash: str, sent_msat: int) -> Paid:
    """Return that a payment (its hash and preimage in hex) has succeeded.

    Raises:
        BackendError: if the preimage is wrong. The node checks preimages, so this is a bug there or here.
    """
    found = bytes.fromhex(preimage)
    if sha256(found).hexdigest() != payment_hash:
        raise BackendError(f"the node's preimage for {payment_hash} is wrong")
    return Paid(found, sent_msat)


def may_move(pays: Iterable[ListpaysPay]) -> bool:
    """Return whether any of these rows may still become a success."""
    return any(pay.status != "failed" for pay in pays)
