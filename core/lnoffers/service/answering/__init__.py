"""Answers to the invoice_requests of other nodes for offers of this node.

answers  from the onion message with the request to the one with the answer (in the event loop)
issuer   what to answer: an invoice, which is stored first, or an error (on the thread that uses the store)
terms    the price and the time of an invoice
ldk      whether LDK has sent a request, which then reads errors in another form
"""

from lnoffers.service.answering.answers import Answers
from lnoffers.service.answering.issuer import Issuer

__all__ = ["Answers", "Issuer"]
