"""Each error code that a document names can be had, and no others: by these calls to one server, and, for some
failures of payments, to one that pays through a node.

Those of the offer commands, which need rates too, are in `test_offers_served`.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

from clnrpc import RpcError
from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest, Offer, Recurrence
from lnoffers.net.address import Address
from lnoffers.net.blinding import message_path
from lnoffers.service import Node, Options
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.status import Status
from tests.bolt12 import samples
from tests.fetching.conftest import Start as StartNode
from tests.fetching.conftest import start as node
from tests.fetching.node import key_of
from tests.peers.conftest import program as another
from tests.peers.stranger import connected, key
from tests.service.answering_node import answering
from tests.service.invoicing import HOUR, NOW, creation, store_offer
from tests.service.paying import invoice_for, preimage, store_payment
from tests.service.program import Program, Wire, request
from tests.service.test_offers_served import codes
from tests.shared import ROOT

NOBODY = "00" * 32
PEER = key(7).public_key.hex()
__all__ = ["another", "node"]

LASTING = "still unpaid in the end"
REFUSING, SILENT, NOBODY_REACHED = (key_of(number).public_key for number in (1, 2, 3))
OFFERS = {"offer", "listoffers", "disableoffer", "enableoffer"}


class Asker:
    """Asks, and remembers the codes of what was refused."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.refused: dict[str, set[int]] = defaultdict(set)

    def __call__(self, method: str, params: Any) -> Any:
        answer = self._wire.ask(method, params)
        if "error" in answer:
            self.refused[method].add(answer["error"]["code"])
        return answer.get("result")


def ask_wrongly(ask: Asker) -> None:
    for method in ("getinfo", "help", "listinvoices", "notifications", "stop"):
        ask(method, {"nosuch": 1})
    for method in ("check", "createinvoice", "decode", "delinvoice", "disableinvoicerequest", "waitinvoice"):
        ask(method, {})
    for method in ("dev-inject", "listinvoicerequests", "listpays", "waitanyinvoice"):
        ask(method, ["-"])
    for method in ("check", "help"):
        ask(method, ["nosuch"])
    ask("invoicerequest", {})
    ask("createproof", {})
    ask("createproof", ["alice@example.com"])
    ask("paybyhand", {"failed": True})
    ask("paybyhand", ["00" * 32])


def ask_about_invoices(ask: Asker, program: Program) -> None:
    unpaid = {"label": "number 1", "status": "unpaid"}
    assert ask("createinvoice", creation(1))
    assert ask("createinvoice", creation(2, invoice_relative_expiry=10 * HOUR) | {"label": LASTING})
    ask("createinvoice", creation(1))
    ask("createinvoice", creation(1) | {"label": "another"})
    ask("createinvoice", creation(3, invoice_paths=None, invoice_blindedpay=None))  # no entropy for one is left
    with Node.open(Options(lightning_dir=program.directory, network="regtest")) as node:
        store_offer(node, Status(0))
    ask("createinvoice", creation(3))
    ask("delinvoice", unpaid | {"label": "nobody's"})
    ask("delinvoice", unpaid | {"status": "paid"})
    assert ask("delinvoice", unpaid | {"desconly": True})
    ask("delinvoice", unpaid | {"desconly": True})
    ask("waitinvoice", ["nobody's"])
    ask("waitanyinvoice", {"timeout": 0})
    ask("dev-inject", {"time": NOW + 2 * HOUR})
    ask("waitinvoice", ["number 1"])


def ask_about_requests(ask: Asker) -> None:
    ask("dev-inject", {"entropy": "01" * 16})
    known = {"invreq_id": ask("invoicerequest", [1, "x"])["invreq_id"]}
    ask("invoicerequest", [1, "x"])
    ask("disableinvoicerequest", {"invreq_id": NOBODY})
    assert ask("disableinvoicerequest", known)
    ask("disableinvoicerequest", known)


