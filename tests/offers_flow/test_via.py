"""`serve --via`: the node that is asked first to forward, and through which new offers lead."""

from __future__ import annotations

import pytest

from lnoffers.bolt12 import Invoice, Offer
from tests.fetching.conftest import Start as StartNode
from tests.offers_flow.test_fetching import FRONT, ISSUER, fetch, node_id
from tests.peers.conftest import Start
from tests.service.program import Program, run, until


def test_requests_go_through_it(start: Start, node: StartNode) -> None:
    front = node(FRONT)
    node(ISSUER, "--via", front)
    payer = start("--via", front)
    assert fetch(payer).invoice_amount == 1_000
    assert [peer.id for peer in payer.client.listpeers().peers] == [node_id(FRONT)]


def test_it_stays_connected(start: Start) -> None:
    front = start()
    issuer = start("--via", front.address)
    until(lambda: issuer.client.listpeers().peers)
    issuer.client.disconnect(front.id)
    until(lambda: issuer.client.listpeers().peers)


def test_new_offers_lead_through_it_unless_the_call_names_other_nodes(start: Start) -> None:
    front, other = start(), start()
    issuer = start("--via", front.address, "--via", other.address)
    paths = Offer.parse(issuer.client.offer("any", description="tea").bolt12).offer_paths or ()
    assert [path.first_node_id.hex() for path in paths if isinstance(path.first_node_id, bytes)] == [front.id, other.id]
    assert Offer.parse(issuer.client.offer("any", description="milk", fronting_nodes=[]).bolt12).offer_paths is None
    [path] = (
        Offer.parse(issuer.client.offer("any", description="rum", fronting_nodes=[other.id]).bolt12).offer_paths or ()
    )
    assert path.first_node_id == bytes.fromhex(other.id)


def test_a_server_that_accepts_no_connection_is_reached_through_it(start: Start) -> None:
    front = start()
    issuer, payer = start("--via", front.address), start()
    text = issuer.client.offer("1sat", description="one coffee").bolt12
    payer.client.connect(front.address)
    until(lambda: len(front.client.listpeers().peers) == 2)
    invoice = Invoice.parse(payer.client.fetchinvoice(text).invoice)
    assert (invoice.invoice_amount, invoice.invoice_node_id) == (1_000, bytes.fromhex(issuer.id))
    assert issuer.id not in [peer.id for peer in payer.client.listpeers().peers]


@pytest.mark.parametrize("address", ["", "127.0.0.1:9735", f"{'00' * 33}@127.0.0.1"])
def test_refuses_what_is_no_address(program: Program, address: str) -> None:
    outcome = run("serve", *program.flags, "--via", address)
    assert outcome.code == 2
    assert outcome.err.startswith("lnoffers: --via ")
