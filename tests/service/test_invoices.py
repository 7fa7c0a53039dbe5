"""createinvoice, listinvoices and delinvoice, as a client sees them: JSON in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.runtime.server.dispatch import Answer
from clnrpc.types import CreateinvoiceRequest, DelinvoiceRequest, ListinvoicesRequest, WaitinvoiceRequest
from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.status import Status
from tests.bolt12 import samples
from tests.net.receiver import walk
from tests.service.invoicing import CREATED, KEYS, NOW, OFFER, creation, pay, preimage, store_offer, unsigned
from tests.service.program import SEED_SECRET, Program, Wire, write_secret
from tests.shared import ROOT

Ask = Callable[..., Any]

HOUR = 3600


@pytest.fixture
def ask(node: Node) -> Ask:
    """Makes a call, by name or by position; the result or the error."""
    node.inject(None, NOW)
    through = dispatcher(OffersService(node), developer=False)

    def call(method: str, *positional: Any, **named: Any) -> Any:
        message = {"jsonrpc": "2.0", "id": 0, "method": method, "params": list(positional) or named}
        found = through.answer(json.dumps(message).encode())
        assert isinstance(found, Answer)
        told = json.loads(found.data)
        return told.get("result", told.get("error"))

    return call


def labels(ask: Ask, **filters: Any) -> list[str]:
    return [shown["label"] for shown in ask("listinvoices", **filters)["invoices"]]


def assert_fits(method: str, shown: dict[str, Any]) -> None:
    """The members are those of the document, in its order, and none that is required is missing."""
    response = json.loads((ROOT / "schemas" / f"{method}.json").read_bytes())["response"]
    if method == "listinvoices":
        response = response["properties"]["invoices"]["items"]
    assert list(shown) == [name for name in response["properties"] if name in shown]
    assert set(response["required"]) <= set(shown)
    assert shown["status"] in response["properties"]["status"]["enum"]


# ---- createinvoice


def test_an_invoice_is_signed_by_the_node_and_otherwise_as_it_was_given(ask: Ask) -> None:
    made = ask("createinvoice", **creation(1))
    signed = Invoice.parse(made["bolt12"])
    signed.verify()
    given = unsigned(preimage(1))
    assert [record for record in signed.records if record.type != 240] == list(Invoice.parse(given).records)
    assert made | {"bolt12": "…"} == {
        "label": "number 1",
        "bolt12": "…",
        "payment_hash": sha256(preimage(1)).hexdigest(),
        "amount_msat": 1_000,
        "status": "unpaid",
        "description": "one coffee",
        "expires_at": NOW + 7200,
        "created_index": 1,
    }
    assert_fits("createinvoice", made)


def test_its_time_counts_from_the_call(ask: Ask) -> None:
    assert ask("createinvoice", **creation(1, invoice_relative_expiry=HOUR))["expires_at"] == NOW + HOUR


def test_the_string_may_be_written_as_people_do(ask: Ask) -> None:
    given = creation(1)
    made = ask("createinvoice", **given | {"invstring": "LIGHTNING:" + given["invstring"].upper()})
    assert made["status"] == "unpaid"


def test_an_invoice_without_a_path_gets_one_to_the_node_itself(node: Node, ask: Ask) -> None:
    node.inject(bytes(range(1, 33)), None)
    made = ask("createinvoice", **creation(1, invoice_paths=None, invoice_blindedpay=[samples.PAYINFO]))
    signed = Invoice.parse(made["bolt12"])
    signed.verify()
    assert signed.invoice_paths is not None
    [path] = signed.invoice_paths
    assert path.first_node_id == node.keys.node_id
    path_id = sha256(KEYS.named_secret("bolt12-invoice-base") + sha256(preimage(1)).digest()).digest()
    [told] = walk(path, [KEYS.node_signer._key_pair])
    assert told == b"\x06\x20" + path_id
    assert signed.invoice_blindedpay is not None
    [costs] = signed.invoice_blindedpay
    assert (costs.fee_base_msat, costs.fee_proportional_millionths, costs.features) == (0, 0, b"")
    assert (costs.cltv_expiry_delta, costs.htlc_minimum_msat, costs.htlc_maximum_msat) == (10, 0, 21 * 10**17)


def test_the_last_hop_has_more_blocks_on_bitcoin(tmp_path: Path) -> None:
    write_secret(tmp_path / "bitcoin" / "hsm_secret", SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path)) as node:
        given = creation(1, invreq_chain=None, invoice_paths=None, invoice_blindedpay=None)
        made = OffersService(node).createinvoice(CreateinvoiceRequest(**given))
    assert made.bolt12 is not None
    [costs] = Invoice.parse(made.bolt12).invoice_blindedpay or ()
    assert costs.cltv_expiry_delta == 18


@pytest.mark.parametrize(
    ("entropy", "why"),
    [
        (bytes(31), "Injected entropy has run out: 32 bytes needed, 31 left"),
        (bytes(32), "not a valid private key"),
    ],
)
def test_without_a_path_key_nothing_is_stored(node: Node, ask: Ask, entropy: bytes, why: str) -> None:
    node.inject(entropy, None)
    refused = ask("createinvoice", **creation(1, invoice_paths=None, invoice_blindedpay=None))
    assert refused == {"code": -1, "message": f"No blinded path could be made: {why}"}
    assert labels(ask) == []


def test_a_call_that_is_refused_draws_nothing(node: Node, ask: Ask) -> None:
    ask("createinvoice", **creation(1))
    node.inject(bytes(32), None)
    assert ask("createinvoice", **creation(1, invoice_paths=None, invoice_blindedpay=None))["code"] == 900
    assert node.entropy.draw(32) == bytes(32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signature": bytes(64)}, "invoice already signed"),
        ({"invoice_amount": None}, "Missing invoice_amount in invoice"),
        ({"invoice_payment_hash": None}, "Missing payment_hash in invoice"),
        ({"invoice_payment_hash": bytes(32)}, "Incorrect preimage"),
    ],
)
def test_refuses_what_cannot_be_paid(ask: Ask, changes: dict[str, Any], message: str) -> None:
    assert ask("createinvoice", **creation(1, **changes)) == {"code": -32602, "message": message}
    assert labels(ask) == []


@pytest.mark.parametrize(
    ("string", "why"),
    [
        ("hello", "invalid bech32 string"),
        ("LNI1QQ", "invalid invoice data"),
        (OFFER.encode(), "unexpected prefix lno"),
        (unsigned(invreq_chain=CHAINS["signet"]), "wrong chain"),
        (unsigned(invoice_features=b"\1"), "unknown feature bit 0"),
    ],
)
def test_refuses_what_cannot_be_read(ask: Ask, string: str, why: str) -> None:
    message = f"Unparsable invoice '{string.lower()}': {why}"
    assert ask("createinvoice", string, "x", "00" * 32) == {"code": -32602, "message": message}


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        (["x", None, None], "missing required parameter: label"),
        (["x", True, "00" * 32], "label: should be a string or number: invalid token (see logs for details)"),
        (["x", -1, "00" * 32], "label: should be a string or number: invalid token (see logs for details)"),
        (["x", 1.5, "00" * 32], "label: should be a string or number: invalid token (see logs for details)"),
        (["x", "y", "00" * 31], "preimage: should be 64 hex digits: invalid token (see logs for details)"),
        (["x", "y", "zz" * 32], "preimage: should be 64 hex digits: invalid token (see logs for details)"),
    ],
)
def test_refuses_parameters_in_the_node_s_words(ask: Ask, parameters: list[Any], why: str) -> None:
    assert ask("createinvoice", *parameters) == {"code": -32602, "message": why}


def test_a_label_is_given_once_and_the_error_shows_by_whom(ask: Ask) -> None:
    made = ask("createinvoice", **creation(1))
    again = ask("createinvoice", **creation(2) | {"label": "number 1"})
    assert again == {"code": 900, "message": "Duplicate label", "data": made}


def test_an_invoice_of_the_node_s_own_offer_belongs_to_it(node: Node, ask: Ask) -> None:
    offer_id = store_offer(node)
    made = ask("createinvoice", **creation(1))
    assert (made["local_offer_id"], made["invreq_payer_note"]) == (offer_id.hex(), "no sugar")
    assert_fits("createinvoice", made)


@pytest.mark.parametrize("status", [Status(0), Status(2), Status(4), Status(6)])
def test_an_offer_that_is_not_active_gets_no_invoice(node: Node, ask: Ask, status: Status) -> None:
    store_offer(node, status)
    assert ask("createinvoice", **creation(1)) == {"code": 907, "message": "offer not active"}
    assert labels(ask) == []


def test_an_invoice_for_a_request_without_an_offer_belongs_to_none(ask: Ask) -> None:
    request = InvoiceRequest.without_offer(
        invreq_metadata=bytes(16),
        invreq_payer_id=samples.SIGNER.public_key,
        invreq_amount=5,
        offer_description="refund",
        invreq_chain=samples.REGTEST,
    ).sign(samples.SIGNER)
    string = samples.unsigned_invoice(
        request, invoice_node_id=KEYS.node_id, invoice_payment_hash=sha256(bytes(32)).digest()
    ).encode()
    made = ask("createinvoice", string, "refund", "00" * 32)
    assert (made["description"], made["amount_msat"]) == ("refund", 5)
    assert "local_offer_id" not in made


# ---- labels


def test_a_number_is_a_label_as_it_is_written(ask: Ask) -> None:
    assert ask("createinvoice", **creation(1) | {"label": 17})["label"] == "17"
    assert labels(ask, label="17") == labels(ask, label=17) == ["17"]


def test_labels_are_told_apart_and_shown_as_they_are_written(node: Node) -> None:
    node.inject(None, NOW)
    through = dispatcher(OffersService(node), developer=False)

    def call(method: str, params: str) -> str:
        found = through.answer(f'{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{params}}}'.encode())
        assert isinstance(found, Answer)
        return found.data.decode()

    spellings = [r"caf\u00e9", "café", r"caf\u00E9", r"\"\\\/\n", "\U0001f389", r"\ud83c\udf89", r"\ud83c"]
    for number, spelling in enumerate(spellings, 1):
        given = creation(number)
        made = call("createinvoice", f'["{given["invstring"]}","{spelling}","{given["preimage"]}"]')
        assert f'"result":{{"label":"{spelling}",' in made
    for spelling in spellings:
        listed = call("listinvoices", f'["{spelling}"]')
        assert listed.count('"label"') == listed.count(f'"label":"{spelling}"') == 1


def test_a_label_of_python_is_written_as_it_would_be_sent(node: Node) -> None:
    service = OffersService(node)
    given = creation(1) | {"label": 'a "b"\n'}
    assert service.createinvoice(CreateinvoiceRequest(**given)).label == 'a "b"\n'
    assert len(service.listinvoices(ListinvoicesRequest(label='a "b"\n')).invoices) == 1


# ---- listinvoices


@pytest.fixture
def three(node: Node, ask: Ask) -> list[dict[str, Any]]:
    """Three invoices; the second is paid, the third has no description any more."""
    made = [ask("createinvoice", **creation(number)) for number in (1, 2, 3)]
    pay(node, 2)
    ask("delinvoice", "number 3", "unpaid", True)
    return made


@pytest.mark.usefixtures("three")
def test_lists_each_as_it_is_now(ask: Ask) -> None:
    one, two, three = ask("listinvoices")["invoices"]
    for shown in (one, two, three):
        assert_fits("listinvoices", shown)
    assert (one["status"], "updated_index" in one) == ("unpaid", False)
    assert [two[name] for name in ("status", "pay_index", "amount_received_msat", "paid_at")] == ["paid", 1, 1000, NOW]
    assert (two["payment_preimage"], two["updated_index"]) == (preimage(2).hex(), 1)
    assert ("description" in three, three["updated_index"]) == (False, 2)
    assert "payment_preimage" not in {*one, *three}


def test_lists_one_by_label_string_or_hash(ask: Ask, three: list[dict[str, Any]]) -> None:
    assert labels(ask, label="number 2") == ["number 2"]
    assert labels(ask, invstring="lightning:" + three[1]["bolt12"]) == ["number 2"]
    assert labels(ask, payment_hash=three[1]["payment_hash"]) == ["number 2"]
    assert labels(ask, label="number") == labels(ask, payment_hash="00" * 32) == []


@pytest.mark.usefixtures("three")
def test_lists_in_the_order_of_creation_or_change_in_parts(ask: Ask) -> None:
    assert labels(ask) == labels(ask, index="created") == labels(ask, index="deleted")
    assert labels(ask, index="created", start=2) == ["number 2", "number 3"]
    assert labels(ask, index="created", start=2, limit=1) == ["number 2"]
    assert labels(ask, index="created", limit=0) == labels(ask, index="created", start=2**64 - 1) == []
    assert labels(ask, index="updated") == ["number 1", "number 2", "number 3"]
    assert labels(ask, index="updated", start=2) == ["number 3"]
    assert labels(ask, index="updated", start=1, limit=2**32 - 1) == ["number 2", "number 3"]


def test_lists_the_invoices_of_an_offer(node: Node, ask: Ask) -> None:
    ask("createinvoice", **creation(1))
    offer_id = store_offer(node).hex()
    ask("createinvoice", **creation(2))
    ask("createinvoice", **creation(3))
    assert labels(ask, offer_id=offer_id) == ["number 2", "number 3"]
    assert labels(ask, offer_id=offer_id, index="created", limit=2) == ["number 2"], "the limit is before the offer"
    assert labels(ask, offer_id="00" * 32) == []


SEVERAL = "Can only specify one of {label}, {invstring}, {payment_hash} or {offer_id}"


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"label": "x", "offer_id": "00" * 32}, SEVERAL),
        ({"label": 1, "invstring": "x"}, SEVERAL),
        ({"start": 1}, "Can only specify {start} with {index}"),
        ({"limit": 0}, "Can only specify {limit} with {index}"),
        ({"index": "paid"}, "index: unknown index: invalid token (see logs for details)"),
        ({"invstring": "x"}, "Invalid invstring"),
        ({"invstring": "lnbc1qqqqq"}, "Invalid invstring"),
        ({"invstring": unsigned()}, "Invalid invstring"),
        ({"invstring": OFFER.encode()}, "Invalid invstring"),
        ({"payment_hash": "00"}, "payment_hash: should be a 32 byte hex value: invalid token (see logs for details)"),
    ],
)
def test_refuses_filters_that_cannot_be(ask: Ask, filters: dict[str, Any], message: str) -> None:
    assert ask("listinvoices", **filters) == {"code": -32602, "message": message}


def test_a_start_of_zero_needs_no_index(ask: Ask) -> None:
    assert labels(ask, start=0) == []


# ---- expiry


def test_an_invoice_expires_when_its_time_is_over_and_not_before(node: Node, ask: Ask) -> None:
    ask("createinvoice", **creation(1))
    node.inject(None, NOW + 7199)
    assert ask("listinvoices")["invoices"][0]["status"] == "unpaid"
    node.inject(None, NOW + 7200)
    [expired] = ask("listinvoices")["invoices"]
    assert (expired["status"], expired["updated_index"]) == ("expired", 1)
    assert_fits("listinvoices", expired)


def test_the_latest_time_that_can_be_injected_leaves_room_for_every_expiry(ask: Ask) -> None:
    assert ask("dev-inject", time=2**62 - 1) == {}
    made = ask("createinvoice", **creation(1, invoice_relative_expiry=2**32 - 1))
    assert made["expires_at"] == 2**62 - 1 + 2**32 - 1
    assert ask("listinvoices")["invoices"] == [made]
    assert ask("dev-inject", time=2**62)["message"].startswith("time: should be an unsigned 62 bit integer")


def test_what_was_told_as_expired_stays_it_when_the_clock_is_set_back(node: Node, ask: Ask) -> None:
    ask("createinvoice", **creation(1))
    for method, code in (("createinvoice", 900), ("delinvoice", 906)):
        node.inject(None, NOW + 7200)
        given = creation(1) if method == "createinvoice" else {"label": "number 1", "status": "paid"}
        refused = ask(method, **given)
        assert refused["code"] == code
        assert "expired" in json.dumps(refused["data"])
        node.inject(None, CREATED)
        assert ask("listinvoices")["invoices"][0]["status"] == "expired"
    assert pay(node, 1, at=CREATED) is None


# ---- delinvoice


@pytest.mark.usefixtures("three")
def test_deletes_an_invoice_and_shows_what_it_was(ask: Ask) -> None:
    [before] = ask("listinvoices", label="number 2")["invoices"]
    deleted = ask("delinvoice", "number 2", "paid")
    assert deleted == before
    assert_fits("delinvoice", deleted)
    assert labels(ask) == ["number 1", "number 3"]


def test_a_deleted_invoice_s_numbers_are_not_used_again(node: Node, ask: Ask) -> None:
    for _ in range(3):
        ask("createinvoice", **creation(1))
        pay(node, 1)
        last = ask("delinvoice", "number 1", "paid")
    assert (last["created_index"], last["pay_index"], last["updated_index"]) == (3, 3, 3)


def test_deletes_a_description_alone(ask: Ask) -> None:
    made = ask("createinvoice", **creation(1))
    without = ask("delinvoice", label="number 1", status="unpaid", desconly=True)
    assert without == {name: value for name, value in made.items() if name != "description"}
    assert ask("listinvoices")["invoices"] == [without | {"updated_index": 1}]
    again = ask("delinvoice", label="number 1", status="unpaid", desconly=True)
    assert again == {"code": 908, "message": "Invoice description already removed"}


def test_deletes_nothing_that_is_unknown_or_in_another_state(ask: Ask) -> None:
    ask("createinvoice", **creation(1))
    assert ask("delinvoice", "x", "paid") == {"code": 905, "message": "Unknown invoice"}
    for status in ("paid", "strange"):
        told = {"current_status": "unpaid", "expected_status": status}
        message = f"Invoice status is unpaid not {status}"
        assert ask("delinvoice", "number 1", status) == {"code": 906, "message": message, "data": told}
    assert ask("delinvoice", "number 1") == {"code": -32602, "message": "missing required parameter: status"}
    assert labels(ask) == ["number 1"]


# ---- what a call would be told


def test_checks_find_what_the_calls_would_and_change_nothing(node: Node, ask: Ask) -> None:
    made, service = ask("createinvoice", **creation(1)), OffersService(node)
    bad: list[tuple[Callable[[Any], None], object, int]] = [
        (service.rpc_check_createinvoice, CreateinvoiceRequest(**creation(2, invoice_amount=None)), -32602),
        (service.rpc_check_listinvoices, ListinvoicesRequest(limit=1), -32602),
        (service.rpc_check_listinvoices, ListinvoicesRequest(invstring="x"), -32602),
        (service.rpc_check_delinvoice, DelinvoiceRequest(label="x", status="unpaid"), 905),
        (service.rpc_check_delinvoice, DelinvoiceRequest(label="number 1", status="paid"), 906),
        (service.rpc_check_waitinvoice, WaitinvoiceRequest(label="x"), -1),
    ]
    for check, request, code in bad:
        with pytest.raises(RpcError) as caught:
            check(request)
        assert caught.value.code == code
    service.rpc_check_createinvoice(CreateinvoiceRequest(**creation(1)))  # a label that is taken is found too late
    service.rpc_check_listinvoices(ListinvoicesRequest(label="x"))
    service.rpc_check_delinvoice(DelinvoiceRequest(label="number 1", status="unpaid", desconly=True))
    service.rpc_check_waitinvoice(WaitinvoiceRequest(label="number 1"))
    assert ask("listinvoices")["invoices"] == [made]


# ---- through the socket


def test_invoices_through_the_socket(seed_program: Program) -> None:
    with seed_program.served("--dev-entropy", "", "--dev-time", str(NOW)), Wire(seed_program.socket) as wire:
        made = wire.ask("createinvoice", creation(1))["result"]
        assert wire.ask("listinvoices")["result"] == {"invoices": [made]}
        assert wire.ask("delinvoice", ["number 1", "unpaid"])["result"] == made
        assert wire.ask("listinvoices")["result"] == {"invoices": []}
