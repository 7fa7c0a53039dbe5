"""The commands of a node in a network: those of the service, and those that need channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from clnrpc.runtime.server.convert import Converter, raw_text
from lnoffers.service.commands import OffersService
from lnoffers.service.parameters.invoices import invoice_label, preimage
from lnoffers.service.parameters.strings import MAX_INVOICE, one_of, string_to_read
from lnstandin.network.funds import FundsCommands
from lnstandin.network.invoicing import InvoicingCommand
from lnstandin.network.paying import PayingCommands
from lnstandin.network.payments import PaymentsCommands

_STATUS: Final = one_of("pending", "complete", "failed")
_INDEX: Final = one_of("created", "updated", otherwise="unknown index")
_CONVERTERS: Final[dict[str, Mapping[str, Converter]]] = {
    "invoice": {"label": invoice_label, "preimage": preimage, "description": raw_text},
    "pay": {"bolt11": string_to_read(MAX_INVOICE)},
    "listpays": {"bolt11": string_to_read(MAX_INVOICE), "status": _STATUS, "index": _INDEX},
    "listsendpays": {"bolt11": string_to_read(MAX_INVOICE), "status": _STATUS, "index": _INDEX},
}


class LightningService(FundsCommands, InvoicingCommand, PayingCommands, PaymentsCommands, OffersService):
    """The service of one node of a network."""

    rpc_converters: ClassVar = _CONVERTERS
