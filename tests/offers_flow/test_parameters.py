"""What fetchinvoice and cancelrecurringinvoice make of their parameters, beyond what transcripts show."""

from __future__ import annotations

from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import InvoiceRequest, Recurrence, RecurrenceBase
from tests.fetching.conftest import Start as StartNode
from tests.offers_flow.test_fetching import FRONT, ISSUER, fetch, node_id, offer
from tests.peers.conftest import Served, Start
from tests.service.program import until

NOT_HERE = "not available outside --developer mode: invalid token (see logs for details)"
DAILY: dict[str, Any] = {"offer_recurrence_compulsory": Recurrence(1, 1)}
BASED: dict[str, Any] = DAILY | {"offer_recurrence_base": RecurrenceBase(0, 1_700_000_000)}


def refusal(served: Served, method: str, **params: Any) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        served.client.rpc_call(method, params)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"offer": offer(), "recurrence_counter": 0}, "unnecessary invreq_recurrence_counter"),
        ({"offer": offer(offer_quantity_max=3), "quantity": 4}, "quantity must be <= 3"),
        ({"offer": offer(offer_amount=None)}, "amount_msat parameter required"),
        ({"offer": offer(), "amount_msat": 999}, "amount_msat: Amount must be at least 1000msat"),
        ({"offer": offer(), "bip353": "b b@ex ample"}, "bip353: invalid bip353 name fields"),
        ({"offer": offer(), "bip353": "nobody"}, "bip353: missing @: invalid token (see logs for details)"),
        ({"offer": offer(), "bip353": "a" * 256 + "@b.c"}, "bip353: a part of a name has 256 bytes; at most 255 fit"),
        ({"offer": offer(), "dev_reply_path": []}, f"dev_reply_path: {NOT_HERE}"),
        ({"offer": offer(), "dev_path_use_scidd": "1x1x1/0"}, f"dev_path_use_scidd: {NOT_HERE}"),
        ({"offer": offer(), "timeout": "1.5"}, "timeout: should be an integer: invalid token (see logs for details)"),
    ],
)
def test_row_33_refuses_what_does_not_fit_the_offer(start: Start, params: dict[str, Any], message: str) -> None:
    served = start()
    assert refusal(served, "fetchinvoice", **params) == (-32602, message)
    code, checked = refusal(served, "check", command_to_check="fetchinvoice", **params)
    assert (code, checked.partition(": invalid token")[0]) == (-32602, message.partition(": invalid token")[0])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"offer": offer()}, "Not a recurring offer"),
        (
            {"offer": offer(**DAILY), "recurrence_counter": 0},
            "recurrence_counter: Must be non-zero: invalid token (see logs for details)",
        ),
        ({"offer": offer(**DAILY), "recurrence_start": 0}, "unnecessary recurrence_start"),
        (
            {"offer": offer(**DAILY, offer_recurrence_limit=3), "recurrence_counter": 4},
            "recurrence_counter: period_index 4 too great",
        ),
    ],
)
def test_refuses_to_cancel_what_does_not_recur(start: Start, params: dict[str, Any], message: str) -> None:
    given = {"recurrence_counter": 1, "recurrence_label": "x"} | params
    assert refusal(start(), "cancelrecurringinvoice", **given) == (-32602, message)


def test_a_cancellation_needs_no_amount_quantity_or_answer(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER))
    text = offer(**BASED, offer_amount=None, offer_quantity_max=0)
    made = payer.client.cancelrecurringinvoice(text, recurrence_counter=2, recurrence_label="x", payer_note="bye")
    request = InvoiceRequest.parse(made.bolt12)
    request.verify()
    assert (request.invreq_recurrence_cancel, request.invreq_recurrence_counter) == (True, 2)
    assert (request.invreq_recurrence_start, request.invreq_payer_note) == (0, "bye")
    assert request.invreq_amount is None


def test_all_payments_of_a_series_have_one_key_and_others_another(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER))

    def payer_id(label: str, text: str, counter: int) -> bytes | None:
        made = payer.client.cancelrecurringinvoice(text, recurrence_counter=counter, recurrence_label=label)
        return InvoiceRequest.parse(made.bolt12).invreq_payer_id

    daily, weekly = offer(**DAILY), offer(offer_recurrence_compulsory=Recurrence(1, 7))
    assert payer_id("a", daily, 1) == payer_id("a", daily, 2)
    assert len({payer_id("a", daily, 1), payer_id("b", daily, 1), payer_id("a", weekly, 1)}) == 3


def test_a_cancellation_says_why_it_was_not_sent(start: Start) -> None:
    code, message = refusal(
        start(), "cancelrecurringinvoice", offer=offer(**DAILY), recurrence_counter=1, recurrence_label="x"
    )
    assert code == 1003
    assert message.startswith(f"Failed: could not route or connect directly to {node_id(ISSUER)}: no address is known")


def test_a_test_may_choose_the_reply_path(start: Start, node: StartNode) -> None:
    payer = start("--developer")
    front = node(FRONT)
    payer.client.connect(node(ISSUER, "--via", front))
    payer.client.connect(front)
    until(lambda: len(payer.client.listpeers().peers) == 2)
    assert fetch(payer, dev_reply_path=[node_id(FRONT), payer.id]).invoice_amount == 1_000
    for nodes, why in (("x", "Must be array"), (["x"], "invalid pubkey")):
        code, message = refusal(payer, "fetchinvoice", offer=offer(), dev_reply_path=nodes)
        assert code == -32602
        assert message.startswith(f"dev_reply_path: {why}: invalid token")


def test_a_test_may_have_the_reply_path_name_a_channel(start: Start) -> None:
    issuer, payer = start(), start("--developer")
    payer.client.connect(issuer.address)
    text = issuer.client.offer("any", description="tea").bolt12
    given = {"offer": text, "amount_msat": 7, "dev_path_use_scidd": "1x2x3/1", "timeout": 1}
    assert refusal(payer, "fetchinvoice", **given)[0] == 1005
    until(lambda: "begins at the end of a channel" in issuer.log())
    code, message = refusal(payer, "fetchinvoice", **given | {"dev_path_use_scidd": "1x2"})
    assert (code, "should be a short_channel_id of form NxNxN/dir" in message) == (-32602, True)
