"""The messages of the offers flow: a request along a path to the issuer, and an answer along the payer's reply path.

    payer                                             issuer
      invoice_request, with a reply_path  ------------->
      <------------------  invoice, or invoice_error

    payee                            payer, whose request has no offer
      invoice, with a reply_path  --------------------->
      <-------------------------------  invoice_error

A message is sent along one of the paths of the offer or the request. If that has none, the sender makes a path that
contains only the issuer, or the payer. The sender recognises the answer by the secret in its reply path. BOLT 12,
"Flow"; BOLT 4, "Onion Messages".
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
Target: TypeAlias = Offer | InvoiceRequest
"""An offer, for messages to its issuer, or a request without an offer, for messages to its payer."""


@typechecked
def paths_of(target: Target) -> tuple[BlindedPath, ...]:
    """Return the paths to a target that it contains itself, best first."""
    return tuple((target.offer_paths if isinstance(target, Offer) else target.invreq_paths) or ())


@typechecked
def node_of(target: Target) -> bytes | None:
    """Return the id of the node that a target names, 33 bytes; None if it names none."""
    return target.offer_issuer_id if isinstance(target, Offer) else target.invreq_payer_id


@typechecked
def paths_to(target: Target, path_key: bytes) -> tuple[BlindedPath, ...]:
    """Return the paths to a target, best first.

    These are its own paths or, if it has none, one to its node, made with `path_key`, 32 unpredictable bytes. That path
    has no path_id, which would mean that the node made it.

    Raises:
        LocalProtocolError: if the target has neither paths nor a node id.
    """
    if paths := paths_of(target):
        return paths
    node_id = node_of(target)
    if node_id is None:
        names = ("offer", "issuer") if isinstance(target, Offer) else ("request", "payer")
        raise LocalProtocolError("the {} has neither paths nor an {} id".format(*names))
    return (blind(path_key, [Hop(node_id, b"")]),)


@typechecked
def ask(
    session_key: bytes, path: BlindedPath, sent: InvoiceRequest | Invoice, reply_path: BlindedPath | None
) -> OnionMessage:
    """Return the message with a request or an invoice; the other arguments are those of `onion_messages.wrap`.

    A request that ends a recurrence needs no reply.
    """
    if isinstance(sent, Invoice):
        payload = Payload.build(invoice=sent.to_bytes(), reply_path=reply_path)
    else:
        payload = Payload.build(invoice_request=sent.to_bytes(), reply_path=reply_path)
    return wrap(session_key, path, payload)


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
