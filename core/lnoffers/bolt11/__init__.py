"""BOLT 11 invoices (`lnbc…`): parse and check them. This project does not create them.

Invoice.parse("lnbc1…").amount_msat
"""

from lnoffers.bolt11.describe import describe
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt11.fallbacks import Fallback
from lnoffers.bolt11.fields import RouteHop
from lnoffers.bolt11.invoice import Invoice, UnknownField
from lnoffers.bolt11.prefix import has_prefix

__all__ = ["Bolt11Error", "Fallback", "Invoice", "RouteHop", "UnknownField", "describe", "has_prefix"]
