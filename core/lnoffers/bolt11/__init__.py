"""BOLT 11 invoices (`lnbc…`): build and sign them, parse and check them.

unsigned = Invoice.build(
    chain=CHAINS["bc"],
    timestamp=now,
    amount_msat=250_000,
    description="one coffee",
    payment_hash=sha256(preimage).digest(),
    payment_secret=secret,
)
text = unsigned.sign(keys.key_pair).encode()
Invoice.parse(text).amount_msat
"""

from lnoffers.bolt11.chains import CHAINS, Chain
from lnoffers.bolt11.describe import describe
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt11.fallbacks import Fallback
from lnoffers.bolt11.fields import RouteHop
from lnoffers.bolt11.invoice import Invoice, UnknownField, UnsignedInvoice
from lnoffers.bolt11.prefix import has_prefix
from lnoffers.bolt11.signing import InvoiceSigner

__all__ = [
    "CHAINS",
    "Bolt11Error",
    "Chain",
    "Fallback",
    "Invoice",
    "InvoiceSigner",
    "RouteHop",
    "UnknownField",
    "UnsignedInvoice",
    "describe",
    "has_prefix",
]
