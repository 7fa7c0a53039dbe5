"""The commands by themselves, called in this process with typed requests."""

from __future__ import annotations

import dataclasses
import json
from importlib.metadata import version
from pathlib import Path

import pytest

from clnrpc import RELEASE, RpcError
from clnrpc.runtime.client.version import is_compatible
from clnrpc.runtime.values.encode import to_wire
from clnrpc.types import (
    DecodeRequest,
    DevInjectRequest,
    DisableinvoicerequestRequest,
    GetinfoRequest,
    HelpRequest,
    InvoicerequestRequest,
    InvoicerequestResponse,
    ListinvoicerequestsRequest,
    StopRequest,
)
from lnoffers.bolt12 import CHAINS, Bolt12, InvoiceRequest, describe
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.commands import Served
from lnoffers.service.serving.wire import Wire
from lnoffers.service.string_kinds import decode
from tests.bolt12.samples import invoice, offer, proof, request_for
from tests.service.program import SEED_SECRET, write_secret
from tests.shared import ROOT


@pytest.fixture
def service(node: Node) -> OffersService:
    return OffersService(node)


def make(node: Node, description: str = "coffee", **given: object) -> InvoicerequestResponse:
    node.inject(description.encode().ljust(16, b"."), None)
    return OffersService(node).invoicerequest(
        InvoicerequestRequest(amount=1000, description=description, **given)  # type: ignore[arg-type]
    )


def refusal(call: object, request: object) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        call(request)  # type: ignore[operator]
    return caught.value.code, caught.value.message


def test_a_request_says_what_was_asked_for_and_is_signed_by_the_node(node: Node) -> None:
    made = make(node, issuer="shop", absolute_expiry=4102444800)
    request = InvoiceRequest.parse(made.bolt12)
    request.verify()
    assert request.invreq_id.hex() == made.invreq_id
    assert request.invreq_payer_id == node.keys.node_id
    assert (request.invreq_amount, request.invreq_chain) == (1000, CHAINS["regtest"])
    assert (request.offer_description, request.offer_issuer) == ("coffee", "shop")
    assert request.offer_absolute_expiry == 4102444800
    assert request.invreq_metadata == b"coffee.........."


def test_a_request_for_bitcoin_names_no_chain(tmp_path: Path) -> None:
    with Node.open(Options(lightning_dir=tmp_path), make=True) as node:
        made = OffersService(node).invoicerequest(InvoicerequestRequest(amount=1, description=""))
    assert InvoiceRequest.parse(made.bolt12).invreq_chain is None


@pytest.mark.parametrize("amount", [0, -1])
def test_refuses_an_amount_that_is_not_positive(node: Node, service: OffersService, amount: int) -> None:
    node.inject(bytes(16), None)
    request = InvoicerequestRequest(amount=amount, description="x")
    assert refusal(service.invoicerequest, request) == (-32602, "amount: must be positive")


def test_refuses_text_that_bolt12_cannot_carry(node: Node, service: OffersService) -> None:
    node.inject(bytes(16), None)
    code, message = refusal(service.invoicerequest, InvoicerequestRequest(amount=1, description="a\0b"))
    assert code == -32602
    assert message == "description: text holds the character U+0000"
    assert node.entropy.draw(16) == bytes(16), "a refused call draws nothing"


def test_refuses_a_request_that_exists_already(node: Node, service: OffersService) -> None:
    make(node, label="first")
    node.inject(b"coffee..........", None)
    request = InvoicerequestRequest(amount=1000, description="coffee", label="second")
    assert refusal(service.invoicerequest, request) == (-1, "Could not create invoice_request!")
    [kept] = service.listinvoicerequests(ListinvoicerequestsRequest()).invoicerequests
    assert kept.label == "first"


