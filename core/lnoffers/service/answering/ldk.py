"""Whether LDK has sent a request, which then gets errors in a form of its own.

LDK writes and expects the length of an invoice_error before it, and drops one without. Then its user waits until the
request expires, and does not learn why. Nothing in a request names the software that made it, but
some of its parts are LDK's alone together (decision 0081).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from lnoffers.bolt12 import BlindedPath, InvoiceRequest

_PAYMENT_ID_BYTES: Final = 32
_TAG_BYTES: Final = 16
_CONTEXT_BYTES: Final = 96
_ROUND_BYTES: Final = 100

Trait = Callable[[InvoiceRequest, BlindedPath], bool]


def _holds_context(path: BlindedPath) -> bool:
    size = len(path.hops[-1].encrypted_recipient_data) - _TAG_BYTES
    return size == _CONTEXT_BYTES or (size > _CONTEXT_BYTES and size % _ROUND_BYTES == 0)


TRAITS: Final[Mapping[str, Trait]] = {
    "the metadata is an encrypted payment id of 32 bytes": (
        lambda request, _: len(request.invreq_metadata or b"") == _PAYMENT_ID_BYTES
    ),
    "there is no invreq_features, which Core Lightning writes without bytes": (
        lambda request, _: request.invreq_features is None
    ),
    "the reply path ends in LDK's own context, of 96 bytes or padded to hundreds, not in a path_id of 32 bytes": (
        lambda _, path: _holds_context(path)
    ),
}
"""What each request of LDK has. Only all of them together show that it is one."""


def has_sent(request: InvoiceRequest, reply_path: BlindedPath) -> bool:
    """Return whether LDK has sent a request with this reply path."""
    return all(holds(request, reply_path) for holds in TRAITS.values())
