"""Answers about offers equal those of a real node, except where a path is random.

The transcripts are upstream material; without it these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lnoffers.bolt12 import Json, Offer, describe
from lnoffers.bolt12.curve import KeyPair
from lnoffers.service import Node, Options
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store import offers
from lnoffers.service.store.offers import StoredOffer
from tests.net.receiver import walk
from tests.service.program import Program, Wire
from tests.service.test_transcripts import NOT_UTF8, Exchange, exchanges, served_as
from tests.shared import shared_path

FAMILY = ("offer", "listoffers", "disableoffer", "enableoffer")
STATES = {Status.ACTIVE: "active", Status.SINGLE_USE: "single_use", Status.USED: "used"}

NEEDS_A_CHANNEL = {
    "offer announced, no address (has paths)",
    "same offer again (new blinded path, same id?)",
    "offer fronting []",
    "offer any",
}


def told_in(name: str) -> Iterable[tuple[Exchange, str]]:
    """Yield the exchanges about offers, each with its method."""
    for exchange in exchanges(name):
        method = next((each for each in FAMILY if f'"method":"{each}"'.encode() in exchange.request), None)
        if method is not None and exchange.case not in NEEDS_A_CHANNEL:
            yield exchange, method


def shown_by(response: str) -> list[dict[str, Any]]:
    """Return the stored offers in an answer."""
    result = json.loads(response).get("result", {}) if response.strip() else {}
    shown: list[dict[str, Any]] = result.get("offers", [result] if "offer_id" in result else [])
    return shown


class Past:
    """Brings into the store what happened between the recorded lines."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def catch_up(self, method: str, shown: dict[str, Any]) -> None:
        """Store an offer that a line shows, as it was before, if no line has made it; note a payment."""
        if shown.get("created"):
            return
        active = {"enableoffer": False, "disableoffer": True}.get(method, shown["active"])
        status = Status(sum(flag for flag, name in STATES.items() if (shown | {"active": active})[name]))
        offer_id, text = bytes.fromhex(shown["offer_id"]), shown["bolt12"]
        described = Offer.parse(text).offer_description
        row = StoredOffer(offer_id, text, shown.get("label"), status, shown["force_paths"], described)
        with self._node.store.transaction() as connection:
            earlier = offers.add(connection, row)
            if earlier is not None and Status.USED in status & ~earlier.status:
                offers.apply(connection, row.offer_id, StatusChange.PAID)


def has_paths(shown: Iterable[dict[str, Any]]) -> bool:
    return any(Offer.parse(each["bolt12"]).offer_paths for each in shown)


def without_chance(answer: str) -> Any:
    """Return the answer with its string decoded, and without what differs between paths."""
    told = json.loads(answer)
    result = told["result"]
    del result["offer_id"]
    result["bolt12"] = shape(describe(Offer.parse(result["bolt12"])))
    return told


def shape(field: Json) -> Json:
    chance = {"offer_id", "first_path_key", "blinded_node_id"}
    if isinstance(field, dict):
        return {
            name: len(str(value)) if name == "encrypted_recipient_data" else shape(value)
            for name, value in field.items()
            if name not in chance
        }
    return [shape(part) for part in field] if isinstance(field, list) else field


def replay(program: Program, name: str, *flags: str) -> set[str]:
    """Ask all that is recorded about offers, in order; the cases whose answers hold a new random path."""
    random = set()
    with (
        served_as(program, "l1", *flags),
        Node.open(Options(lightning_dir=program.directory, network="regtest")) as node,
        Wire(program.socket) as wire,
    ):
        past = Past(node)
        for exchange, method in told_in(name):
            shown = shown_by(exchange.response)
            for each in shown:
                past.catch_up(method, each)
            if NOT_UTF8.search(exchange.case):
                with Wire(program.socket) as other:
                    other.send(exchange.request)
                    assert json.loads(other.answer())["error"]["code"] == -32600, exchange.case
                continue
            wire.send(exchange.request)
            answer = wire.answer().decode()
            if method == "offer" and has_paths(shown):
                random.add(exchange.case)
                assert without_chance(answer) == without_chance(exchange.response), exchange.case
            else:
                assert answer == exchange.response, exchange.case
    return random


def test_offer(program: Program) -> None:
    assert replay(program, "offer") == {
        "fronting_nodes:l2",
        "fronting_nodes:self",
        "fronting_nodes:l2 twice",
        "fronting_nodes:uncompressed bad",
        "dev_paths:self only",
    }


def test_listing_disabling_and_enabling(program: Program) -> None:
    assert not replay(program, "offer-lifecycle")


def test_an_offer_for_which_invoices_were_asked(program: Program) -> None:
    assert not replay(program, "fetchinvoice")


def test_errors_in_developer_mode(program: Program) -> None:
    assert not replay(program, "developer-mode", "--developer")


def test_offers_of_a_node_with_a_channel(program: Program) -> None:
    assert replay(program, "offers-with-channel") == {"offer fronting l2"}


def test_the_node_finds_our_path_id_in_the_paths_that_it_made_itself(program: Program) -> None:
    keys = {
        bytes.fromhex(told["node_id"]): KeyPair(bytes.fromhex(told["node_privkey"]))
        for told in json.loads(shared_path("golden/nodes.json").read_text()).values()
    }
    with served_as(program, "l1"), Node.open(Options(lightning_dir=program.directory, network="regtest")) as node:
        found = 0
        for name in ("offer", "offers-with-channel", "recurrence"):
            for shown in (each for exchange, _ in told_in(name) for each in shown_by(exchange.response)):
                offer = Offer.parse(shown["bolt12"])
                bare = Offer.from_bytes(b"".join(record.raw for record in offer.records if record.type != 16))
                for path in offer.offer_paths or ():
                    entered = path.first_node_id
                    if len(path.hops) > 2 or not isinstance(entered, bytes) or entered not in keys:
                        continue
                    way = [keys[entered], keys[node.keys.node_id]][-len(path.hops) :]
                    assert walk(path, way)[-1] == b"\x06\x20" + node.keys.path_id(bare.offer_id)
                    found += 1
        assert found > 5