def ask_about_runes(ask: Asker) -> None:
    ask("createrune", ["-"])
    ask("showrunes", ["-"])
    ask("checkrune", {})
    ask("blacklistrune", {"end": 1})
    made = ask("createrune", {"restrictions": [["method=getinfo"]]})["rune"]
    ask("checkrune", [made])
    ask("checkrune", ["A" + made[1:] if made[0] != "A" else "B" + made[1:]])
    assert ask("blacklistrune", [0])
    ask("checkrune", [made])


def ask_about_peers(ask: Asker) -> None:
    ask("listpeers", ["-"])
    ask("disconnect", {})
    ask("connect", {})
    ask("connect", [PEER])
    ask("connect", [PEER, "127.0.0.1", 9])
    ask("connect", [PEER, "[]"])
    ask("ping", {})
    ask("ping", [PEER])


def ask_for_invoices(ask: Asker, issuers: Sequence[str]) -> None:
    """Ask issuers at these addresses: one that refuses, and one that never answers."""
    ask("fetchinvoice", {})
    ask("cancelrecurringinvoice", {})
    ask("dev-inject", {"entropy": ""})
    ask("fetchinvoice", [offer_of(REFUSING)])
    ask("xpay", [offer_of(REFUSING)])
    ask("dev-inject", {"entropy": "01" * 64})
    ask("fetchinvoice", [offer_of(REFUSING, offer_absolute_expiry=NOW - HOUR)])
    ask("fetchinvoice", [offer_of(REFUSING)])
    ask("xpay", [offer_of(REFUSING)])
    ask("cancelrecurringinvoice", [offer_of(REFUSING, offer_recurrence_compulsory=Recurrence(1, 1)), 1, "x"])
    ask("dev-inject", {"entropy": "03" * 144})
    ask("sendinvoice", [request_of(NOBODY_REACHED), "unsent"])
    for address in issuers:
        assert ask("connect", [address])
    ask("fetchinvoice", [offer_of(REFUSING)])
    ask("fetchinvoice", {"offer": offer_of(SILENT), "timeout": 0})


def send_invoices(ask: Asker) -> None:
    """Send invoices to the same nodes, as payers."""
    ask("sendinvoice", {})
    ask("sendinvoice", [request_of(REFUSING), "number 1"])
    ask("dev-inject", {"entropy": ""})
    ask("sendinvoice", [request_of(REFUSING), "sent"])
    ask("dev-inject", {"entropy": "".join(f"{number:02x}" * 64 for number in range(4, 10))})
    ask("sendinvoice", [request_of(REFUSING), "refused"])
    ask("sendinvoice", {"invreq": request_of(SILENT), "label": "late", "timeout": 0})


def pay(ask: Asker, program: Program) -> None:
    """Pay invoices of which some cannot be paid, and offers of the same nodes, by play money."""
    now = NOW + 2 * HOUR

    def invoice(number: int, request: InvoiceRequest | None = None, **changes: Any) -> Invoice:
        asked = samples.request_for(samples.offer()) if request is None else request
        return invoice_for(asked, number, **({"invoice_created_at": now} | changes))

    with Node.open(Options(lightning_dir=program.directory, network="regtest")) as node:
        store_payment(node, invoice(1), preimage(1), PaymentState.PAID)
        store_payment(node, invoice(2), preimage(2), PaymentState.PAYING)
    [disabled] = ask("listinvoicerequests", {})["invoicerequests"]
    to_silent = message_path(bytes(31) + b"\1", [SILENT], bytes(32))
    ask("xpay", {})
    ask("xpay", [invoice(1).encode()])
    ask("xpay", [invoice(2).encode()])
    ask("xpay", [invoice(3, invoice_created_at=NOW - HOUR).encode()])
    ask("xpay", [invoice(4).encode()])
    ask("xpay", {"invstring": invoice(5, invoice_paths=(to_silent,)).encode(), "retry_for": 0})
    ask("xpay", [invoice(6, InvoiceRequest.parse(disabled["bolt12"])).encode()])
    ask("dev-inject", {"entropy": "09" * 64})
    ask("xpay", [offer_of(REFUSING, offer_absolute_expiry=NOW - HOUR)])
    ask("xpay", [offer_of(REFUSING)])
    ask("xpay", {"invstring": offer_of(SILENT), "retry_for": 0})


