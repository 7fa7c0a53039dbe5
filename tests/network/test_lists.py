"""listpays, listsendpays, waitsendpay, listfunds and listpeerchannels: what they show, and in which form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from lnoffers.bolt11 import Invoice
from lnstandin.network import Network
from tests.network.accounts import HALF_MSAT, bolt11, error
from tests.service.program import until

DOCUMENTS: Final = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def paid(network: Network) -> str:
    """Let the first node fail to pay an invoice, pay it with a label, and pay one for an offer; return the string."""
    payer, payee = network.nodes
    string = bolt11(payee)
    payer.fail_next(203)
    error(lambda: payer.client.xpay(string))
    payer.client.xpay(string, label="my lunch")
    payer.client.xpay(payee.client.offer("5sat", description="tea").bolt12, label="my tea")
    return string


def test_lists_have_each_attempt_in_order(network: Network, paid: str) -> None:
    client = network.nodes[0].client
    pays, parts = client.listpays().pays, client.listsendpays().payments
    assert [(each.status, each.label, each.amount_msat, each.amount_sent_msat) for each in pays] == [
        ("failed", None, None, 0),
        ("complete", "my lunch", 21_000, 21_000),
        ("complete", "my tea", 5_000, 5_000),
    ]
    assert [each.bolt11 for each in pays] == [paid, paid, None]
    assert (pays[2].bolt12 or "").startswith("lni1")
    assert [(each.created_index, each.groupid, each.status) for each in parts] == [
        (1, 1, "failed"),
        (2, 2, "complete"),
        (3, 1, "complete"),
    ]
    assert [each.payment_preimage for each in parts] == [each.preimage for each in pays]


@pytest.mark.parametrize("method", ["listpays", "listsendpays"])
def test_lists_are_filtered(network: Network, paid: str, method: str) -> None:
    def found(**params: Any) -> list[int]:
        [(_, rows)] = network.nodes[0].client.rpc_call(method, params).items()
        return [row["created_index"] for row in rows]

    assert found(bolt11=paid) == found(payment_hash=Invoice.parse(paid).payment_hash.hex()) == [1, 2]
    assert (found(status="failed"), found(bolt11=paid, status="complete")) == ([1], [2])
    assert (found(index="created", start=2), found(index="created", start=2, limit=1)) == ([2, 3], [2])
    assert (found(index="updated"), found(index="updated", start=2, limit=1)) == ([1, 2, 3], [2])
    assert found(payment_hash="00" * 32) == []


@pytest.mark.parametrize("method", ["listpays", "listsendpays"])
@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"bolt11": "lnbcrt1", "payment_hash": "00" * 32}, "Can only specify one of {bolt11} or {payment_hash}"),
        ({"start": 1}, "Can only specify {start} with {index}"),
        ({"limit": 1}, "Can only specify {limit} with {index}"),
        ({"index": "size"}, "index: unknown index"),
        ({"bolt11": "lnbcrt1"}, "Invalid bolt11: Bad bech32 string"),
        ({"bolt11": "no invoice"}, "bolt11: Invalid invoice"),
    ],
)
def test_wrong_parameters_of_a_list_are_named(network: Network, method: str, params: dict[str, Any], why: str) -> None:
    failure = error(lambda: network.nodes[0].client.rpc_call(method, params))
    assert failure.code == -32602
    assert failure.message.startswith(why)


def test_payments_that_end_in_another_order_are_listed_by_that_order(network: Network) -> None:
    payer, payee = network.nodes
    payee.hold()
    first = bolt11(payee)
    assert error(lambda: payer.client.xpay(first, retry_for=0)).code == 210
    payer.fail_next(203)
    error(lambda: payer.client.xpay(bolt11(payee, label="another")))
    payee.release()
    payer.client.waitsendpay(Invoice.parse(first).payment_hash.hex(), partid=1)
    assert [each.updated_index for each in payer.client.listpays().pays] == [2, 1]
    assert [each.created_index for each in payer.client.listsendpays(index="updated").payments] == [2, 1]


def test_waitsendpay_returns_the_payment_or_its_error(network: Network, paid: str) -> None:
    client, payment_hash = network.nodes[0].client, Invoice.parse(paid).payment_hash.hex()
    assert client.waitsendpay(payment_hash, partid=1).groupid == 2
    failure = error(lambda: client.waitsendpay(payment_hash, partid=1, groupid=1))
    assert (failure.code, (failure.data or {})["status"]) == (202, "failed")
    assert error(lambda: client.waitsendpay(payment_hash)).code == 208  # lightningd's part 0 is another
    never = error(lambda: client.waitsendpay("00" * 32))
    assert (never.code, never.message) == (208, f"Never attempted payment part 0 for '{'00' * 32}'")


def test_channels_are_the_same_seen_from_both_sides(network: Network, paid: str) -> None:
    sides = [node.client.listpeerchannels().channels[0] for node in network.nodes]
    assert [side.to_us_msat for side in sides] == [HALF_MSAT - 26_000, HALF_MSAT + 26_000]
    assert [side.receivable_msat for side in sides] == [sides[1].spendable_msat, sides[0].spendable_msat]
    assert len({(side.short_channel_id, side.channel_id, side.total_msat) for side in sides}) == 1
    assert {side.direction for side in sides} == {0, 1}
    assert [side.opener for side in sides] == ["local", "remote"]
    assert (sides[0].out_payments_fulfilled, sides[1].in_payments_fulfilled) == (2, 2)
    assert (sides[0].out_fulfilled_msat, sides[1].in_fulfilled_msat) == (26_000, 26_000)
    client, other = network.nodes[0].client, network.nodes[1]
    assert len(client.listpeerchannels(id=other.id).channels) == 1
    assert client.listpeerchannels(short_channel_id="1x1x1").channels == []


def test_channel_is_chosen_by_one_parameter(network: Network) -> None:
    client, peer = network.nodes[0].client, network.nodes[1].id
    [channel] = client.listpeerchannels().channels
    names = {"id": peer, "short_channel_id": channel.short_channel_id, "channel_id": channel.channel_id}
    for name, value in names.items():
        assert len(client.rpc_call("listpeerchannels", {name: value})["channels"]) == 1
    for left_out in (*names, None):
        given = {name: value for name, value in names.items() if name != left_out}
        failure = error(lambda given=given: client.rpc_call("listpeerchannels", given))
        why = "Must not specify more than one of short_channel_id, channel_id or id"
        assert (failure.code, failure.message) == (-32602, why)


def test_held_payment_is_in_flight_at_both_ends(network: Network) -> None:
    payer, payee = network.nodes
    payee.hold()
    assert error(lambda: payer.client.xpay(bolt11(payee), retry_for=0)).code == 210
    until(lambda: payee.client.listpeerchannels().channels[0].htlcs)
    flying = [htlc for node in network.nodes for htlc in node.client.listpeerchannels().channels[0].htlcs or ()]
    assert [(htlc.direction, htlc.amount_msat) for htlc in flying] == [("out", 21_000), ("in", 21_000)]
    assert len({htlc.payment_hash for htlc in flying}) == 1


def test_channel_of_a_peer_that_is_away_is_shown_as_such(network: Network) -> None:
    node, other = network.nodes
    other.stop()
    assert node.client.listfunds().channels[0].connected is False
    info = node.client.getinfo()
    assert (info.num_active_channels, info.num_inactive_channels) == (0, 1)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("listfunds", {}),
        ("listpeerchannels", {}),
        ("listpays", {}),
        ("listsendpays", {}),
        ("getinfo", {}),
        ("listinvoices", {}),
        ("waitanyinvoice", {"lastpay_index": 0}),
        ("invoice", {"amount_msat": "any", "label": "any", "description": ""}),
    ],
)
def test_answers_have_what_the_documents_require_and_nothing_else(
    network: Network, paid: str, method: str, params: dict[str, Any]
) -> None:
    document = DOCUMENTS / f"{method}.json"
    schema = json.loads((document if document.exists() else DOCUMENTS / "cln" / f"{method}.json").read_text())
    for node in network.nodes:
        if method != "waitanyinvoice" or node is network.nodes[1]:
            check(schema["response"], node.client.rpc_call(method, params), method)


def check(schema: dict[str, Any], value: Any, place: str) -> None:
    """Fail if an object lacks a required member, or has an unknown one."""
    if isinstance(value, list):
        for each in value:
            check(schema.get("items", {}), each, place)
        return
    if not isinstance(value, dict) or "properties" not in schema:
        return
    conditional = [part for one in schema.get("allOf", [schema]) for part in (one.get("then"), one.get("else")) if part]
    known = schema["properties"] | {k: v for part in conditional for k, v in part.get("properties", {}).items()}
    assert set(schema.get("required", ())) <= value.keys() <= known.keys(), (place, value.keys() - known.keys())
    for name, member in value.items():
        check(schema["properties"].get(name, {}), member, f"{place}.{name}")
