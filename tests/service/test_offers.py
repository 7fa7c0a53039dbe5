"""The offer commands, called in this process: what they create and store, and each error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.types import DisableofferRequest, EnableofferRequest, ListoffersRequest, OfferRequest, OfferResponse
from lnoffers.bolt12 import CHAINS, BlindedPath, Offer, Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.bolt12.curve import KeyPair
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.status import StatusChange
from lnoffers.service.store import offers
from lnoffers.service.store.schema import INVOICES
from tests.net.receiver import walk
from tests.service.program import Program

FRONT, OTHER = (KeyPair(bytes([number]) * 32) for number in (1, 2))
PATH_KEYS = bytes(range(1, 65))


@pytest.fixture
def service(node: Node) -> OffersService:
    return OffersService(node)


def make(node: Node, description: str | None = "coffee", *, amount: int | str = "any", **given: Any) -> OfferResponse:
    return OffersService(node).offer(OfferRequest(amount=amount, description=description, **given))


def refusal(call: object, request: object) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        call(request)  # type: ignore[operator]
    return caught.value.code, caught.value.message


def ask(node: Node, params: str, *, developer: bool = False) -> dict[str, Any]:
    """Return the answer to offer with these parameters, as they are written."""
    message = f'{{"jsonrpc":"2.0","id":1,"method":"offer","params":{params}}}'
    found = dispatcher(OffersService(node), developer=developer).answer(message.encode())
    told: dict[str, Any] = json.loads(found.data)
    return told


def listed(node: Node) -> list[tuple[str, bool, bool]]:
    shown = OffersService(node).listoffers(ListoffersRequest()).offers
    return [(each.offer_id, each.active, each.used) for each in shown]


def pay(node: Node, offer_id: str) -> None:
    with node.store.transaction() as connection:
        assert offers.apply(connection, bytes.fromhex(offer_id), StatusChange.PAID)


def test_an_offer_says_what_was_asked_for(node: Node) -> None:
    made = make(
        node, amount=1000, issuer="shop", quantity_max=0, absolute_expiry=4102444800, recurrence="2weeks",
        recurrence_base=1700000000, recurrence_paywindow="-100+200", recurrence_limit=12, proportional_amount=True,
    )  # fmt: skip
    offer = Offer.parse(made.bolt12)
    assert made.offer_id == offer.offer_id.hex()
    assert (offer.offer_amount, offer.offer_currency) == (1000, None)
    assert (offer.offer_description, offer.offer_issuer) == ("coffee", "shop")
    assert (offer.offer_quantity_max, offer.offer_absolute_expiry) == (0, 4102444800)
    assert offer.offer_issuer_id == node.keys.node_id
    assert offer.offer_chains == (CHAINS["regtest"],)
    assert offer.offer_recurrence_compulsory == Recurrence(1, 14)
    assert offer.offer_recurrence_base == RecurrenceBase(1, 1700000000)
    assert offer.offer_recurrence_paywindow == RecurrencePaywindow(100, 200)
    assert offer.offer_recurrence_limit == 12
    assert offer.offer_paths is None


def test_an_offer_for_bitcoin_names_no_chain(tmp_path: Path) -> None:
    with Node.open(Options(lightning_dir=tmp_path), make=True) as node:
        assert Offer.parse(make(node).bolt12).offer_chains is None


def test_the_same_offer_again_stays_as_it_was(node: Node) -> None:
    first = make(node, label="first", single_use=True)
    again = make(node, label="second", single_use=False)
    assert (first.created, again.created) == (True, False)
    assert (again.offer_id, again.label, again.single_use) == (first.offer_id, "first", True)
    assert listed(node) == [(first.offer_id, True, False)]


def test_the_same_offer_again_is_refused_while_it_is_disabled(node: Node, service: OffersService) -> None:
    made = make(node)
    service.disableoffer(DisableofferRequest(offer_id=made.offer_id))
    assert refusal(service.offer, OfferRequest(amount="any", description="coffee")) == (
        1000,
        "Already exists, but isn't active",
    )
    service.enableoffer(EnableofferRequest(offer_id=made.offer_id))
    assert make(node).offer_id == made.offer_id


def test_lists_offers_by_ascending_id_with_their_descriptions(node: Node, service: OffersService) -> None:
    made = [make(node, text) for text in ("one", "two", "three", None)]
    shown = service.listoffers(ListoffersRequest()).offers
    assert [each.offer_id for each in shown] == sorted(each.offer_id for each in made)
    assert {each.description for each in shown} == {"one", "two", "three", None}
    [one] = service.listoffers(ListoffersRequest(offer_id=made[0].offer_id)).offers
    assert one.description == "one"


def test_refuses_to_disable_what_is_unknown_or_disabled(node: Node, service: OffersService) -> None:
    unknown = DisableofferRequest(offer_id="00" * 32)
    assert refusal(service.disableoffer, unknown) == (-1, "Unknown offer")
    known = DisableofferRequest(offer_id=make(node).offer_id)
    assert service.disableoffer(known).active is False
    assert refusal(service.disableoffer, known) == (1001, "offer is not active")
    assert service.listoffers(ListoffersRequest(active_only=True)).offers == []


def test_refuses_to_enable_what_is_unknown_active_or_used_up(node: Node, service: OffersService) -> None:
    assert refusal(service.enableoffer, EnableofferRequest(offer_id="00" * 32)) == (-1, "Unknown offer")
    once = EnableofferRequest(offer_id=make(node, single_use=True).offer_id)
    assert refusal(service.enableoffer, once) == (1006, "offer already active")
    pay(node, once.offer_id)
    assert refusal(service.enableoffer, once) == (1007, "cannot activate an used single use offer")


def test_an_offer_that_was_paid_can_be_disabled_and_enabled_and_stays_used(node: Node, service: OffersService) -> None:
    made = make(node)
    pay(node, made.offer_id)
    service.disableoffer(DisableofferRequest(offer_id=made.offer_id))
    assert listed(node) == [(made.offer_id, False, True)]
    assert service.enableoffer(EnableofferRequest(offer_id=made.offer_id)).used is True


def test_disabling_expires_the_unpaid_invoices_of_the_offer_and_no_others(node: Node, service: OffersService) -> None:
    mine, other = (bytes.fromhex(make(node, text).offer_id) for text in ("mine", "other"))
    states = [("unpaid", mine), ("paid", mine), ("unpaid", other), ("unpaid", None)]
    rows = [
        {
            "updated_index": 0,
            "label": str(number),
            "bolt12": "",
            "payment_hash": bytes([number]),
            "payment_preimage": b"",
            "amount_msat": 1,
            "status": status,
            "expires_at": 0,
            "local_offer_id": offer_id,
        }
        for number, (status, offer_id) in enumerate(states)
    ]
    with node.store.transaction() as connection:
        for row in rows:
            connection.execute(INVOICES.insert(row), tuple(row.values()))
    service.disableoffer(DisableofferRequest(offer_id=mine.hex()))
    service.enableoffer(EnableofferRequest(offer_id=mine.hex()))
    with node.store.transaction(writes=False) as connection:
        found = connection.execute("SELECT status FROM invoices ORDER BY label").fetchall()
    assert [status for (status,) in found] == ["expired", "paid", "unpaid", "unpaid"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"amount": 0}, "bolt12: Offer contains a zero amount"),
        ({"amount": 1, "description": None}, "description: description is required for the user to know what it was "
         "they paid for"),
        ({"recurrence_limit": 1, "recurrence_base": 1}, "recurrence_limit: needs recurrence"),
        ({"recurrence_base": 1}, "recurrence_base: needs recurrence"),
        ({"recurrence_paywindow": "-1+1"}, "recurrence_paywindow: needs recurrence"),
        ({"recurrence": "1day", "proportional_amount": True}, "proportional_amount: proportional_amount needs "
         "recurrence_base"),
        ({"recurrence": "1day", "recurrence_base": 1, "optional_recurrence": True}, "optional_recurrence: incompatible "
         "with recurrence_base"),
        ({"recurrence": "0days"}, "bolt12: Offer contains invalid recurrence period 0"),
        ({"recurrence": "1day", "recurrence_limit": 0}, "bolt12: Offer contains invalid recurrence limit 0"),
        ({"recurrence": "tomorrow"}, "recurrence: not a valid time"),
        ({"recurrence": "1day", "recurrence_paywindow": "1"}, "recurrence_paywindow: expected -time+time"),
        ({"amount": "10XY"}, "amount: Unknown currency suffix 0XY"),
    ],
)  # fmt: skip
def test_refuses_what_makes_no_offer(service: OffersService, given: dict[str, Any], why: str) -> None:
    request = OfferRequest(**({"amount": "any", "description": "x"} | given))
    assert refusal(service.offer, request) == (-32602, f"{why}: invalid token (see logs for details)")
    assert service.listoffers(ListoffersRequest()).offers == []


def test_developers_see_the_parameters_that_do_not_go_together_as_written(node: Node) -> None:
    told = ask(node, '{ "amount":1, "label":"l" }', developer=True)
    assert told["error"]["message"].startswith("description: description is required ")
    assert told["error"]["message"].endswith(': invalid token \'{ "amount":1, "label":"l" }\'')


@pytest.mark.parametrize("amount", ["1.000sat", "0.001sat"])
def test_decimals_of_satoshi_are_for_invoicerequest_alone(node: Node, amount: str) -> None:
    message = "amount: Unknown currency suffix sat: invalid token (see logs for details)"
    assert ask(node, f'["{amount}","x"]')["error"] == {"code": -32602, "message": message}


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("1second", Recurrence(0, 1)),
        ("5minutes", Recurrence(0, 300)),
        ("1hour", Recurrence(0, 3600)),
        ("0000000000010days", Recurrence(1, 10)),
        ("613566756weeks", Recurrence(1, 4294967292)),
        ("4294967295months", Recurrence(2, 4294967295)),
    ],
)
def test_periods_are_counted_in_seconds_days_or_months(node: Node, period: str, expected: Recurrence) -> None:
    assert Offer.parse(make(node, recurrence=period).bolt12).offer_recurrence_compulsory == expected


@pytest.mark.parametrize("period", ["613566757weeks", "71582789minutes", "99999999999days"])
def test_row_14_a_period_that_does_not_fit_is_refused(node: Node, period: str) -> None:
    message = "recurrence: not a valid time: invalid token (see logs for details)"
    assert ask(node, f'{{"amount":1,"description":"x","recurrence":"{period}"}}')["error"]["message"] == message


def opened(node: Node, path: BlindedPath, front: KeyPair) -> bytes:
    return walk(path, [front, node.keys._key_pair])[-1]


def test_fronting_nodes_lead_to_the_node_which_finds_its_path_id(node: Node) -> None:
    node.inject(PATH_KEYS, None)
    made = make(node, fronting_nodes=[FRONT.public_key.hex(), OTHER.public_key.hex()])
    offer = Offer.parse(made.bolt12)
    bare = Offer.parse(make(node).bolt12)
    assert made.force_paths is True
    assert offer.offer_issuer_id == node.keys.node_id
    first, second = offer.offer_paths or ()
    assert (first.first_node_id, second.first_node_id) == (FRONT.public_key, OTHER.public_key)
    assert first.first_path_key == KeyPair(PATH_KEYS[:32]).public_key
    expected = b"\x06\x20" + node.keys.path_id(bare.offer_id)
    assert opened(node, first, FRONT) == opened(node, second, OTHER) == expected


def test_an_offer_with_new_paths_is_a_new_offer(node: Node) -> None:
    node.inject(PATH_KEYS, None)
    made = [make(node, fronting_nodes=[FRONT.public_key.hex()]) for _ in range(2)]
    assert made[0].offer_id != made[1].offer_id
    assert made[0].created
    assert made[1].created


def test_stores_nothing_when_injected_entropy_runs_out_or_is_no_key(node: Node, service: OffersService) -> None:
    request = OfferRequest(amount="any", fronting_nodes=[FRONT.public_key.hex()])
    node.inject(bytes(31), None)
    assert refusal(service.offer, request) == (-1, "Injected entropy has run out: 32 bytes needed, 31 left")
    node.inject(bytes(32), None)
    code, message = refusal(service.offer, request)
    assert (code, message) == (-1, "The path key that was drawn is of no use: not a valid private key")
    assert listed(node) == []


def test_a_refused_call_draws_nothing(node: Node, service: OffersService) -> None:
    node.inject(PATH_KEYS, None)
    for amount in (0, "1USD"):
        refusal(service.offer, OfferRequest(amount=amount, description="", fronting_nodes=[FRONT.public_key.hex()]))
    assert node.entropy.draw(64) == PATH_KEYS


def test_an_offer_that_its_paths_make_too_long_is_refused_and_draws_nothing(node: Node, service: OffersService) -> None:
    node.inject(PATH_KEYS, None)
    description, fronts = "x" * 65_400, [FRONT.public_key.hex()]
    code, message = refusal(service.offer, OfferRequest(amount="any", description=description, fronting_nodes=fronts))
    assert (code, message.endswith("bytes, and no message has more than 65535")) == (-32602, True)
    assert node.entropy.draw(64) == PATH_KEYS
    assert make(node, description).created, "without paths it has room"


def test_the_configured_fronting_nodes_are_for_offers_that_name_none(tmp_path: Path) -> None:
    options = Options(lightning_dir=tmp_path, network="regtest", payment_fronting_nodes=(FRONT.public_key,))
    with Node.open(options, make=True) as node:
        fronted = Offer.parse(make(node, "by way of the front").bolt12)
        direct = make(node, "straight", fronting_nodes=[])
        [path] = fronted.offer_paths or ()
        assert path.first_node_id == FRONT.public_key
        assert direct.force_paths is False
        assert Offer.parse(direct.bolt12).offer_paths is None


def test_a_fronting_node_that_is_none_is_told_at_the_start(program: Program) -> None:
    for given, why in (("02" + "ff" * 32, "is not a node id"), ("zz", "is not hex")):
        outcome = program.call("listoffers", "--payment-fronting-node", given)
        assert outcome.code == 2
        assert f"--payment-fronting-node{' ' + given if 'node id' in why else ''} {why}" in outcome.err


def test_the_program_takes_several_fronting_nodes(program: Program) -> None:
    nodes = (FRONT.public_key, OTHER.public_key)
    flags = [flag for node_id in nodes for flag in ("--payment-fronting-node", node_id.hex())]
    made = program.call("offer", "any", "tips", *flags).json
    assert [path.first_node_id for path in Offer.parse(made["bolt12"]).offer_paths or ()] == list(nodes)


PATHS = [
    ('"x"', "Must be array"),
    ("[[]]", "Must be array of non-empty arrays"),
    ('["x"]', "Must be array of non-empty arrays"),
    ('[["zz"]]', "invalid pubkey/sciddir"),
    ('[["1x1x1/0"]]', "unknown sciddir"),
    (f'[["{FRONT.public_key.hex()}","zz"]]', "invalid pubkey"),
    (f'[["{FRONT.public_key.hex()}"]]', "final pubkey must be this node"),
]


@pytest.mark.parametrize(("paths", "why"), PATHS)
def test_paths_of_a_test_must_end_here(node: Node, paths: str, why: str) -> None:
    told = ask(node, f'{{"amount":"any","dev_paths":{paths}}}')
    assert told["error"] == {"code": -32602, "message": f"dev_paths: {why}: invalid token (see logs for details)"}


def test_paths_of_a_test_go_in_as_they_are(node: Node) -> None:
    node.inject(PATH_KEYS, None)
    way = [OTHER.public_key.hex(), FRONT.public_key.hex(), node.keys.node_id.hex()]
    made = make(node, dev_paths=[way, [node.keys.node_id.hex()]])
    long, short = Offer.parse(made.bolt12).offer_paths or ()
    assert made.force_paths is False
    assert walk(long, [OTHER, FRONT, node.keys._key_pair])[-1] == walk(short, [node.keys._key_pair])[-1]
