"""Requests that arrive over the network for a server's offers: invoices, errors, and what is stored when."""

from __future__ import annotations

import json

import pytest

from clnrpc import RpcError
from lnoffers import FetchError
from lnoffers.bolt12 import Invoice, InvoiceError, Offer
from lnoffers.fetching import Reason
from lnoffers.net.onion_messages import Payload, wrap
from tests.bolt12.samples import NOW
from tests.peers.conftest import Start
from tests.peers.issuing import answer, fetch, nothing_came, offer, path_to, request, send
from tests.peers.stranger import connected, key
from tests.service.program import run, until
from tests.service.requesting import pay_in

STORE = "lnoffers.sqlite3"


def test_a_payer_gets_an_invoice_which_is_listed(start: Start) -> None:
    served = start()
    made = offer(served, quantity_max=5)
    invoice = fetch(made, served, quantity=3, payer_note="with milk")
    assert invoice.invoice_amount == 3_000
    [listed] = served.client.listinvoices().invoices
    assert (listed.bolt12, listed.status, listed.invreq_payer_note) == (invoice.encode(), "unpaid", "with milk")
    assert listed.local_offer_id == made.offer_id.hex()


def test_the_command_fetches_from_a_server(start: Start) -> None:
    served = start()
    fetched = run("fetch", offer(served, "any").encode(), "2sat", "--connect", served.address)
    assert fetched.code == 0, fetched.err
    assert json.loads(fetched.out)["amount_msat"] == 2_000


def test_a_payer_reads_why_it_is_refused(start: Start) -> None:
    served = start()
    made = offer(served)
    served.client.disableoffer(made.offer_id.hex())
    with pytest.raises(FetchError) as caught:
        fetch(made, served)
    assert (caught.value.reason, caught.value.detail) == (
        Reason.REFUSED,
        "Failed invreq …: Offer no longer available",
    )
    assert served.client.listinvoices().invoices == []


def test_an_offer_with_a_blinded_path_is_answered_through_the_node_that_forwards(start: Start) -> None:
    middle = start()
    served = start("--peer", middle.address)
    until(lambda: middle.client.listpeers().peers)
    hidden = offer(served, fronting_nodes=[middle.id])
    assert [len(path.hops) for path in hidden.offer_paths or ()] == [2]
    assert fetch(hidden, middle).invoice_node_id == bytes.fromhex(served.id)
    with pytest.raises(FetchError, match="Unknown offer"):
        fetch(Offer._build(hidden.records[:-1], offer_issuer_id=hidden.offer_issuer_id, offer_issuer="x"), middle)


def test_the_node_that_brought_a_request_forwards_the_answer(start: Start) -> None:
    middle = start()
    served = start("--peer", middle.address)
    until(lambda: middle.client.listpeers().peers)
    hidden = offer(served, fronting_nodes=[middle.id])
    with connected(key(1), middle.id, middle.port) as payer:
        until(lambda: len(middle.client.listpeers().peers) == 2)
        send(payer, hidden, request(hidden, key(1)), path_to(key(1).public_key))
        assert isinstance(answer(payer, key(1)), Invoice)


def test_two_requests_of_a_payer_get_one_invoice(start: Start) -> None:
    served = start()
    made = offer(served)
    with connected(key(1), served.id, served.port) as payer:
        found = []
        for _ in range(2):
            send(payer, made, request(made, key(1)), path_to(bytes.fromhex(served.id), key(1).public_key))
            found.append(answer(payer, key(1)))
    assert found[0] == found[1]
    assert len(served.client.listinvoices().invoices) == 1


def test_a_server_that_dies_before_it_answers_gives_the_same_invoice_afterwards(start: Start) -> None:
    served = start()
    made = offer(served)
    asked = request(made, key(1))
    with connected(key(1), served.id, served.port) as payer:
        send(payer, made, asked, path_to(bytes.fromhex(served.id), key(9).public_key))  # who is not connected
        until(lambda: served.client.listinvoices().invoices)
        served.process.kill()
        served.process.wait()
    again = start(program=served.program)
    [stored] = again.client.listinvoices().invoices
    with connected(key(1), again.id, again.port) as payer:
        send(payer, made, asked, path_to(bytes.fromhex(again.id), key(1).public_key))
        invoice = answer(payer, key(1))
    assert isinstance(invoice, Invoice)
    assert invoice.encode() == stored.bolt12
    assert len(again.client.listinvoices().invoices) == 1


def test_what_cannot_be_stored_is_not_sent(start: Start) -> None:
    served = start()
    made = offer(served)
    store, elsewhere = served.program.network_dir / STORE, served.program.network_dir / "elsewhere"
    with connected(key(1), served.id, served.port) as payer:
        here = bytes.fromhex(served.id)
        store.rename(elsewhere)
        send(payer, made, request(made, key(1)), path_to(here, key(1).public_key))
        until(lambda: "is not answered: The store failed" in served.log())
        assert nothing_came(payer)
        elsewhere.rename(store)
        send(payer, made, request(made, key(1)), path_to(here, key(1).public_key))
        assert isinstance(answer(payer, key(1)), Invoice)
    assert len(served.client.listinvoices().invoices) == 1


def test_a_request_that_ends_a_recurrence_gets_no_answer_and_needs_no_reply_path(start: Start) -> None:
    served = start("--dev-time", str(NOW))
    daily = offer(served, recurrence="1day")
    here = bytes.fromhex(served.id)
    with connected(key(1), served.id, served.port) as payer:

        def ask(counter: int) -> Invoice | InvoiceError:
            asked = request(daily, key(1), invreq_recurrence_counter=counter)
            send(payer, daily, asked, path_to(here, key(1).public_key))
            return answer(payer, key(1))

        first = ask(0)
        assert isinstance(first, Invoice)
        pay_in(served.program, first)
        cancel = request(daily, key(1), invreq_recurrence_counter=1, invreq_recurrence_cancel=True)
        send(payer, daily, cancel, None)
        until(lambda: len(served.client.listinvoices().invoices) == 2)
        refused = ask(1)
        assert isinstance(refused, InvoiceError)
        assert (refused.error or "").endswith(": invoice cancelled")


def test_what_waits_for_an_invoice_hears_of_its_removal(start: Start) -> None:
    served = start("--dev-time", str(NOW), "--keep-unpaid", "100")
    fetch(offer(served), served)
    [listed] = served.client.listinvoices().invoices
    served.client.rpc_call("dev-inject", {"time": NOW + 7_299})
    assert served.client.listinvoices().invoices[0].status == "expired"
    served.client.rpc_call("dev-inject", {"time": NOW + 7_300})
    until(lambda: not served.client.listinvoices().invoices)
    with pytest.raises(RpcError, match="Label not found"):
        served.client.waitinvoice(listed.label)


def test_a_message_for_something_else_is_dropped_and_the_log_says_so(start: Start) -> None:
    served = start()
    here = bytes.fromhex(served.id)
    with connected(key(1), served.id, served.port) as payer:
        for payload, reason in (
            (Payload.build(invoice=b"x"), "the invoice is refused: Invalid invoice: invalid invoice data"),
            (Payload.build(invoice_error=b"x"), "it is no invoice_request, and nothing waits for it"),
            (Payload.build(), "it is no invoice_request, and nothing waits for it"),
        ):
            payer.send(wrap(b"s" * 32, path_to(here), payload))
            until(lambda reason=reason: reason in served.log())
        assert nothing_came(payer)
