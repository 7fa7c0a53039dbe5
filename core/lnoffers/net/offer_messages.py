"""The messages of the offers flow: a request along a path to the issuer, and an answer along the payer's reply path.

    payer                                             issuer
      invoice_request, with a reply_path  ------------->
      <------------------  invoice, or invoice_error

A request goes along one of the offer's paths, or, if it has none, along one that the payer makes up and that ends at
the issuer at once. Its answer is known by the secret that the payer has put into the reply path. BOLT 12, "Flow";
BOLT 4, "Onion Messages".
"""

from __future__ import annotations

from typing import TypeAlias

from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceError, InvoiceRequest, Offer
from lnoffers.bolt12.paths import BlindedPath
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.blinding import Hop, blind
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.messages import OnionMessage
from lnoffers.net.onion_messages import Payload, Received, wrap

Answer: TypeAlias = Invoice | InvoiceError


@typechecked
def paths_to_issuer(offer: Offer, path_key: bytes) -> tuple[BlindedPath, ...]:
    """Return the paths along which the offer's issuer may be asked, best first.

    They are the offer's own, or else one to the issuer itself, made with `path_key`, 32 unpredictable bytes. That one
    tells the issuer nothing: a path_id would say that the request came by a path of the issuer's making.
    """
    if offer.offer_paths:
        return tuple(offer.offer_paths)
    if offer.offer_issuer_id is None:
        raise LocalProtocolError("the offer has neither paths nor an issuer id")
    return (blind(path_key, [Hop(offer.offer_issuer_id, b"")]),)


@typechecked
def ask(session_key: bytes, path: BlindedPath, request: InvoiceRequest, reply_path: BlindedPath) -> OnionMessage:
    """Return the message that asks for an invoice; the arguments are those of `onion_messages.wrap`."""
    return wrap(session_key, path, Payload.build(invoice_request=request.to_bytes(), reply_path=reply_path))


@typechecked
def answer(session_key: bytes, reply_path: BlindedPath, answer: Answer) -> OnionMessage:
    """Return the message that answers a request along its `reply_path`.

    The issuer finds request and path in the `Payload` of what it has received, and must be able to answer a request
    that it cannot read, so it reads it itself.
    """
    stream = answer.to_bytes()
    said = Payload.build(invoice=stream) if isinstance(answer, Invoice) else Payload.build(invoice_error=stream)
    return wrap(session_key, reply_path, said)


@typechecked
def read_answer(received: Received) -> Answer | None:
    """Return the invoice or the error in a message; None if it holds neither. What it says is not checked.

    Raises RemoteProtocolError if it cannot be read.
    """
    payload = received.payload
    try:
        if payload.invoice is not None:
            return Invoice.from_bytes(payload.invoice)
        if payload.invoice_error is not None:
            return InvoiceError.from_bytes(payload.invoice_error)
    except Bolt12Error as error:
        raise _unreadable("invoice" if payload.invoice is not None else "invoice_error", error) from None
    return None


def _unreadable(what: str, error: Bolt12Error) -> RemoteProtocolError:
    said = f"{error.message}: {error.detail}" if error.detail else error.message
    return RemoteProtocolError(f"{what}: {said}", hint=Hint.DROP)
