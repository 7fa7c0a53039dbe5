"""How the backend `cln` notices payments, with a node that answers as a test wants, and the paths that it makes."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.runtime.values.decode import decode
from clnrpc.types import ListpeerchannelsChannel
from lnoffers.bolt12 import KeyPair
from lnoffers.bolt12.curve import multiply_point
from lnoffers.net.blinding import blinding_factor, next_path_key, unblind
from lnoffers.net.features import ONION_MESSAGES, ROUTE_BLINDING
from lnoffers.net.hop_data import HopData, PaymentConstraints, PaymentRelay
from lnoffers.service.payments.backend import BackendError, Destination
from lnoffers.service.payments.cln.destinations import (
    IncomingChannel,
    PathEnd,
    destination,
    forwards_blinded,
    incoming_channels,
)
from tests.interop.paying import backend, incoming
from tests.service.answering_node import NODE_ID, Answer, answering
from tests.service.invoicing import KEYS
from tests.service.program import SECONDS, SEED_SECRET, write_secret

PREFIX = f"lnoffers/{KEYS.node_id.hex()[:20]}/"
CHANGES = 17
"""The node's count of changed invoices when the list is begun."""
NODE, PEER = KeyPair(b"\x11" * 32), KeyPair(b"\x12" * 32)
SECRET = b"\5" * 32
END = PathEnd(NODE.public_key, SECRET, delta=10, expires_at=1_000)
RELAY = PaymentRelay(cltv_expiry_delta=6, fee_proportional_millionths=10, fee_base_msat=1)
CHANNEL = IncomingChannel(PEER.public_key, RELAY, htlc_minimum_msat=5, htlc_maximum_msat=9_000, receivable_msat=8_000)


def opened(end: Destination, *keys: KeyPair) -> list[HopData]:
    """Return what each node of the path reads in its hop's data."""
    [path] = end.paths
    key, found = path.first_path_key, []
    for node, hop in zip(keys, path.hops, strict=True):
        secret = node.shared_secret(key)
        assert multiply_point(node.public_key, blinding_factor(secret)) == hop.blinded_node_id
        found.append(HopData.from_bytes(unblind(secret, hop.encrypted_recipient_data)))
        key = next_path_key(secret, key)
    return found


def test_the_path_ends_at_the_node_with_the_secret_of_its_invoice() -> None:
    end = destination(b"\1" * 32, END)
    [data] = opened(end, NODE)
    assert data.path_id == SECRET
    assert data.payment_constraints == PaymentConstraints(1_000 + 1_008 + 18, 0)
    [fees] = end.payinfos
    assert (fees.fee_base_msat, fees.fee_proportional_millionths, fees.cltv_expiry_delta) == (0, 0, 18)


def test_a_longer_delta_of_the_node_is_kept() -> None:
    end = destination(b"\1" * 32, PathEnd(NODE.public_key, SECRET, delta=40, expires_at=1))
    assert end.payinfos[0].cltv_expiry_delta == 40


def test_a_peer_in_front_of_the_node_gets_its_fees_and_not_the_secret() -> None:
    end = destination(b"\1" * 32, END, CHANNEL)
    assert end.paths[0].first_node_id == PEER.public_key
    first, last = opened(end, PEER, NODE)
    assert (first.path_id, first.next_node_id, first.payment_relay) == (None, NODE.public_key, RELAY)
    assert first.payment_constraints == PaymentConstraints(1_000 + 1_008 + 18 + 6, 5)
    assert last.path_id == SECRET
    [fees] = end.payinfos
    assert (fees.fee_base_msat, fees.fee_proportional_millionths, fees.cltv_expiry_delta) == (1, 10, 24)
    assert (fees.htlc_minimum_msat, fees.htlc_maximum_msat) == (5, 8_000)


TERMS = {
    "htlc_minimum_msat": 0,
    "htlc_maximum_msat": 10_000,
    "cltv_expiry_delta": 6,
    "fee_base_msat": 1,
    "fee_proportional_millionths": 10,
}


def channel(receivable: int, **changes: Any) -> ListpeerchannelsChannel:
    """Return a channel as the node lists it."""
    fields = {
        "peer_id": PEER.public_key.hex(),
        "peer_connected": True,
        "state": "CHANNELD_NORMAL",
        "receivable_msat": receivable,
        "updates": {"local": TERMS, "remote": TERMS},
    }
    return decode(ListpeerchannelsChannel, json.dumps(fields | changes).encode())


def test_the_channel_that_can_receive_most_is_tried_first() -> None:
    found = incoming_channels([channel(2_000), channel(8_000), channel(3_000)], 2_500)
    assert [each.receivable_msat for each in found] == [8_000, 3_000]


@pytest.mark.parametrize(
    "changes",
    [
        {"peer_connected": False},
        {"state": "CHANNELD_SHUTTING_DOWN"},
        {"updates": {"local": TERMS}},
        {"updates": {"local": TERMS, "remote": TERMS | {"htlc_maximum_msat": 10}}},
        {"receivable_msat": 10},
    ],
)
def test_a_channel_that_cannot_receive_the_amount_now_is_left_out(changes: dict[str, Any]) -> None:
    assert incoming_channels([channel(8_000, **changes)], 100) == []