def test_stores_nothing_when_injected_entropy_runs_out(node: Node, service: OffersService) -> None:
    node.inject(bytes(15), None)
    code, message = refusal(service.invoicerequest, InvoicerequestRequest(amount=1, description="x"))
    assert (code, message) == (-1, "Injected entropy has run out: 16 bytes needed, 15 left")
    assert service.listinvoicerequests(ListinvoicerequestsRequest()).invoicerequests == []


def test_a_request_has_no_paths(node: Node) -> None:
    assert InvoiceRequest.parse(make(node).bolt12).invreq_paths is None


def test_lists_what_was_made_by_ascending_id(node: Node, service: OffersService) -> None:
    made = [make(node, f"number {n}") for n in range(8)]
    listed = service.listinvoicerequests(ListinvoicerequestsRequest()).invoicerequests
    shown = [dataclasses.asdict(item) for item in sorted(made, key=lambda item: item.invreq_id)]
    added = {"payee": None, "payments": None}
    assert [dataclasses.asdict(item) for item in listed] == [each | added for each in shown]


def test_a_disabled_request_is_listed_but_not_among_the_active(node: Node, service: OffersService) -> None:
    kept, gone = make(node, "kept"), make(node, "gone", single_use=False)
    disabled = service.disableinvoicerequest(DisableinvoicerequestRequest(invreq_id=gone.invreq_id))
    assert (disabled.active, disabled.single_use, disabled.used) == (False, False, False)
    active = service.listinvoicerequests(ListinvoicerequestsRequest(active_only=True)).invoicerequests
    assert [item.invreq_id for item in active] == [kept.invreq_id]
    by_id = ListinvoicerequestsRequest(invreq_id=gone.invreq_id)
    assert [item.active for item in service.listinvoicerequests(by_id).invoicerequests] == [False]


def test_refuses_to_disable_what_is_unknown_or_disabled(node: Node, service: OffersService) -> None:
    unknown = DisableinvoicerequestRequest(invreq_id="00" * 32)
    assert refusal(service.disableinvoicerequest, unknown) == (-1, "Unknown invoice_request")
    known = DisableinvoicerequestRequest(invreq_id=make(node).invreq_id)
    service.disableinvoicerequest(known)
    assert refusal(service.disableinvoicerequest, known) == (1001, "invoice_request is not active")


def test_decode_answers_all_that_the_core_tells_in_its_order(node: Node, service: OffersService) -> None:
    text = make(node, issuer="shop", absolute_expiry=1).bolt12
    answered = to_wire(service.decode(DecodeRequest(string=f"lightning:{text}")))
    assert list(answered.items()) == list(decode(text, now=0).items())
    assert answered["valid"] is True


def test_decode_shows_a_request_with_a_wrong_signature_as_invalid(node: Node, service: OffersService) -> None:
    text = make(node).bolt12
    wrong = InvoiceRequest.parse(text[:-4] + ("qqqq" if not text.endswith("qqqq") else "yqqq"))
    shown = json.loads(service.decode(DecodeRequest(string=wrong.encode())))
    assert (shown["valid"], shown["warning_invalid_invoice_request_signature"]) == (False, "Bad signature")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Unparsable string"),
        ("hello", "Unparsable string"),
        ("lnr1qq", "invalid invreq data"),
        ("LNR1QQ", "invalid invreq data"),
        ("Lnr1qq", "Unparsable string"),
        ("lno1qq", "invalid offer data"),
        ("LNI1QQ", "invalid invoice data"),
        ("l+nr1qq", "Unparsable string"),
    ],
)
def test_decode_says_why_a_string_cannot_be_read(service: OffersService, text: str, reason: str) -> None:
    expected = f"string: {reason}: invalid token (see logs for details)"
    assert refusal(service.decode, DecodeRequest(string=text)) == (-32602, expected)


@pytest.mark.parametrize("message", [offer(), request_for(offer()), invoice(), proof()], ids=lambda each: each.kind)
def test_decode_answers_every_kind(service: OffersService, message: Bolt12) -> None:
    answered = to_wire(service.decode(DecodeRequest(string=message.encode())))
    assert list(answered.items()) == list(describe(message).items())
    assert (answered["type"], answered["valid"]) == (f"bolt12 {message.kind}", True)


