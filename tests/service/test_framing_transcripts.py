"""Malformed and unusual messages are answered exactly as by a real node.

The transcripts are upstream material; without it these tests are skipped.
"""

from __future__ import annotations

from lnoffers.service import Node, Options
from tests.service.program import Program, Wire
from tests.service.test_offer_transcripts import Past, shown_by
from tests.service.test_transcripts import exchanges, served_as


def test_json_rpc_framing(program: Program) -> None:
    earlier = {
        shown["offer_id"]: shown
        for name in ("offer", "offer-lifecycle")
        for exchange in exchanges(name)
        for shown in shown_by(exchange.response)
    }
    with (
        served_as(program, "l1"),
        Node.open(Options(lightning_dir=program.directory, network="regtest")) as node,
    ):
        for exchange in exchanges("json-rpc-framing"):
            if not exchange.response:
                continue  # input that is refused here, which lightningd leaves unanswered
            for shown in shown_by(exchange.response) if exchange.case == "filter list" else ():
                if shown["offer_id"] in earlier:
                    Past(node).catch_up("listoffers", earlier[shown["offer_id"]] | {"created": False})
            with Wire(program.socket) as wire:
                wire.send(exchange.request)
                answer = b"".join(wire.answer() for _ in range(exchange.response.count("\n\n")))
                assert answer.decode() == exchange.response, exchange.case
