"""`lnoffers fetch`: fetch an invoice for an offer and print it, for people on a terminal and as JSON elsewhere."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from typing import Final

from clnrpc.runtime.server.convert import msat
from lnoffers import Bolt12Error, FetchError, fetch_invoice
from lnoffers.bolt12 import Invoice, Offer, decode
from lnoffers.fetching import AddressError, Reason
from lnoffers.service.cli.flags import proxy
from lnoffers.service.cli.output import (
    is_for_people,
    print_error,
    print_json,
    print_summary,
    progress,
    require_output,
)
from lnoffers.service.cli.summary import Block, Line, Summary, Tone, format_amount, format_time
from lnoffers.service.clock import Clock
from lnoffers.service.errors import OptionsError, ServiceError
from lnoffers.service.escaping import escape

_ANY_AMOUNT: Final = 21_000_000 * 100_000_000 * 1000
"""Millisatoshi, for a price in a currency. Nothing is paid here, so the user sees the amount before paying."""
_ANSWERED: Final = frozenset({Reason.REFUSED, Reason.BAD_ANSWER})
"""Failures in which the issuer answered; in all others it could not be asked."""


def fetch(given: Namespace) -> int:
    """Fetch and print an invoice, and return 0, or 1 if the offer is not valid or the issuer refuses.

    Raises:
        OptionsError: if the amount or an address is not valid.
        ServiceError: if the issuer could not be asked, or did not answer.
    """
    require_output()
    offer, through = given.arguments[0], proxy(given)
    wanted = _to_msat(given.arguments[1]) if len(given.arguments) > 1 else None
    try:
        with progress("asking for an invoice…"):
            invoice = asyncio.run(
                fetch_invoice(
                    offer,
                    connect=given.connect,
                    amount=wanted,
                    quantity=given.quantity,
                    payer_note=given.payer_note,
                    max_amount=_ANY_AMOUNT if wanted is None and _is_in_currency(offer) else None,
                    timeout=given.timeout,
                    proxy=None if through is None else str(through),
                )
            )
    except AddressError as error:
        raise OptionsError(f"--connect: {error}") from error
    except Bolt12Error as error:
        print_error(f"{error}{f' ({error.detail})' if error.detail else ''}")
        return 1
    except FetchError as error:
        if error.reason in _ANSWERED:
            print_error(str(error))
            return 1
        attempts = error.attempts if len(error.attempts) > 1 else ()
        raise ServiceError("\n  ".join(escape(str(each)) for each in (error, *attempts))) from error
    if is_for_people(as_json=given.json, qr=given.qr):
        text = invoice.encode()
        print_summary(_summarize(invoice), string=text, qr=text.upper() if given.qr else None)
    else:
        print_json(json.dumps(_members(invoice)).encode())
    return 0


def _is_in_currency(text: str) -> bool:
    """Return whether a string is an offer whose price is in a currency."""
    try:
        message = decode(text)
    except Bolt12Error:
        return False  # `fetch_invoice` says what is wrong, after it has read the addresses
    return isinstance(message, Offer) and message.offer_currency is not None


def _to_msat(text: str) -> int:
    try:
        return msat(text.encode())
    except ValueError as error:
        raise OptionsError(f"{text!r} is not an amount: write 1000msat, 1sat or 0.00000001btc") from error


def _members(invoice: Invoice) -> dict[str, object]:
    """Return what a program needs to pay: the invoice's string, amount, payee, payment hash and expiry."""
    members = {
        "invoice": invoice.encode(),
        "amount_msat": invoice.invoice_amount,
        "node_id": (invoice.invoice_node_id or b"").hex(),
        "issuer": invoice.offer_issuer,
        "description": invoice.offer_description,
        "payment_hash": (invoice.invoice_payment_hash or b"").hex(),
        "expires_at": invoice.expires_at,
    }
    return {name: value for name, value in members.items() if value is not None}


def _summarize(invoice: Invoice) -> Summary:
    rows = (
        Line("pay", format_amount(invoice.invoice_amount or 0), tone=Tone.GOOD),
        Line("to", (invoice.invoice_node_id or b"").hex()),
        Line("issuer", escape(invoice.offer_issuer or "does not say who it is")),
        Line("for", escape(invoice.offer_description or "")),
        Line("until", format_time(invoice.expires_at, Clock().now())),
    )
    return Summary("invoice", "is for this request and signed by the payee", Tone.GOOD, (Block("", rows),))
