"""REST of a network's nodes, with a rune and a certificate."""

from __future__ import annotations

import json
import ssl
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from lnstandin.network import Network, NetworkNode
from tests.network.accounts import HALF_MSAT

pytest.importorskip("uvicorn", reason="REST needs the extra rest")


def post(node: NetworkNode, method: str, **params: Any) -> Any:
    """Call a command over REST."""
    return post_text(node, method, json.dumps(params))


def post_text(node: NetworkNode, method: str, body: str) -> Any:
    """Call a command over REST with this body."""
    tls = ssl.create_default_context(cafile=str(node.certificate))
    headers = {"Rune": node.rune, "Content-Type": "application/json"}
    request = Request(f"{node.rest}/v1/{method}", body.encode(), headers, method="POST")
    try:
        with urlopen(request, context=tls, timeout=60) as response:
            return json.load(response)
    except HTTPError as error:
        return json.load(error)


@pytest.mark.parametrize("processes", [False, True], ids=["one process", "processes"])
def test_nodes_pay_over_rest_also_after_a_restart(processes: bool) -> None:
    with Network(2, rest=True, processes=processes) as network:
        payer, payee = network.nodes
        made = post(payee, "invoice", amount_msat=21_000, label="lunch", description="a sandwich")
        assert post(payer, "xpay", invstring=made["bolt11"], maxfee=1_000)["amount_msat"] == 21_000
        payer.restart()
        assert post(payer, "xpay", invstring=made["bolt11"])["code"] == 219
        [channel] = post(payer, "listfunds")["channels"]
        assert channel["our_amount_msat"] == HALF_MSAT - 21_000


def test_numbers_without_end_are_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    with Network(1, rest=True) as network:
        [node] = network.nodes
        refused = post_text(node, "invoice", '{"amount_msat": 1e999, "label": 1e999, "description": "x"}')
        assert refused["code"] == -32602
    assert "bug" not in caplog.text
