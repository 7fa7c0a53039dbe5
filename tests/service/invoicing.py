"""Invoices for the commands that take and store them: unsigned ones to create, and offers and payments in a store."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from lnoffers.bolt12 import Invoice, NodeKeys, Offer, UnsignedInvoice, seed_from_hsm_secret
from lnoffers.service import Node
from lnoffers.service.status import Status
from lnoffers.service.store import invoices, offers
from lnoffers.service.store.invoices import StoredInvoice
from lnoffers.service.store.offers import StoredOffer
from tests.bolt12.samples import NOW, PATH, PAYINFO, PREIMAGE, REGTEST, SIGNER, request_for
from tests.service.program import SECONDS, SEED_SECRET, Program
from tests.shared import ROOT

Ask = Callable[..., Any]
"""Makes a call, by name or by position, and returns the result or the error: the fixture `ask`."""

KEYS = NodeKeys.from_seed(seed_from_hsm_secret(SEED_SECRET))
OFFER = Offer.build(
    offer_issuer_id=KEYS.node_id, offer_amount=1_000, offer_description="one coffee", offer_chains=(REGTEST,)
)
HOUR = 3600
CREATED = NOW - 1_000
"""When the invoices say that they were made; the store counts from the call."""


def preimage(number: int) -> bytes:
    """Return one of many preimages."""
    return bytes([number]) * 32


def unsigned(secret: bytes = PREIMAGE, **changes: Any) -> str:
    """Return an invoice for `OFFER` that the node with `SEED_SECRET` can sign; `changes` are fields, None omits one."""
    good = Invoice.for_request(
        request_for(OFFER, invreq_payer_note="no sugar"),
        invoice_created_at=CREATED,
        invoice_payment_hash=sha256(secret).digest(),
        invoice_paths=[PATH],
        invoice_blindedpay=[PAYINFO],
    )
    changed = {getattr(UnsignedInvoice, name).number for name in changes}
    kept = (record for record in good.records if record.type not in changed)
    return UnsignedInvoice._build(kept, **changes).encode()


def creation(number: int, **changes: Any) -> dict[str, Any]:
    """Return the parameters of createinvoice for one of many."""
    secret = preimage(number)
    return {"invstring": unsigned(secret, **changes), "label": f"number {number}", "preimage": secret.hex()}


def store_offer(node: Node, status: Status = Status.ACTIVE) -> bytes:
    """Store `OFFER` as the node's own; return its id."""
    with node.store.transaction() as connection:
        offers.add(connection, StoredOffer(OFFER.offer_id, OFFER.encode(), None, status, False, None))
    return OFFER.offer_id


def pay(node: Node, number: int, *, amount: int = 1_000, at: int = NOW) -> StoredInvoice | None:
    """Pay one of many."""
    with node.store.transaction() as connection:
        return invoices.pay(connection, sha256(preimage(number)).digest(), amount, at)


def pay_elsewhere(program: Program, number: int) -> None:
    """Pay one of many from another process."""
    code = (
        "import sys, pathlib, time; from lnoffers.service import Node, Options; from tests.service import invoicing\n"
        "options = Options(lightning_dir=pathlib.Path(sys.argv[1]), network='regtest')\n"
        "with Node.open(options) as node:\n"
        "    assert invoicing.pay(node, int(sys.argv[2]), at=int(time.time()))\n"
    )
    arguments = [sys.executable, "-c", code, str(program.directory), str(number)]
    subprocess.run(arguments, check=True, timeout=SECONDS)


def labels(ask: Ask, **filters: Any) -> list[str]:
    return [shown["label"] for shown in ask("listinvoices", **filters)["invoices"]]


def assert_fits(method: str, shown: dict[str, Any]) -> None:
    """Assert that the members are those of the document, in its order, and that no required one is missing."""
    response = json.loads((ROOT / "schemas" / f"{method}.json").read_bytes())["response"]
    if method == "listinvoices":
        response = response["properties"]["invoices"]["items"]
    assert list(shown) == [name for name in response["properties"] if name in shown]
    assert set(response["required"]) <= set(shown)
    assert shown["status"] in response["properties"]["status"]["enum"]


__all__ = ["CREATED", "KEYS", "NOW", "OFFER", "SIGNER", "creation", "pay", "pay_elsewhere", "preimage", "unsigned"]
