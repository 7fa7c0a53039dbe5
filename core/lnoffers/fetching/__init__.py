"""Fetch an invoice from a Lightning node, without a node, a directory or a server of your own.

invoice = await fetch_invoice("lno1…", connect="02ab…@203.0.113.7:9735", amount=1_000)

fetch     the request, for a node with a throw-away key
routes    the routes of a request, from the nodes that can be asked
question  the messages along these routes, and the check of the answer; no I/O
asking    one node after the other, until an answer arrives
talk      a connection for one fetch
peer      a connection over TCP: the sockets and the clock for `lnoffers.net`
failures  why no invoice arrived, and what to do about it
"""

from lnoffers.fetching.failures import Attempt, FetchError, Reason
from lnoffers.fetching.fetch import fetch_invoice
from lnoffers.net.address import Address, AddressError

__all__ = ["Address", "AddressError", "Attempt", "FetchError", "Reason", "fetch_invoice"]