@pytest.mark.parametrize(
    ("bits", "can"),
    [
        ([ROUTE_BLINDING, ONION_MESSAGES], True),
        ([ROUTE_BLINDING + 1, ONION_MESSAGES + 1], True),
        ([ROUTE_BLINDING], False),
        ([ONION_MESSAGES], False),
        ([], False),
    ],
)
def test_a_peer_must_offer_blinded_paths_and_onion_messages(bits: list[int], can: bool) -> None:
    features = sum(1 << bit for bit in bits)
    assert forwards_blinded(features.to_bytes(8, "big")) is can


def listed(number: int, **changes: Any) -> dict[str, Any]:
    """Return one of the node's invoices, paid for this node unless changed."""
    payment_hash = number.to_bytes(32, "big").hex()
    paid = {"pay_index": number, "amount_received_msat": number, "paid_at": int(time.time())}
    known = {"label": PREFIX + payment_hash, "payment_hash": payment_hash, "status": "paid", "expires_at": 2**33}
    return known | paid | {"created_index": number} | changes


def unpaid(number: int, status: str = "unpaid") -> dict[str, Any]:
    return {name: value for name, value in listed(number, status=status).items() if name != "pay_index"}


class Lists:
    """What a node lists: `invoices` by their creation, and `changed` since the list was begun."""

    def __init__(self, invoices: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
        self._invoices = invoices
        self._changed = changed

    def __call__(self, params: Any) -> dict[str, Any]:
        """Answer `listinvoices`."""
        if params["index"] == "updated":
            assert params["start"] == CHANGES + 1
            return {"invoices": self._changed}
        later = [each for each in self._invoices if each["created_index"] >= params["start"]]
        return {"invoices": later[: min(params["limit"], 2)]}


def watch(path: Path, answers: dict[str, Answer], *numbers: int, refusals: int = 0) -> list[tuple[str, Any]]:
    """Run the backend until exactly these payments have been reported in this order; return the calls to the node.

    This node's store fails for the first ones.
    """
    write_secret(path / "own" / "regtest" / "hsm_secret", SEED_SECRET)

    async def run(calls: list[tuple[str, Any]]) -> None:
        async with backend(path / "rpc", path / "own") as (_, desk), asyncio.timeout(SECONDS):
            desk.refusals.extend([RpcError(-1, "disk full")] * refusals)
            while len(desk.arrived) < len(numbers) or not calls or calls[-1][0] != "waitanyinvoice":
                await asyncio.sleep(0.01)
            assert [amount for _, amount in desk.arrived] == list(numbers)

    with answering(path / "rpc", {"wait": {"updated": CHANGES}, **answers}) as calls:
        asyncio.run(run(calls))
    return calls


def test_continues_after_the_last_payment_of_the_node(tmp_path: Path) -> None:
    lists = Lists([listed(1), listed(2, label="of somebody else"), unpaid(3), listed(4), listed(9, label="x")], [])
    calls = watch(tmp_path, {"listinvoices": lists}, 1, 4)
    assert calls[-1] == ("waitanyinvoice", {"lastpay_index": 9})


def test_a_payment_during_the_look_at_the_start_is_seen(tmp_path: Path) -> None:
    """The page with its invoice had been read, and a later page has a higher number."""
    lists = Lists([unpaid(1), unpaid(2), listed(3, pay_index=8)], [listed(1, pay_index=7), listed(3, pay_index=8)])
    calls = watch(tmp_path, {"listinvoices": lists}, 3, 1, 3)
    assert calls[-1] == ("waitanyinvoice", {"lastpay_index": 8})


def test_later_payments_are_reported_one_by_one(tmp_path: Path) -> None:
    def next_paid(params: Any) -> dict[str, Any]:
        following = {0: listed(1), 1: listed(2, label="of somebody else"), 2: listed(3)}.get(params["lastpay_index"])
        if following is None:
            Event().wait(0.2)
            raise RpcError(-5, "shutting down")
        return following

    watch(tmp_path, {"listinvoices": Lists([], []), "waitanyinvoice": next_paid}, 1, 3)


def test_a_payment_that_the_store_did_not_take_is_reported_again(tmp_path: Path) -> None:
    watch(tmp_path, {"listinvoices": Lists([listed(1)], [])}, 1, refusals=1)


def test_a_payment_that_nobody_asked_for_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watch(tmp_path, {"listinvoices": Lists([listed(666)], [])}, 666)
    assert "The node has received 666 msat for" in caplog.text
    assert "which this service does not want: nobody asked" in caplog.text


def test_expired_invoices_of_this_node_are_deleted_in_that_state_only(tmp_path: Path) -> None:
    expired = [unpaid(1, "expired"), unpaid(2), unpaid(3, "expired") | {"label": "of somebody else"}]
    calls = watch(tmp_path, {"listinvoices": Lists(expired, []), "delinvoice": {}})
    deleted = [params for method, params in calls if method == "delinvoice"]
    assert deleted == [{"label": expired[0]["label"], "status": "expired"}]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (RpcError(-32602, "no"), "the node makes no invoice: invoice: -32602: no"),
        (None, "the node makes no invoice: invoice: the node closed the connection"),
    ],
)
def test_a_node_that_makes_no_invoice_is_an_error(answer: Answer, why: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "rpc", tmp_path / "own") as (used, _):
            with pytest.raises(BackendError, match=why):
                await used.receive(incoming(1))

    with answering(tmp_path / "rpc", {"listnodes": {"nodes": [{"nodeid": NODE_ID}]}, "invoice": answer}):
        asyncio.run(run())
