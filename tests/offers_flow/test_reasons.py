"""Why no invoice arrived: the code, the text and the data of fetchinvoice's errors, over the real wire."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnoffers.bolt12.features import bitmap
from lnoffers.net.messages import OnionMessage, Ping, Pong
from tests.fetching.conftest import Start as StartNode
from tests.fetching.conftest import running
from tests.fetching.node import key_of
from tests.offers_flow.test_fetching import FRONT, ISSUER, OTHER_FRONT, fetch, node_id, offer, path_by
from tests.peers.conftest import Served, Start
from tests.peers.stranger import connected
from tests.service.program import Program, Wire, request, until


def refusal(served: Served, text: str | None = None, **given: Any) -> RpcError:
    with pytest.raises(RpcError) as caught:
        served.client.rpc_call("fetchinvoice", {"offer": text or offer(), **given})
    return caught.value


def test_says_whose_address_is_needed(start: Start) -> None:
    payer = start()
    error = refusal(payer)
    assert error.code == 1003
    first = f"Failed: could not route or connect directly to {node_id(ISSUER)}: no address is known: {node_id(ISSUER)}."
    assert error.message.startswith(first)
    assert "with the command connect" in error.message
    attempt = {"towards": node_id(ISSUER), "reason": "no_address", "detail": ""}
    assert error.data == {"reason": "no_address", "detail": node_id(ISSUER), "attempts": [attempt]}
    error = refusal(payer, offer(offer_paths=[path_by(FRONT), path_by(OTHER_FRONT)]))
    assert error.message.startswith(
        f"Failed: could not route or connect directly to blinded path at {node_id(OTHER_FRONT)}: no address is known"
    )
    assert [attempt["towards"] for attempt in error.data["attempts"]] == [node_id(FRONT), node_id(OTHER_FRONT)]


def test_says_that_it_cannot_connect(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"{node_id(ISSUER)}@127.0.0.1:{taken.getsockname()[1]}"
        error = refusal(start("--peer", address))
    assert (error.code, error.data["reason"]) == (1003, "cannot_connect")
    assert "Connection refused" in error.message
    [attempt] = error.data["attempts"]
    assert attempt["via"] == address


@pytest.mark.parametrize(
    ("features", "reason"), [([], "no_onion_messages"), ([67], "channel_peers_only"), ([66], "channel_peers_only")]
)
def test_does_not_wait_for_a_node_that_drops_the_request(
    start: Start, node: StartNode, features: list[int], reason: str
) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--features", bitmap(features).hex()))
    error = refusal(payer)
    assert (error.code, error.data["reason"]) == (1003, reason)


@pytest.mark.parametrize(("answer", "reason"), [("nothing", "no_answer"), ("throttle", "throttled")])
def test_says_what_it_knows_about_an_issuer_that_is_silent(
    start: Start, node: StartNode, answer: str, reason: str
) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--answer", answer))
    error = refusal(payer, timeout=2)
    assert (error.code, error.data["reason"]) == (1005, reason)
    assert error.message.startswith("Timeout waiting for response: ")
    assert ("Ratelimited" in error.data["detail"]) == (answer == "throttle")


def test_row_36_a_node_that_was_asked_to_forward_may_bring_nothing(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(FRONT))
    error = refusal(payer, timeout=1)
    assert (error.code, error.data["reason"]) == (1005, "no_answer")
    [attempt] = error.data["attempts"]
    assert (attempt["towards"], attempt["via"].partition("@")[0]) == (node_id(ISSUER), node_id(FRONT))
    assert attempt["detail"] == "it was asked to forward the message"


def test_a_request_that_was_not_sent_in_time_is_never_sent(start: Start) -> None:
    payer = start()
    with connected(key_of(ISSUER), payer.id, payer.port) as issuer:
        until(payer.peers)
        with ThreadPoolExecutor(12) as pool:
            reasons = [*pool.map(lambda _: reason_alone(payer), range(12))]
        with pytest.raises(RpcError):
            fetch(payer, timeout=2)
        sent = 0
        issuer.send(Ping(1))
        while not isinstance(issuer.event(), Pong):
            sent += 1
    assert {"throttled", "no_answer"} == set(reasons)
    assert sent == reasons.count("no_answer") + 1


def reason_alone(payer: Served) -> str:
    """Return why a fetch over a connection of its own fails; its time is short."""
    with Client(payer.program.socket) as client, pytest.raises(RpcError) as caught:
        client.fetchinvoice(offer(), timeout=1)
    if caught.value.data["reason"] == "throttled":
        assert "others wait before it" in caught.value.message
    return str(caught.value.data["reason"])


def test_an_answer_that_comes_another_way_is_none(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--answer", "another_way"))
    assert refusal(payer, timeout=1).data["reason"] == "no_answer"
    until(lambda: "the invoice is refused" in payer.log())


def test_a_timeout_of_zero_sends_the_request_and_waits_for_nothing(start: Start) -> None:
    payer = start()
    with connected(key_of(ISSUER), payer.id, payer.port) as issuer:
        until(payer.peers)
        for _ in range(2):  # the second one waits for a third of a second
            assert refusal(payer, timeout=0).code == 1005
            assert isinstance(issuer.event(), OnionMessage)


@pytest.mark.parametrize(("answer", "why"), [("hang_up", "closed the connection"), ("error", "the peer said: full")])
def test_gives_up_if_the_connection_ends_again_and_again(start: Start, node: StartNode, answer: str, why: str) -> None:
    error = refusal(start("--peer", node(ISSUER, "--answer", answer)))
    assert (error.code, error.data["reason"]) == (1003, "cannot_connect")
    assert why in error.message


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        ("refusal", {"erroneous_field": 82, "suggested_value": "07", "error": "not today"}),
        ("refusal_of_ldk", {"error": "nope"}),
        ("refusal_in_no_words", {"error": ""}),
        ("refusal_that_is_garbage", {"invoice_error_hex": "05ff"}),
    ],
)
def test_repeats_the_error_of_the_issuer(start: Start, node: StartNode, answer: str, data: dict[str, Any]) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--answer", answer))
    error = refusal(payer)
    assert error.code == 1004
    assert error.message.startswith(f"Remote node sent failure message: {data.get('error', '')}")
    reasons = {name: error.data.pop(name) for name in ("reason", "detail", "attempts")}
    assert (reasons["reason"], reasons["attempts"]) == ("refused", [])
    assert error.data == data


@pytest.mark.parametrize(
    ("answer", "field", "why"),
    [
        ("garbage", "invoice", "invalid invoice data"),
        ("another_request", "invoice_request match", "does not repeat field 0"),
        ("another_signer", "invoice_node_id", "invoice_node_id is neither"),
        ("unsigned", "signature", "Missing signature"),
        ("another_amount", "invoice_amount", "invoice_amount is 1001msat where 1000msat"),
        ("expired", "invoice_relative_expiry", "Expired invoice"),
    ],
)
def test_row_35_says_what_is_wrong_with_the_invoice(
    start: Start, node: StartNode, answer: str, field: str, why: str
) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--answer", answer))
    error = refusal(payer)
    assert (error.code, error.data["reason"]) == (1004, "bad_answer")
    assert error.message.startswith(f'Incorrect {field} field in "')
    assert why in error.message
    assert error.message.endswith("Do not pay it. Tell the issuer what is wrong.")


def test_says_that_the_answer_is_neither_invoice_nor_error(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--answer", "something_else"))
    error = refusal(payer)
    assert (error.code, error.data["reason"]) == (1004, "bad_answer")
    assert error.message.startswith("Neither invoice nor invoice_request_failed in reply: ")


def test_a_request_may_be_too_long_to_send(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER))
    error = refusal(payer, payer_note="x" * 40_000)
    assert (error.code, error.message) == (-32602, "Creating onion failed (tlvs too long?)")


def test_without_a_server_nobody_is_asked(program: Program) -> None:
    outcome = program.call("fetchinvoice", offer())
    assert outcome.json["code"] == -1
    assert outcome.json["message"].startswith("No server is running")


# ---- restarts


def test_an_issuer_that_restarts_is_asked_again(start: Start) -> None:
    with ThreadPoolExecutor(1) as pool, running(ISSUER, "--answer", "nothing") as (address, issuer):
        payer = start("--peer", address)
        until(lambda: payer.client.listpeers().peers)
        pending = pool.submit(fetch, payer)
        assert wait([pending], 0.5).not_done
        issuer.kill()
        issuer.wait()
        with running(ISSUER, "--port", address.rpartition(":")[2]):
            assert pending.result().invoice_amount == 1_000


def test_a_payer_that_stops_answers_its_call(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--answer", "nothing"))
    with Wire(payer.program.socket) as wire:
        wire.send(request("fetchinvoice", {"offer": offer()}))
        assert wire.is_silent(0.5)
        payer.process.terminate()
        answer = json.loads(wire.answer())
    assert answer["error"]["code"] == -5


def test_a_payer_that_was_killed_asks_anew(start: Start) -> None:
    with running(ISSUER, "--answer", "nothing") as (address, issuer):
        payer = start("--peer", address)
        until(lambda: payer.client.listpeers().peers)
        with Wire(payer.program.socket) as wire:
            wire.send(request("fetchinvoice", {"offer": offer()}))
            assert wire.is_silent(0.5)
            payer.process.kill()
            payer.process.wait()
            assert wire.is_closed()
        issuer.kill()
    with running(ISSUER) as (address, _):
        again = start("--peer", address, program=payer.program)
        assert fetch(again).invoice_amount == 1_000
