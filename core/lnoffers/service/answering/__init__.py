"""Answers to the invoice_requests of other nodes for offers of this node.

issuer  what to answer: an invoice, which is stored first, or an error (on the thread that uses the store)
terms   the price and the time of an invoice
"""
