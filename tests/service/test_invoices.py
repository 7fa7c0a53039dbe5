"""listinvoices and delinvoice, as a client calls them: JSON in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.types import CreateinvoiceRequest, DelinvoiceRequest, ListinvoicesRequest, WaitinvoiceRequest
from lnoffers.service import Node, OffersService
from tests.service.invoicing import (
    CREATED,
    NOW,
    OFFER,
    Ask,
    assert_fits,
    creation,
    labels,
    pay,
    preimage,
    store_offer,
    unsigned,
)
from tests.service.program import Program, Wire

# ---- listinvoices


@pytest.fixture
def three(node: Node, ask: Ask) -> list[dict[str, Any]]:
    """Return three invoices; the second is paid, the third has lost its description."""
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
