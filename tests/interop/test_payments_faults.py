"""The backend `cln` when answers are lost, the paying node is killed, or a payment goes in several parts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from clnrpc import RpcError
from lnoffers.service.payments.backend import Failed, Outcome, Uncertain
from tests.interop.chain.folder import Chain
from tests.interop.channels import fund, open_channel
from tests.interop.conftest import Pair
from tests.interop.losing import losing
from tests.interop.nodes import Node, program, running, until
from tests.interop.paying import Mortal, backend, hash_of, payable_at, status_at
from tests.interop.test_payments_sending import find, held, is_preimage, pay
from tests.peers.conftest import Start

AMOUNT = 1_000_000
MORE_THAN_A_CHANNEL = 700_000_000


@pytest.fixture(scope="module")
def mortal(chain: Chain, work: Path, l1: Node) -> Iterator[Mortal]:
    """Yield a node that can pay l1 in two parts."""
    with ExitStack() as stack:
        made = Mortal(chain, work / "l3", stack, "--alias=l3")
        fund(chain, l1)
        for _ in range(2):
            open_channel(chain, l1, made.node)
        yield made


def test_pays_in_several_parts(mortal: Mortal, l1: Node, tmp_path: Path) -> None:
    invoice = payable_at(l1, MORE_THAN_A_CHANNEL)
    assert is_preimage(pay(mortal.node, tmp_path, invoice), invoice)
    [paid] = mortal.node.client.listpays(payment_hash=hash_of(invoice)).pays
    assert paid.number_of_parts
    assert paid.number_of_parts > 1


def test_a_lost_answer_is_uncertain_and_then_known(pair: Pair, tmp_path: Path) -> None:
    async def run(end: Path) -> list[Outcome]:
        async with backend(end, tmp_path) as (used, _):
            return [await used.pay(invoice), await used.find(invoice)]

    invoice = payable_at(pair.l1, AMOUNT)
    with losing(pair.l2.socket, tmp_path / "rpc", "xpay") as proxy:
        lost, found = asyncio.run(run(tmp_path / "rpc"))
    assert proxy.lost == 1
    assert isinstance(lost, Uncertain)
    assert is_preimage(found, invoice)


def test_a_lost_answer_to_a_failure_is_uncertain_and_then_known(pair: Pair, tmp_path: Path) -> None:
    async def run(end: Path) -> list[Outcome]:
        async with backend(end, tmp_path) as (used, _):
            return [await used.pay(invoice), await used.find(invoice)]

    invoice = payable_at(pair.l1, AMOUNT, secret=b"\1" * 32)
    with losing(pair.l2.socket, tmp_path / "rpc", "xpay"):
        lost, found = asyncio.run(run(tmp_path / "rpc"))
    assert isinstance(lost, Uncertain)
    assert found == Failed("the node has given up")


def test_play_money_is_not_sent_to_a_real_node(l1: Node, start: Start) -> None:
    payer = start("--backend", "play")
    payer.client.connect(f"{l1.id}@127.0.0.1:{l1.port}")
    with pytest.raises(RpcError, match="Failed: the payee does not play") as refused:
        payer.client.xpay(payable_at(l1, AMOUNT).encode())
    assert refused.value.code == 205


def test_the_node_is_killed_while_it_pays(mortal: Mortal, l1: Node, tmp_path: Path) -> None:
    invoice = payable_at(l1, AMOUNT)

    async def run() -> Outcome:
        async with backend(mortal.node.socket, tmp_path) as (used, _):
            paying = asyncio.ensure_future(used.pay(invoice))
            rows = mortal.node.client.listpays
            await asyncio.to_thread(until, lambda: rows(payment_hash=hash_of(invoice)).pays, "it is on its way")
            mortal.kill()
            first = await paying
            assert isinstance(await used.find(invoice), Uncertain), "nobody can tell"
            return first

    with held(l1):
        assert isinstance(asyncio.run(run()), Uncertain)
    mortal.restart(l1)
    assert is_preimage(find(mortal.node, tmp_path, invoice, at_most=3.0), invoice)
    assert status_at(l1, invoice) == "paid"


def test_a_call_that_has_not_begun_is_waited_for(chain: Chain, l1: Node, work: Path, tmp_path: Path) -> None:
    plugin = program(work / "delaying", "tests.interop.delaying", Path("2"))

    async def leave(node: Node) -> None:
        async with backend(node.socket, tmp_path) as (used, _):
            paying = asyncio.ensure_future(used.pay(invoice))
            await asyncio.sleep(0.1)
            paying.cancel()

    with running(chain, work / "l4", f"--plugin={plugin}") as node:
        fund(chain, node)
        open_channel(chain, node, l1)
        invoice = payable_at(l1, AMOUNT)
        asyncio.run(leave(node))
        assert not node.client.listpays(payment_hash=hash_of(invoice)).pays
        assert is_preimage(find(node, tmp_path, invoice, at_most=8.0), invoice)
