"""Payments: the invoices that this node pays for its own requests, and the backends that move the money.

`backend` is what a backend must do. `inbox` checks the invoices that arrive, and `payer` pays them, step by step in the
states of `lnoffers.service.payment_states`.
"""
