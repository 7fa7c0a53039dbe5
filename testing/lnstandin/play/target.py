"""What is paid: an invoice of BOLT 12 or BOLT 11, as far as play money needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from lnoffers import bolt11
from lnoffers.bolt12 import Invoice

if TYPE_CHECKING:
    from lnoffers.bolt12 import BlindedPath


class UnreachableError(ValueError):
    """The invoice is paid along a path, and play money goes straight to the payee."""


@dataclass(frozen=True, slots=True)
class Target:
    """The end of a payment."""

    invoice: bytes
    """As in `ledger.Sent`."""
    payment_hash: bytes
    """32 bytes."""
    payee: bytes
    """A node id, 33 bytes."""
    path_key: bytes | None = None
    """A compressed point, 33 bytes, with BOLT 12."""
    recipient_data: bytes | None = None
    """The encrypted path_id, with BOLT 12."""
    payment_secret: bytes | None = field(default=None, repr=False)
    """32 bytes, with BOLT 11."""

    @classmethod
    def of_bolt12(cls, invoice: Invoice) -> Self:
        """Return the payee of a verified invoice.

        Raises:
            UnreachableError: if its first path has several hops.
        """
        assert invoice.invoice_payment_hash is not None  # it is verified
        path: BlindedPath | None = invoice.invoice_paths[0] if invoice.invoice_paths else None
        if path is None or len(path.hops) != 1 or not isinstance(path.first_node_id, bytes):
            raise UnreachableError("play money goes straight to the payee, and the invoice's first path is longer")
        data = path.hops[0].encrypted_recipient_data
        end = (path.first_node_id, path.first_path_key, data)
        return cls(invoice.to_bytes(), invoice.invoice_payment_hash, *end)

    @classmethod
    def of_bolt11(cls, invoice: bolt11.Invoice) -> Self:
        """Return the payee of an invoice."""
        string = invoice.encode().encode()
        return cls(string, invoice.payment_hash, invoice.payee, payment_secret=invoice.payment_secret)

    @classmethod
    def read(cls, invoice: bytes) -> Self:
        """Return the payee of an invoice in the ledger."""
        if is_bolt11(invoice):
            return cls.of_bolt11(bolt11.Invoice.parse(invoice.decode()))
        return cls.of_bolt12(Invoice.from_bytes(invoice))


def is_bolt11(invoice: bytes) -> bool:
    """Return whether an invoice in the ledger is a string of BOLT 11. No invoice of BOLT 12 begins with such a type."""
    return invoice.startswith(b"ln")
