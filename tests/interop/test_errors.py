"""Errors of a real node: each has the class, the outcome and the code that the table says."""

from __future__ import annotations

from typing import Any

import pytest

from clnrpc import Outcome, RpcError, errors
from tests.interop.nodes import Node

NOBODY = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
HASH = "11" * 32
ROUTE = [{"id": NOBODY, "channel": "1x1x1", "delay": 9, "amount_msat": 1000}]
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

ANYWHERE = {errors.JSONRPC2_METHOD_NOT_FOUND, errors.JSONRPC2_INVALID_PARAMS}

Case = tuple[str, dict[str, Any], type[RpcError], Outcome]
CASES: list[Case] = [
    ("nosuch", {}, errors.MethodNotFoundError, Outcome.FAILED),
    ("xpay", {"invstring": "lnbc1"}, errors.InvalidParametersError, Outcome.FAILED),
    ("pay", {"bolt11": "lnbc1"}, errors.InvalidParametersError, Outcome.FAILED),
    ("xkeysend", {"destination": NOBODY, "amount_msat": 1000}, errors.RouteNotFoundError, Outcome.FAILED),
    ("keysend", {"destination": NOBODY, "amount_msat": 1000}, errors.StoppedRetryingError, Outcome.UNKNOWN),
    ("sendpay", {"route": ROUTE, "payment_hash": HASH}, errors.TryOtherRouteError, Outcome.RETRY),
    ("waitsendpay", {"payment_hash": HASH, "timeout": 1}, errors.NoSuchPaymentError, Outcome.UNKNOWN),
    ("delpay", {"payment_hash": HASH, "status": "failed"}, errors.NoSuchPaymentError, Outcome.UNKNOWN),
    ("withdraw", {"destination": ADDRESS, "satoshi": 10**12}, errors.CannotAffordError, Outcome.FAILED),
    ("multiwithdraw", {"outputs": [{ADDRESS: 10**12}]}, errors.CannotAffordError, Outcome.FAILED),
    ("txprepare", {"outputs": [{ADDRESS: 10**12}]}, errors.CannotAffordError, Outcome.UNKNOWN),
    ("txsend", {"txid": HASH}, errors.InvalidParametersError, Outcome.FAILED),
    ("connect", {"id": NOBODY}, errors.NoKnownAddressError, Outcome.UNKNOWN),
    ("fundchannel", {"id": NOBODY, "amount": 100_000}, errors.NoKnownAddressError, Outcome.FAILED),
    ("fundchannel_start", {"id": NOBODY, "amount": 100_000}, errors.UnknownPeerError, Outcome.UNKNOWN),
    ("fundchannel_cancel", {"id": NOBODY}, errors.UnknownPeerError, Outcome.UNKNOWN),
    ("getroutes", {}, errors.InvalidParametersError, Outcome.FAILED),
    ("delinvoice", {"label": "x", "status": "unpaid"}, errors.InvoiceNotFoundError, Outcome.UNKNOWN),
    ("deldatastore", {"key": "x"}, errors.DatastoreDeleteMissingError, Outcome.UNKNOWN),
    ("datastore", {"key": "x", "string": "", "mode": "must-replace"}, errors.DatastoreKeyMissingError, Outcome.UNKNOWN),
    ("waitblockheight", {"blockheight": 10**6, "timeout": 0}, errors.WaitTimeoutError, Outcome.UNKNOWN),
    ("waitanyinvoice", {"timeout": 0}, errors.InvoiceWaitTimeoutError, Outcome.UNKNOWN),
    ("splice_init", {"channel_id": HASH, "relative_amount": 1}, errors.SpliceUnknownChannelError, Outcome.UNKNOWN),
    ("createproof", {"invstring": "lni1"}, errors.InvalidParametersError, Outcome.FAILED),
    ("plugin", {"subcommand": "stop", "plugin": "nosuch"}, errors.InvalidParametersError, Outcome.FAILED),
]


IDS = [f"{method} {kind.__name__}" for method, _, kind, _ in CASES]


@pytest.mark.parametrize(("method", "params", "kind", "outcome"), CASES, ids=IDS)
def test_a_node_returns_what_the_table_says(
    l1: Node, method: str, params: dict[str, Any], kind: type[RpcError], outcome: Outcome
) -> None:
    with pytest.raises(RpcError) as error:
        l1.client.rpc_call(method, params)
    assert (type(error.value), error.value.outcome) == (kind, outcome), error.value
    assert error.value.code in {*errors.CODES.get(method, ()), *ANYWHERE}
