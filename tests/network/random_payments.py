"""Random payments among five nodes that are killed, and whose messages are lost: the machine, and its books.

The books are kept from what the calls have answered, and compared with the files of all nodes, which are read without
any code of the service.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clnrpc import AsyncClient, ClientError, RpcError
from lnstandin.network import Network, NetworkNode
from lnstandin.network.network import CHANNEL_SAT
from tests.service.program import until

NODES: Final = 5
TOTAL_MSAT: Final = len(list(combinations(range(NODES), 2))) * CHANNEL_SAT * 1000
KNOWN: Final = {"paid", "lost", *(f"error {code}" for code in (-3, 203, 205, 210, 215, 219))}
"""What a payment may end with: the codes are those of the same that is pending, a refusal, no route, no result in time,
too little money, and the same that is paid."""
NOT_PAID: Final = {"error 203", "error 205", "error 215"}
"""What says that a payment is not made, and never will be."""
CAPACITY: Final = CHANNEL_SAT * 1000
amounts = st.integers(1, 1_000_000) | st.integers(1, CAPACITY)
"""Most payments fit; some empty a channel, or are too large for it."""
places = st.integers(0, NODES - 1)
pairs = st.permutations(range(NODES)).map(lambda order: order[:2])


@dataclass(frozen=True)
class Asked:
    """A payment that somebody is to make."""

    payer: int
    payee: int
    amount_msat: int


batches = st.lists(st.builds(lambda pair, amount: Asked(*pair, amount), pairs, amounts), min_size=20, max_size=60)


@dataclass
class Books:
    """What is known of each invoice, by payment hash."""

    invoices: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    """The payee, the amount in millisatoshi, and the string."""
    paid: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """The nodes that got a preimage for it."""
    ends: dict[tuple[int, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """What the calls of a payer for an invoice have ended with."""
    answers: Counter[str] = field(default_factory=Counter)
    """How many calls had which result."""
    kills: int = 0


def rows(node: NetworkNode, file: str, query: str) -> list[Any]:
    """Return what a file of a node has."""
    with closing(sqlite3.connect(node.directory / "regtest" / file)) as connection:
        return connection.execute(query).fetchall()


class Payments(RuleBasedStateMachine):
    """Batches of payments, with kills and lost messages."""

    network: Network
    payments: Books

    @rule(asked=batches)
    def pay(self, asked: Sequence[Asked]) -> None:
        """Pay at the same time."""
        asyncio.run(self._pay(asked))

    @rule(
        asked=batches,
        victim=places,
        seconds=st.floats(0, 0.1),
        failures=st.integers(0, 5),
    )
    def pay_while_a_node_is_killed(self, asked: Sequence[Asked], victim: int, seconds: float, failures: int) -> None:
        """Pay, and kill a node meanwhile, of which some payments fail; then start it again."""
        self.network.nodes[victim].fail_next(count=failures)
        asyncio.run(self._pay(asked, victim, seconds))
        self.network.nodes[victim].start()
        self.payments.kills += 1

    @rule(data=st.data(), others=st.lists(places, min_size=2, max_size=4, unique=True))
    @precondition(lambda self: self.payments.invoices)
    def pay_again(self, data: st.DataObject, others: Sequence[int]) -> None:
        """Let several nodes pay one invoice, which may be paid already."""
        [payment_hash] = data.draw(st.lists(st.sampled_from([*self.payments.invoices]), min_size=1, max_size=1))
        payee, amount, _ = self.payments.invoices[payment_hash]
        chosen = [Asked(payer, payee, amount) for payer in others]
        asyncio.run(self._pay(chosen, again=payment_hash))

    @rule(share=st.sampled_from([0, 0.2, 0.5]), seconds=st.sampled_from([0, 0.02]))
    def disturb(self, share: float, seconds: float) -> None:
        """Lose and delay messages from now on, or do not any more."""
        self.network.lose(share)
        self.network.delay(seconds)

    @invariant()
    def total_is_constant(self) -> None:
        """Compare what all nodes have with what they began with, counting what is in flight."""
        assert self.network.total_msat() == TOTAL_MSAT

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        """Look for an invoice that was taken from two payers, or for which two payers have a preimage."""
        taken, paid = Counter[bytes](), Counter[bytes]()
        for node in self.network.nodes:
            taken.update(each for (each,) in rows(node, "play.sqlite3", _TAKEN))
            paid.update(each for (each,) in rows(node, "play.sqlite3", _PAID))
        assert max(taken.values(), default=0) <= 1
        assert max(paid.values(), default=0) <= 1
        assert all(len(payers) <= 1 for payers in self.payments.paid.values())

    def teardown(self) -> None:
        """Let all payments end, and compare the books of payers and payees."""
        self.disturb(0, 0)
        until(lambda: not any(self._pending(node) for node in self.network.nodes))
        self._compare()
        self.total_is_constant()
        self.nothing_is_paid_twice()

    def _pending(self, node: NetworkNode) -> bool:
        return bool(node.client.listpays(status="pending").pays)

    def _compare(self) -> None:
        """Compare, for each invoice, what its payee says with what all payers say."""
        complete = Counter[str]()
        for node in self.network.nodes:
            complete.update(pay.payment_hash for pay in node.client.listpays(status="complete").pays)
        balances = dict.fromkeys(range(NODES), TOTAL_MSAT // NODES)
        for place, node in enumerate(self.network.nodes):
            for invoice in node.client.listinvoices().invoices:
                assert complete[invoice.payment_hash] == (invoice.status == "paid"), invoice
                if invoice.status == "paid":
                    balances[place] += invoice.amount_received_msat or 0
            for pay in node.client.listpays(status="complete").pays:
                balances[place] -= pay.amount_msat or 0
                assert not self.payments.ends[place, pay.payment_hash] <= NOT_PAID, pay
        assert set(self.payments.paid) <= set(complete)
        for place, node in enumerate(self.network.nodes):
            funds = node.client.listfunds().channels
            assert sum(channel.our_amount_msat for channel in funds) == balances[place]

    async def _pay(
        self, asked: Sequence[Asked], victim: int | None = None, seconds: float = 0, again: str | None = None
    ) -> None:
        clients = [AsyncClient(node.socket) for node in self.network.nodes]
        try:
            work: list[Coroutine[Any, Any, None]] = [self._pay_one(clients, each, again) for each in asked]
            if victim is not None:
                work.append(self._kill(victim, seconds))
            await asyncio.gather(*work)
        finally:
            for client in clients:
                await client.rpc_close()

    async def _kill(self, victim: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.network.nodes[victim].kill()

    async def _pay_one(self, clients: Sequence[AsyncClient], asked: Asked, again: str | None) -> None:
        payment_hash = None
        try:
            string, payment_hash = await self._invoice(clients[asked.payee], asked, again)
            await clients[asked.payer].xpay(string, retry_for=1)
        except RpcError as error:
            end = f"error {error.code}"
        except (ClientError, OSError):
            end = "lost"  # the node was killed
        else:
            end = "paid"
            self.payments.paid[payment_hash].add(asked.payer)
        self.payments.answers[end] += 1
        if payment_hash is not None:
            self.payments.ends[asked.payer, payment_hash].add(end)

    async def _invoice(self, payee: AsyncClient, asked: Asked, again: str | None) -> tuple[str, str]:
        """Return an invoice, and its payment hash: a new one unless `again` is that of a known one."""
        if again is not None:
            return self.payments.invoices[again][2], again
        label = f"number {len(self.payments.invoices)}, {id(asked)}"
        made = await payee.invoice(asked.amount_msat, label, "")
        self.payments.invoices[made.payment_hash] = asked.payee, asked.amount_msat, made.bolt11
        return made.bolt11, made.payment_hash


_TAKEN: Final = "SELECT payment_hash FROM received WHERE state = 'paid'"
_PAID: Final = "SELECT payment_hash FROM sent WHERE state = 'paid'"


def machine(network: Network) -> tuple[type[Payments], Books]:
    """Return a machine for a network of `NODES` nodes, and the books of all its runs."""
    books = Books()
    return type("PaymentsHere", (Payments,), {"network": network, "payments": books}), books
