"""The messages of the offers flow: a request along a path to the issuer, and an answer along the payer's reply path.

    payer                                             issuer
      invoice_request, with a reply_path  ------------->
      <------------------  invoice, or invoice_error

A request is sent along one of the offer's paths. If the offer has none, the payer makes a path that contains only the
issuer. The payer recognises the answer by the secret in its reply path. BOLT 12, "Flow";
BOLT 4, "Onion Messages".
"""

from __future__ import annotations

from typing import TypeAlias

from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceError, InvoiceRequest, Offer
from lnoffers.bolt12.blinded_paths import BlindedPath
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.blinding import Hop, blind
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.messages import OnionMessage
from lnoffers.net.onion_messages import Payload, ReceivedMessage, wrap

InvoiceReply: TypeAlias = Invoice | InvoiceError


@typechecked
def paths_to_issuer(offer: Offer, path_key: bytes) -> tuple[BlindedPath, ...]:
    """Return the paths to the offer's issuer, best first.

    These are the offer's own paths or, if it has none, one to the issuer, made with `path_key`, 32 unpredictable bytes.
    That path has no path_id, which would mean that the issuer made it.

    Raises:
        LocalProtocolError: if the offer has neither paths nor an issuer id.
    """
    if offer.offer_paths:
        return tuple(offer.offer_paths)
    if offer.offer_issuer_id is None:
        raise LocalProtocolError("the offer has neither paths nor an issuer id")
    return (blind(path_key, [Hop(offer.offer_issuer_id, b"")]),)


@typechecked
def ask(session_key: bytes, path: BlindedPath, request: InvoiceRequest, reply_path: BlindedPath | None) -> OnionMessage:
    """Return the message that requests an invoice; the arguments are those of `onion_messages.wrap`.

    A request that ends a recurrence needs no reply.
    """
    return wrap(session_key, path, Payload.build(invoice_request=request.to_bytes(), reply_path=reply_path))


@typechecked
def reply(session_key: bytes, reply_path: BlindedPath, message: InvoiceReply, *, for_ldk: bool = False) -> OnionMessage:
    """Return the message that answers a request along its `reply_path`.

    The issuer takes the request and the path from the `Payload` that it received. It parses the request itself, because
    it must be able to answer one that cannot be parsed. `for_ldk` writes an error as LDK reads it.
    """
    if isinstance(message, Invoice):
        payload = Payload.build(invoice=message.to_bytes())
    else:
        payload = Payload.build(invoice_error=message.to_ldk_bytes() if for_ldk else message.to_bytes())
    return wrap(session_key, reply_path, payload)


@typechecked
def read_reply(received: ReceivedMessage) -> InvoiceReply | None:
    """Return the invoice or the error in a message, or None if it contains neither. It is parsed, but not verified.

    Raises:
        RemoteProtocolError: if it cannot be read.
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
    reason = f"{error.message}: {error.detail}" if error.detail else error.message
    return RemoteProtocolError(f"{what}: {reason}", hint=Hint.DROP)
