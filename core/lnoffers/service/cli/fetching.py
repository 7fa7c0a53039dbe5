"""`lnoffers fetch`: an invoice for an offer, from its issuer; for people on a terminal, as JSON anywhere else."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Final

from clnrpc.runtime.server.convert import msat
from lnoffers import Bolt12Error, FetchError, fetch_invoice
from lnoffers.bolt12 import Invoice
from lnoffers.fetching import AddressError, Reason
from lnoffers.service.cli.formats import amount, moment
from lnoffers.service.cli.output import is_for_people, print_json, require_output
from lnoffers.service.clock import SystemClock
from lnoffers.service.errors import OptionsError, ServiceError
from lnoffers.service.escaping import escape

ANY_AMOUNT: Final = 21_000_000 * 100_000_000 * 1000
"""Millisatoshi. Nothing is paid here: whoever reads the amount decides."""
_ANSWERED: Final = frozenset({Reason.REFUSED, Reason.BAD_ANSWER})
"""Failures that are the issuer's answer; all others say that it could not be asked."""


def print_fetched(offer: str, asked: str | None = None, *, given: Namespace) -> int:
    """Fetch and print an invoice; the exit code: 0, or 1 if the offer is not valid or the issuer refuses.

    Raises:
        OptionsError: if the amount or an address cannot be read.
        ServiceError: if the issuer could not be asked, or did not answer.
    """
    require_output()
    wanted = None if asked is None else _amount(asked)
    try:
        with _progress():
            invoice = asyncio.run(
                fetch_invoice(
                    offer,
                    connect=given.connect,
                    amount=wanted,
                    quantity=given.quantity,
                    payer_note=given.payer_note,
                    max_amount=ANY_AMOUNT if wanted is None else wanted,
                    timeout=given.timeout,
                )
            )
    except AddressError as error:
        raise OptionsError(f"--connect: {error}") from error
    except Bolt12Error as error:
        return _complain(f"{error}{f' ({error.detail})' if error.detail else ''}")
    except FetchError as error:
        if error.reason in _ANSWERED:
            return _complain(str(error))
        tried = error.attempts if len(error.attempts) > 1 else ()
        raise ServiceError("\n  ".join(escape(str(each)) for each in (error, *tried))) from error
    _show(invoice, qr=given.qr, as_json=given.json)
    return 0


def _amount(text: str) -> int:
    try:
        return msat(text.encode())
    except ValueError as error:
        raise OptionsError(f"{text!r} is not an amount: write 1000msat, 1sat or 0.00000001btc") from error


def _progress() -> AbstractContextManager[object]:
    """Show on a terminal that something goes on."""
    if sys.stderr is None or not sys.stderr.isatty() or find_spec("rich") is None:
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415 # a pipe does not need it

    return Console(stderr=True).status("asking for an invoice…")


def _complain(why: str) -> int:
    if sys.stderr is not None:
        print(f"lnoffers: {escape(why)}", file=sys.stderr)
    return 1


def _show(invoice: Invoice, *, qr: bool, as_json: bool) -> None:
    if is_for_people(as_json=as_json, qr=qr):
        _draw(invoice, qr=qr)
    else:
        print_json(json.dumps(_members(invoice)).encode())


def _members(invoice: Invoice) -> dict[str, object]:
    """What programs need: the string, and what is to be paid, to whom, until when."""
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


def _draw(invoice: Invoice, *, qr: bool) -> None:
    from lnoffers.service.cli.drawing import console, draw, qr_code  # noqa: PLC0415
    from lnoffers.service.cli.summary import Group, Row, Summary, Tone  # noqa: PLC0415

    now = SystemClock().now()
    rows = [
        Row("pay", amount(invoice.invoice_amount or 0), tone=Tone.GOOD),
        Row("to", (invoice.invoice_node_id or b"").hex()),
        Row("issuer", escape(invoice.offer_issuer or "does not say who it is")),
        Row("for", escape(invoice.offer_description or "")),
        Row("until", moment(invoice.expires_at, now)),
    ]
    on, text = console(), invoice.encode()
    code = qr_code(text.upper(), on.width if on.is_terminal else None) if qr else None
    draw(on, Summary("invoice", "is for this request and signed by the payee", Tone.GOOD, (Group("", tuple(rows)),)))
    on.print(text, soft_wrap=True)
    if code is not None:
        on.print(code, soft_wrap=True)
