"""Invoices to pay, and the backend `cln` by itself, without a server."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from clnrpc import RpcError
from lnoffers.bolt12 import BlindedPayinfo, Invoice, KeyPair, KeySigner, Offer, UnsignedInvoiceRequest
from lnoffers.net.blinding import message_path
from lnoffers.service import Node, Options
from lnoffers.service.payments.backend import Host, Incoming
from lnoffers.service.payments.cln.backend import CoreLightning, Settings
from lnoffers.service.peers import Peers
from tests.bolt12.samples import METADATA, PAYINFO, REGTEST
from tests.interop.chain.folder import Chain
from tests.interop.channels import connect
from tests.interop.nodes import Node as Lightningd
from tests.interop.nodes import running, until
from tests.service.program import write_secret

SELLER = KeySigner(KeyPair(b"\7" * 32))
PAYER = KeySigner(KeyPair(b"\x08" * 32))
MPP = bytes.fromhex("020000")
EXPIRY = 7200
UNWANTED = 666
"""The amount that this node did not ask for, in millisatoshi."""


def invoice_for(payment_hash: bytes, amount_msat: int, destination: Any, **changes: Any) -> Invoice:
    """Return a signed invoice of a seller that has no node of its own; `destination` has its paths and payinfos."""
    offer = Offer.build(
        offer_issuer_id=SELLER.public_key,
        offer_amount=amount_msat,
        offer_description="tea",
        offer_chains=(REGTEST,),
    )
    request = UnsignedInvoiceRequest._build(
        offer.records, invreq_metadata=METADATA, invreq_payer_id=PAYER.public_key, invreq_chain=REGTEST
    ).sign(PAYER)
    fields = {
        "invoice_created_at": int(time.time()),
        "invoice_payment_hash": payment_hash,
        "invoice_paths": destination.paths,
        "invoice_blindedpay": destination.payinfos,
        "invoice_amount": amount_msat,
        "invoice_relative_expiry": EXPIRY,
        "invoice_features": MPP,
    }
    return Invoice.for_request(request, **fields | changes).sign(SELLER)


@dataclass(frozen=True)
class End:
    """One path, and its fees."""

    paths: list[Any]
    payinfos: list[BlindedPayinfo]


def end_at(node_id: str, secret: bytes, fee_msat: int = 0) -> End:
    """Return a path of one hop to a node, with a secret as path_id."""
    path = message_path(os.urandom(32), [bytes.fromhex(node_id)], secret)
    values = {name: getattr(PAYINFO, name) for name in PAYINFO.__slots__}
    fees = {"fee_base_msat": fee_msat, "fee_proportional_millionths": 0, "cltv_expiry_delta": 18, "features": b""}
    limits = {"htlc_minimum_msat": 0, "htlc_maximum_msat": 2**50}
    return End([path], [BlindedPayinfo(**values | fees | limits)])


def payable_at(
    node: Lightningd,
    amount_msat: int,
    *,
    asked: int | None = None,
    secret: bytes = b"",
    fee_msat: int = 0,
    **changes: Any,
) -> Invoice:
    """Return an invoice that a node can be paid for; `asked` is the amount in it, `secret` its path_id, if wrong."""
    preimage = os.urandom(32)
    made = node.client.invoice(amount_msat, preimage.hex(), "tea", preimage=preimage.hex())
    end = end_at(node.id, secret or bytes.fromhex(made.payment_secret), fee_msat)
    return invoice_for(sha256(preimage).digest(), amount_msat if asked is None else asked, end, **changes)


def hash_of(invoice: Invoice) -> str:
    """Return the payment hash in hex."""
    assert invoice.invoice_payment_hash is not None
    return invoice.invoice_payment_hash.hex()


def status_at(node: Lightningd, invoice: Invoice) -> str:
    """Return the state of the invoice at the node that is paid."""
    [found] = node.client.listinvoices(payment_hash=hash_of(invoice)).invoices
    return found.status


def incoming(amount_msat: int, expiry: int = EXPIRY) -> Incoming:
    """Return a payment to get."""
    preimage = os.urandom(32)
    return Incoming(sha256(preimage).digest(), preimage, amount_msat, expiry, "one coffee")


@dataclass(frozen=True)
class Desk:
    """This node's side of a backend: what it has received."""

    node: Node
    arrived: list[tuple[bytes, int]] = field(default_factory=list)
    refusals: list[RpcError] = field(default_factory=list)
    """Failures of the store, before it works."""

    async def settled(self, payment_hash: bytes, amount_msat: int, paid_at: int) -> bytes | str:
        """Record a payment."""
        assert abs(time.time() - paid_at) < EXPIRY
        if self.refusals:
            raise self.refusals.pop()
        self.arrived.append((payment_hash, amount_msat))
        return "nobody asked" if amount_msat == UNWANTED else b"\1" * 32


def await_chain(node: Lightningd) -> None:
    """Wait until a node that has just started has read the chain; the backend refuses it before."""
    until(lambda: node.client.getinfo().warning_lightningd_sync is None, "it has read the chain")


class Mortal:
    """A node that can be killed and started again, with channels to l1."""

    def __init__(self, chain: Chain, directory: Path, stack: ExitStack, *options: str) -> None:
        self._start = lambda: stack.enter_context(running(chain, directory, *options))
        self.node: Lightningd = self._start()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.node.process.kill()
        self.node.process.wait()

    def restart(self, peer: Lightningd) -> None:
        """Start it again, and connect it once it knows the chain."""
        self.node = self._start()
        await_chain(self.node)
        connect(self.node, peer)


@asynccontextmanager
async def backend(socket: Path, directory: Path, **given: Any) -> AsyncIterator[tuple[CoreLightning, Desk]]:
    """Run the backend, on a node with a secret of its own, for a node whose socket is given; `given` are settings."""
    secret = directory / "regtest" / "hsm_secret"
    if not secret.exists():
        write_secret(secret, os.urandom(32))
    with Node.open(Options(lightning_dir=directory, network="regtest")) as node:
        desk = Desk(node)
        host = Host(node, cast(Peers, None), desk.settled, desk.settled)  # it needs no peers
        made = CoreLightning(socket, host, Settings(**{"retry_for": 5, "at_most": 3.0} | given))
        await made.start()
        try:
            yield made, desk
        finally:
            await made.close()
