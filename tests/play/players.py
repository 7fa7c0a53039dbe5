"""Nodes that pay each other play money, in one process but over real connections, with files of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import CHAINS, Invoice
from lnoffers.net.address import Address
from lnoffers.service import Node, Options
from lnoffers.service.payment_paths import path_to_self
from lnoffers.service.payments.backend import Host
from lnoffers.service.peers import Peers, listening
from lnstandin.play import Play, make
from lnstandin.play.ledger import NAME
from tests.bolt12.samples import request

PRICE: Final = 21_000
"""Millisatoshi."""


@dataclass
class Till:
    """The invoices of a node, with their preimages, and what came in for each: what a server's store would have."""

    preimages: dict[bytes, bytes] = field(default_factory=dict)
    received: dict[bytes, int] = field(default_factory=dict)
    failures: int = 0
    """How many times the store fails before it works again."""

    async def record(self, payment_hash: bytes, amount_msat: int, _at: int) -> bytes | str:
        """Record a payment, or say why not."""
        if self.failures:
            self.failures -= 1
            raise RpcError(-1, "The store failed: the disk is full")
        if payment_hash not in self.preimages:
            return "no invoice has this payment_hash"
        if amount_msat != PRICE:
            return f"it is not {PRICE}msat"
        self.received[payment_hash] = amount_msat
        return self.preimages[payment_hash]


@dataclass
class Player:
    """A node with the backend play."""

    node: Node
    peers: Peers
    till: Till
    backend: Play

    @property
    def ledger(self) -> Path:
        """The file of its ledger."""
        return self.node.options.network_dir / NAME

    @property
    def address(self) -> Address:
        """Where others can connect."""
        [(host, port)] = self.peers.listening
        return Address(self.peers.node_id, host, port)

    def invoice(self, number: int = 1, amount_msat: int = PRICE) -> Invoice:
        """Return one of many invoices of this node. Its till has the preimage."""
        preimage = number.to_bytes(32, "big")
        payment_hash = sha256(preimage).digest()
        self.till.preimages[payment_hash] = preimage
        path, payinfo = path_to_self(self.node, payment_hash)
        unsigned = Invoice.for_request(
            request(invreq_amount=amount_msat),
            invoice_created_at=self.node.clock.now(),
            invoice_payment_hash=payment_hash,
            invoice_paths=[path],
            invoice_blindedpay=[payinfo],
            invoice_node_id=self.node.keys.node_id,
        )
        return unsigned.sign(self.node.keys.node_signer)

    async def written(self) -> None:
        """Wait until the ledger has written what it has put off."""
        await self.backend._ledger.read()

    def rows(self, table: str, state: str = "paid") -> list[dict[str, Any]]:
        """Return what the ledger has, read without the code under test."""
        with closing(sqlite3.connect(self.ledger)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(f"SELECT * FROM {table} WHERE state = ?", (state,)).fetchall()
            return [dict(row) for row in found]


@asynccontextmanager
async def playing(folder: Path, faults: str = "", till: Till | None = None) -> AsyncIterator[Player]:
    """Run a node on the files of a folder, which are made if they are missing."""
    till = till or Till()
    async with AsyncExitStack() as stack:
        node = stack.enter_context(Node.open(Options(lightning_dir=folder, network="regtest"), make=True))
        peers = Peers(node.keys.key_pair, CHAINS["regtest"], lambda *_: None)
        stack.push_async_callback(peers.close)
        backend = make(faults, Host(node, peers, till.record, till.record))
        await backend.start()
        stack.push_async_callback(backend.close)
        await stack.enter_async_context(listening(peers, [("127.0.0.1", 0)]))
        yield Player(node, peers, till, backend)


@asynccontextmanager
async def payer_and_payee(folder: Path, payers: str = "", payees: str = "") -> AsyncIterator[tuple[Player, Player]]:
    """Run two nodes, with these faults, of which the first is connected to the second."""
    async with playing(folder / "payee", payees) as payee, playing(folder / "payer", payers) as payer:
        await payer.peers.connect(payee.address)
        yield payer, payee
