"""The parameters that are not read as their type in the document says, and how they are read instead.

For all others, the converters of the dialect's types are in `clnrpc.runtime.server.convert`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clnrpc.runtime.server.convert import Converter, raw_text, unsigned
from lnoffers.service.clock import TIME_BITS
from lnoffers.service.parameters.invoices import OF_INVOICES
from lnoffers.service.parameters.offers import OF_OFFER
from lnoffers.service.parameters.texts import label, string_to_read

__all__ = ["CONVERTERS"]

# lightningd takes the texts of check, decode and help as they are written, escapes and all, and takes any token.
CONVERTERS: Final[Mapping[str, Mapping[str, Converter]]] = {
    "check": {"command_to_check": raw_text},
    "decode": {"string": string_to_read},
    "dev-inject": {"time": unsigned(TIME_BITS)},
    "help": {"command": raw_text},
    "invoicerequest": {"label": label},
    "offer": OF_OFFER,
    **OF_INVOICES,
}
"""Command -> parameter -> converter."""
