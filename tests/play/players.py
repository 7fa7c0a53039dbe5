"""Nodes that pay each other play money, in one process but over real connections, with files of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest
from lnoffers.net.address import Address
from lnoffers.service import Node, Options
from lnoffers.service.payment_paths import path_to_self
from lnoffers.service.payments.backend import Host
from lnoffers.service.payments.collecting import Collector
from lnoffers.service.peers import Peers, listening
from lnoffers.service.store import invoices
from lnoffers.service.store.invoices import InvoiceStatus, NewInvoice
from lnstandin.play import Play, make
from lnstandin.play.ledger import NAME
from tests.bolt12.samples import request

PRICE: Final = 21_000
"""Millisatoshi."""


class Till:
    """What records the payments to a node: its store, unless that is to fail."""

    def __init__(self, node: Node) -> None:
        self.failures = 0
        """How many times the store fails before it works again."""
        self._collector = Collector(node)

    async def received(self, payment_hash: bytes, amount_msat: int, at: int) -> bytes | str:
        """Record a payment, or say why not."""
        if self.failures:
            self.failures -= 1
            raise RpcError(-1, "The store failed: the disk is full")
        return await self._collector.received(payment_hash, amount_msat, at)


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

    def invoice(self, number: int = 1) -> Invoice:
        """Return one of many invoices of this node, which its store has."""
        invoice = self.unknown_invoice(number)
        self.store({number: invoice})
        return invoice

    def store(self, numbered: Mapping[int, Invoice]) -> None:
        """Store some of many invoices."""
        with self.node.store.transaction() as connection:
            for number, invoice in numbered.items():
                invoices.add(connection, stored(invoice, number))

    def unknown_invoice(self, number: int = 1, asked: InvoiceRequest | None = None) -> Invoice:
        """Return one of many invoices of this node, for any request, without storing it."""
        payment_hash = sha256(preimage(number)).digest()
        path, payinfo = path_to_self(self.node, payment_hash)
        unsigned = Invoice.for_request(
            asked or request(invreq_amount=PRICE),
            invoice_created_at=self.node.clock.now(),
            invoice_payment_hash=payment_hash,
            invoice_paths=[path],
            invoice_blindedpay=[payinfo],
            invoice_node_id=self.node.keys.node_id,
        )
        return unsigned.sign(self.node.keys.node_signer)

    def taken(self) -> dict[bytes, int | None]:
        """Return what the store was paid, in millisatoshi, by payment hash."""
        with self.node.store.transaction(writes=False) as connection:
            found = invoices.find(connection, invoices.Part())
        return {each.payment_hash: each.amount_received_msat for each in found if each.status is InvoiceStatus.PAID}

    async def written(self) -> None:
        """Wait until the ledger has written what it has put off."""
        await self.backend.ledger.read()

    def rows(self, table: str, state: str = "paid") -> list[dict[str, Any]]:
        """Return what the ledger has, read without the code under test."""
        with closing(sqlite3.connect(self.ledger)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(f"SELECT * FROM {table} WHERE state = ?", (state,)).fetchall()
            return [dict(row) for row in found]


def preimage(number: int) -> bytes:
    """Return the preimage of one of many invoices."""
    return number.to_bytes(32, "big")


def stored(invoice: Invoice, number: int) -> NewInvoice:
    """Return what the store keeps of one of many invoices."""
    assert invoice.invoice_payment_hash is not None
    assert invoice.invoice_amount is not None
    return NewInvoice(
        label=f"number {number}",
        bolt12=invoice.encode(),
        description=None,
        payer_note=None,
        payment_hash=invoice.invoice_payment_hash,
        payment_preimage=preimage(number),
        amount_msat=invoice.invoice_amount,
        expires_at=invoice.expires_at,
        local_offer_id=None,
    )


@asynccontextmanager
async def playing(folder: Path, faults: str = "", *, failures: int = 0) -> AsyncIterator[Player]:
    """Run a node on the files of a folder, which are made if they are missing; its store fails so often at first."""
    async with AsyncExitStack() as stack:
        node = stack.enter_context(Node.open(Options(lightning_dir=folder, network="regtest"), make=True))
        peers = Peers(node.keys.key_pair, CHAINS["regtest"], lambda *_: None)
        stack.push_async_callback(peers.close)
        till = Till(node)
        till.failures = failures
        backend = make(faults, Host(node, peers, till.received, till.received))
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