def test_getinfo_tells_who_where_and_otherwise_nothing(node: Node, service: OffersService) -> None:
    told = to_wire(service.getinfo(GetinfoRequest()))
    assert told["id"] == node.keys.node_id.hex()
    assert told["color"] == told["id"][:6]
    assert (told["network"], told["lightning-dir"]) == ("regtest", str(node.options.network_dir))
    assert told["address"] == told["binding"] == []
    assert {value for name, value in told.items() if name.startswith(("num_", "fees_", "blockheight"))} == {0}


def test_getinfo_names_the_release_that_clients_look_for_and_its_own(service: OffersService) -> None:
    told = service.getinfo(GetinfoRequest()).version
    assert told == f"{RELEASE}-lnoffers-{version('clnrpc')}"
    assert RELEASE == "v26.09"
    assert is_compatible(RELEASE, told)


def test_getinfo_of_a_directory_whose_name_is_not_utf8(tmp_path: Path) -> None:
    options = Options(lightning_dir=tmp_path / "\udcff", network="regtest")
    write_secret(options.secret_file, SEED_SECRET)
    with Node.open(options) as node:
        told = OffersService(node).getinfo(GetinfoRequest())
    assert told.lightning_dir == f"{tmp_path}/\ufffd/regtest"


def test_getinfo_of_a_served_node_tells_its_socket(node: Node) -> None:
    wire = Wire(node)
    served = OffersService(node, Served(node.options.socket, lambda: None, wire.peers, wire.payer))
    [binding] = to_wire(served.getinfo(GetinfoRequest()))["binding"]
    assert binding == {"type": "local socket", "socket": str(node.options.socket)}


def test_help_lists_every_command_with_its_parameters(service: OffersService) -> None:
    told = to_wire(service.help(HelpRequest()))
    usages = [item["command"] for item in told["help"]]
    assert [usage.split(" ")[0] for usage in usages] == sorted(service.rpc_commands)
    assert "listinvoicerequests [invreq_id] [active_only]" in usages
    assert told["format-hint"] == "simple"


def test_help_of_one_command_and_of_none(service: OffersService) -> None:
    [item] = service.help(HelpRequest(command="disableinvoicerequest")).help
    assert item.command == "disableinvoicerequest invreq_id"
    assert refusal(service.help, HelpRequest(command="nope")) == (-32601, "Unknown command nope")


def test_dev_inject_replaces_entropy_and_clock_each_on_its_own(node: Node, service: OffersService) -> None:
    service.dev_inject(DevInjectRequest(entropy="0102", time=7))
    service.dev_inject(DevInjectRequest(time=8))
    assert (node.entropy.draw(2), node.clock.now()) == (b"\1\2", 8)
    service.dev_inject(DevInjectRequest(entropy="03"))
    assert (node.entropy.draw(1), node.clock.now()) == (b"\3", 8)


def test_dev_inject_exists_only_where_something_is_injected(tmp_path: Path) -> None:
    with Node.open(Options(lightning_dir=tmp_path, network="regtest"), make=True) as node:
        service = OffersService(node)
        assert refusal(service.dev_inject, DevInjectRequest()) == (-32601, "Unknown command 'dev-inject'")
        assert "dev-inject" not in [item.command.split(" ")[0] for item in service.help(HelpRequest()).help]


def test_stop_without_a_server_says_so(service: OffersService) -> None:
    code, message = refusal(service.stop, StopRequest())
    assert (code, message) == (-1, "No server is running, so there is nothing to stop")


def test_the_commands_of_our_documents_exist_and_no_others(service: OffersService) -> None:
    documents = (json.loads(file.read_bytes()) for file in (ROOT / "schemas").glob("*.json"))
    assert set(service.rpc_commands) == {document["rpc"] for document in documents}
