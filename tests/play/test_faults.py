"""The argument of the backend: what goes wrong on purpose."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lnoffers.bolt12 import CHAINS
from lnoffers.service import Node, Options
from lnoffers.service.payments.backend import BackendError, Host
from lnoffers.service.payments.collecting import Collector
from lnoffers.service.peers import Peers
from lnstandin.play import make
from lnstandin.play.faults import MEANINGS, Faults
from tests.play import faults_page


def test_every_fault_can_be_asked_for() -> None:
    faults = Faults.parse("lose=0.3,repeat=0.2,delay=50ms,late=2s,fail=0.1,seed=7")
    assert faults == Faults(lose=0.3, repeat=0.2, delay=0.05, late=2.0, fail=0.1, seed=7)
    assert Faults.parse("") == Faults()
    assert set(MEANINGS) == set(Faults.__dataclass_fields__)


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("loose=1", "'loose=1' is no fault of play: it has lose, repeat, delay, late, fail, seed, each with =VALUE"),
        ("lose", "'lose' is not valid"),
        ("lose=1", "a share is from 0 up to, not including, 1"),
        ("fail=-0.1", "a share is from 0"),
        ("repeat=nan", "a share is from 0"),
        ("delay=50", "a time is 50ms or 2s"),
        ("delay=2h", "'delay=2h' is not valid"),
        ("late=3601s", "at most an hour"),
        ("seed=x", "'seed=x' is not valid"),
    ],
)
def test_what_is_no_fault_is_refused(argument: str, why: str) -> None:
    with pytest.raises(BackendError, match=why):
        Faults.parse(argument)


@pytest.mark.parametrize("network", ["bitcoin", "testnet", "testnet4", "signet"])
def test_play_money_is_refused_on_other_networks(tmp_path: Path, network: str) -> None:
    async def run() -> None:
        with Node.open(Options(lightning_dir=tmp_path, network=network), make=True) as node:
            peers = Peers(node.keys.key_pair, CHAINS[network], lambda *_: None)
            collector = Collector(node)
            make("", Host(node, peers, collector.received, collector.settled))

    with pytest.raises(BackendError, match=f"for regtest only, and this node is on {network}"):
        asyncio.run(run())


def test_docs_have_the_table_of_faults() -> None:
    assert faults_page.PAGE.read_text(encoding="utf-8") == faults_page.page(), "run python -m tests.play.faults_page"
