"""xpay ends as at a real node, for what two nodes without a channel answered (`golden/pay.jsonl`).

Of the five rows two are for `xpay`. In one the node's answer is given to our service, whose backend is a node that
answers so. The other one fetches an invoice for an offer first. That invoice is not in the transcript, so only the
offer is checked here; the failure after that is the one of the first row. The other three rows are for `pay`, which
this service does not have (row 43 of `docs/explanation/differences.md`).

The transcripts are upstream material; without it these tests are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.types import XpayRequest, XpayResponse
from lnoffers.bolt12 import CHAINS
from lnoffers.service import Node, OffersService
from lnoffers.service.commands import Served
from lnoffers.service.payments.backend import Host
from lnoffers.service.payments.cln.backend import CoreLightning, Settings
from lnoffers.service.payments.payer import Payer
from lnoffers.service.peers import Peers
from tests.payments.scripted import ready
from tests.service.answering_node import answering
from tests.service.test_transcripts import exchanges


async def unwanted(*_: Any) -> str:
    """Refuse to record a payment; none arrives."""
    return "nobody asked"


def answer_of(node: Node, error: RpcError, invstring: str, folder: Path) -> RpcError:
    """Return how our xpay ends if that of the node that pays ends with an error, and has sent nothing."""

    async def use(payer: Payer) -> XpayResponse:
        service = OffersService(node, Served(node.options.socket, lambda: None, peers, payer))
        try:
            return await service.xpay(XpayRequest(invstring=invstring))
        finally:
            await backend.close()

    peers = Peers(node.keys.key_pair, CHAINS["regtest"], lambda *_: None)
    backend = CoreLightning(folder / "node", Host(node, peers, unwanted, unwanted), Settings(at_most=0.0))
    known: dict[str, Any] = {"xpay": error, "listpays": {"pays": []}, "listsendpays": {"payments": []}}
    known["waitanyinvoice"] = RpcError(-1, "not now")  # this node answers one call at a time on each connection
    with answering(folder / "node", known), pytest.raises(RpcError) as ended:
        ready(node, backend, use)
    return ended.value


def test_xpay_without_a_route_ends_with_the_code_of_the_node(node: Node, tmp_path: Path) -> None:
    rows = [row for row in exchanges("pay") if row.case.startswith("xpay ")]
    assert [row.case for row in rows] == ["xpay lni (no channel)", "xpay lno directly"]
    for row in rows:
        theirs = json.loads(row.response)["error"]
        invstring = json.loads(row.request)["params"]["invstring"]
        node.inject(None, row.time)
        OffersService(node).rpc_check_xpay(XpayRequest(invstring=invstring))
        if invstring.startswith("lni1"):
            ours = answer_of(node, RpcError(theirs["code"], theirs["message"]), invstring, tmp_path)
            assert (ours.code, ours.message) == (theirs["code"], "Failed: there is no route")