def pay_through(node: Path, program: Program) -> set[int]:
    """Pay through a Core Lightning node that ends each payment with another code; return the codes of our xpay."""
    codes, ended = iter((203, 206, 209, 213, 215, 220)), list[int]()

    def fail(_: Any) -> NoReturn:
        raise RpcError(next(codes), "no")

    answers: dict[str, Any] = {"xpay": fail, "listpays": {"pays": []}, "listsendpays": {"payments": []}}
    answers["waitanyinvoice"] = RpcError(-1, "not now")  # this node answers one call at a time on each connection
    flags = ("--backend", f"cln:{node}", "--dev-time", str(NOW), "--log-file", "log")
    with answering(node, answers), program.served(*flags), ExitStack() as held:
        wires = [held.enter_context(Wire(program.socket)) for _ in range(6)]
        for number, wire in enumerate(wires):
            invoice = invoice_for(samples.request_for(samples.offer()), 100 + number, invoice_created_at=NOW)
            wire.send(request("xpay", [invoice.encode()]))
        ended = [json.loads(wire.answer())["error"]["code"] for wire in wires]
    return {*ended}


def request_of(payer: bytes) -> str:
    """Return a request without an offer of the node with this id."""
    return samples.unsigned(invreq_payer_id=payer).unsigned().encode()


def offer_of(issuer: bytes, **changes: Any) -> str:
    """Return an offer of the node with this id."""
    return Offer.build(
        offer_issuer_id=issuer,
        offer_amount=1_000,
        offer_description="one coffee",
        offer_chains=(CHAINS["regtest"],),
        **changes,
    ).encode()


def wait_until_it_stops(ask: Asker, program: Program, server: subprocess.Popen[str], mute: Address) -> None:
    with ExitStack() as held:
        info = ask("getinfo", {})
        [port] = [binding["port"] for binding in info["binding"] if "port" in binding]
        held.enter_context(connected(key(7), info["id"], port))  # it reads nothing, so it answers no ping
        recurring = offer_of(mute.node_id, offer_recurrence_compulsory=Recurrence(1, 1))
        waits: dict[str, Any] = {
            "waitanyinvoice": {},
            "waitinvoice": {"label": LASTING},
            "connect": [str(mute)],
            "ping": [PEER],
            "fetchinvoice": [offer_of(SILENT)],
            "cancelrecurringinvoice": [recurring, 1, "x"],
            "sendinvoice": [request_of(SILENT), "waiting"],
            "xpay": [offer_of(SILENT)],
        }
        wires = {method: held.enter_context(Wire(program.socket)) for method in waits}
        for method, wire in wires.items():
            wire.send(request(method, waits[method]))
            assert wire.is_silent(0.3)
        server.terminate()
        for method, wire in wires.items():
            ask.refused[method].add(json.loads(wire.answer())["error"]["code"])


def test_every_documented_error_can_be_had_and_no_other(
    seed_program: Program, another: Program, node: StartNode, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = Address(key(8).public_key, *silent.getsockname())
        flags = (
            "--dev-entropy",
            "",
            "--dev-time",
            str(NOW),
            "--addr",
            "127.0.0.1:0",
            "--peer",
            str(mute),
            "--backend",
            "play",
        )
        with seed_program.served(*flags) as server, Wire(seed_program.socket) as wire:
            ask = Asker(wire)
            ask_wrongly(ask)
            ask_about_invoices(ask, seed_program)
            ask_about_requests(ask)
            ask_about_runes(ask)
            ask_about_peers(ask)
            ask_for_invoices(ask, [node(1, "--answer", "refusal"), node(2, "--answer", "nothing")])
            pay(ask, seed_program)
            send_invoices(ask)
            wait_until_it_stops(ask, seed_program, server, mute)
    ask.refused["xpay"] |= pay_through(tmp_path / "node", another)
    documented = {path.stem: codes(path.stem) for path in (ROOT / "schemas").glob("*.json") if path.stem not in OFFERS}
    documented["invoicerequest"].add(-32602)  # its document speaks of it outside of the list
    assert ask.refused == documented
