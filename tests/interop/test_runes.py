"""A node and our service with its secret accept each other's runes, and refuse the same calls in the same words."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from clnrpc import RpcError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.runes import Rune
from lnoffers.runes.rune import read_restrictions
from lnoffers.service import Node as Service
from lnoffers.service import OffersService, Options
from lnoffers.service.dispatching import dispatcher
from tests.bolt12 import samples
from tests.interop.nodes import Node
from tests.service.program import write_secret

CALLS: Final = 400
METHODS: Final = ("getinfo", "listpeers", "pay", "list")
VALUES: Final = (
    "",
    "1",
    "-5",
    "list",
    "pay",
    "peers",
    "x",
    'q"uo\\te',
    "a|b&c",
    "é",
    "\n",
    " 7",
    "007",
    "1.5",
    "[1, 2]",
)
CALL_NAMES: Final = ("method", "pnum", "id", "time", "rate", "per")
PARAMETER_NAMES: Final = (
    *("pnamea", "pnamea_b", "pnameab", "pnameid", "parr0", "parr1", "other", "pinva_fee", "pinvzz_amount"),
)
UNUSABLE: Final = ("0", "x", "1week", "9999999999", "4294967295", "4294967294day", "1x")
"""Values of rate and per that fail in any call."""


class Peer:
    """Either side: makes calls, and returns results, or codes and messages."""

    def __init__(self, node: Node, service: Service) -> None:
        self.authority = service.authority
        self._node = node
        self._dispatch = dispatcher(OffersService(service), developer=True).answer

    def theirs(self, command: str, /, **params: Any) -> Any:
        try:
            return self._node.client.rpc_call(command, params)
        except RpcError as error:
            return {"code": error.code, "message": error.message}

    def ours(self, command: str, /, **params: Any) -> Any:
        call = {"jsonrpc": "2.0", "id": 0, "method": command, "params": params}
        found = self._dispatch(json.dumps(call, ensure_ascii=False).encode())
        assert isinstance(found, Answer)
        answer = json.loads(found.data)
        return answer["result"] if "result" in answer else {key: answer["error"][key] for key in ("code", "message")}

    def both(self, command: str, /, **params: Any) -> Any:
        """Return what both answer, which is the same."""
        ours = self.ours(command, **params)
        assert self.theirs(command, **params) == ours, params
        return ours


@pytest.fixture
def peer(l1: Node, tmp_path: Path) -> Iterator[Peer]:
    write_secret(tmp_path / "regtest" / "hsm_secret", (l1.directory / "regtest" / "hsm_secret").read_bytes())
    with Service.open(Options(lightning_dir=tmp_path, network="regtest")) as service:
        assert service.keys.node_id.hex() == l1.id
        yield Peer(l1, service)


def test_each_accepts_the_others_runes_within_their_restrictions(peer: Peer) -> None:
    restrictions = [["method^list", "method=getinfo"], ["pnum=0", "pnameid!"]]
    for create in (peer.theirs, peer.ours):
        rune = create("createrune", restrictions=restrictions)["rune"]
        assert peer.both("checkrune", rune=rune, method="listpeers", params={}) == {"valid": True}
        assert peer.both("checkrune", rune=rune, method="pay")["code"] == 1502
        assert peer.both("checkrune", rune=rune, method="listpeers", params={"id": "02"})["code"] == 1502
        narrowed = [peer.both("createrune", rune=rune, restrictions="readonly")["rune"]]
        narrowed.append(peer.both("createrune", rune=narrowed[0], restrictions=[["pnum<3"]])["rune"])
        for each in narrowed:
            assert peer.both("checkrune", rune=each, method="getinfo") == {"valid": True}
            assert peer.both("checkrune", rune=each, method="listdatastore")["code"] == 1502


@pytest.mark.parametrize("condition", ["rate=1", "per=1day"])
def test_each_limits_the_rate_of_the_others_runes(peer: Peer, condition: str) -> None:
    theirs = peer.theirs("createrune", restrictions=[[condition]])["rune"]
    known = int(peer.theirs("createrune")["unique_id"])  # a node limits runes with ids that it knows
    ours = peer.authority.rune(known, read_restrictions(condition.encode())).encode()
    for rune in (theirs, ours):
        assert peer.both("checkrune", rune=rune) == {"valid": True}
        assert peer.both("checkrune", rune=rune) == {"code": 1502, "message": "Not permitted: too soon"}


def test_runes_that_were_changed_are_refused_in_the_same_words(peer: Peer) -> None:
    rune = peer.ours("createrune", restrictions=[["method=getinfo"]])["rune"]
    assert peer.both("checkrune", rune=("B" if rune[0] == "A" else "A") + rune[1:])["code"] == 1501
    whole = Rune.parse(rune)
    assert peer.both("checkrune", rune=Rune(whole.code, whole.restrictions[:1]).encode(), method="pay")["code"] == 1501
    for bad in ("x", "", "AAAA" * 12, rune + "!"):
        assert peer.both("checkrune", rune=bad)["code"] == -32602
    for restrictions in ("x", [["a"]], ["a=b"], [["=1"]], [[1]], [["a=b"], ["x"]], [[["a=b"]]]):
        assert peer.both("createrune", restrictions=restrictions)["code"] == -32602


def test_the_blacklist_is_the_same(peer: Peer) -> None:
    rune = peer.theirs("createrune")
    unique_id = int(rune["unique_id"])
    assert peer.both("blacklistrune", start=unique_id)["blacklist"] == [{"start": unique_id, "end": unique_id}]
    assert peer.both("checkrune", rune=rune["rune"])["code"] == 1503
    for params in ({"start": 1003, "end": 1005}, {"start": 1000}, {"start": 1001, "end": 1002}, {"end": 5}):
        peer.both("blacklistrune", **params)
    for params in ({"start": 1004, "relist": True}, {"start": 100_000_000}, {"start": 99_999_999}, {"relist": True}):
        peer.both("blacklistrune", **params)
    assert peer.both("blacklistrune", start=0, end=99_999_999, relist=True) == {"blacklist": []}
    assert peer.both("checkrune", rune=rune["rune"]) == {"valid": True}


def test_conditions_on_invoices_are_the_same(peer: Peer) -> None:
    bolt11 = peer.theirs("invoice", amount_msat=1000, label="runes", description="one é")["bolt11"]
    free = peer.theirs("invoice", amount_msat="any", label="runes, too", description="")["bolt11"]
    rune = peer.theirs("createrune")["rune"]
    bolt12 = samples.invoice()
    valid = 0
    for text in (bolt11, free, f"lightning:{bolt11}", bolt11.upper(), bolt12.encode()):
        for condition in (
            *("amount=1000", "amount<1001", "amount>1000", "amount!", "description=one é", "description~", "fee=1"),
            *("description!", f"node={bolt12.invoice_node_id.hex()}", "node^02", "node^03", "node!"),
        ):
            made = peer.both("createrune", rune=rune, restrictions=[[f"pinvinvstring_{condition}"]])["rune"]
            valid += peer.both("checkrune", rune=made, method="pay", params={"invstring": text}) == {"valid": True}
    assert 15 < valid < 45


def some_parameters(chance: random.Random) -> Any:
    values = [1, -5, 1.5, "1", "list", 'q"uo\\te', "é", "\n", True, None, [1, 2], {"b": 1}, 2**63, -(2**63), "peers"]
    if chance.random() < 0.4:
        return [chance.choice(values) for _ in range(chance.randrange(3))]
    names = chance.sample(["a", "a_b", "ab", "a-b", "id", "b"], chance.randrange(4))
    return {name: chance.choice(values) for name in names}


def some_restrictions(chance: random.Random) -> list[list[str]]:
    """Return one or two. Only the last is about parameters: master reads freed memory in a second one about them."""
    last = [some_condition(chance, CALL_NAMES + PARAMETER_NAMES) for _ in range(chance.randint(1, 3))]
    first = [some_condition(chance, CALL_NAMES) for _ in range(chance.randint(1, 3))]
    return [first, last] if chance.random() < 0.3 else [last]


def some_condition(chance: random.Random, names: Sequence[str]) -> str:
    name = chance.choice(names)
    value = chance.choice(UNUSABLE if name in ("rate", "per") else VALUES)
    return name + chance.choice("!=/^$~<>{}#") + value


def test_a_node_decides_as_we_do_about_many_conditions(peer: Peer) -> None:
    chance = random.Random(96)
    rune = peer.theirs("createrune")["rune"]
    valid = 0
    for _ in range(CALLS):
        made = peer.both("createrune", rune=rune, restrictions=some_restrictions(chance))
        call = {"rune": made["rune"], "method": chance.choice(METHODS), "params": some_parameters(chance)}
        valid += peer.both("checkrune", **call) == {"valid": True}
        shown = [side("showrunes", rune=made["rune"])["runes"][0] for side in (peer.theirs, peer.ours)]
        assert [each.pop("last_used", None) is not None for each in shown] == [valid > 0] * 2
        assert shown[0] == shown[1]
    assert CALLS // 10 < valid < CALLS * 9 // 10
