"""The service: all families of commands in one class, as a dispatcher wants them."""

from __future__ import annotations

from lnoffers.service.commands.decode import DecodeCommand
from lnoffers.service.commands.fetchinvoice import FetchCommands
from lnoffers.service.commands.invoicerequests import InvoicerequestCommands
from lnoffers.service.commands.listpays import ListpaysCommands
from lnoffers.service.commands.offers import OfferCommands
from lnoffers.service.commands.paybyhand import PaybyhandCommands
from lnoffers.service.commands.peers import PeerCommands
from lnoffers.service.commands.process import ProcessCommands
from lnoffers.service.commands.proofs import ProofCommands
from lnoffers.service.commands.runes import RuneCommands
from lnoffers.service.commands.sendinvoice import SendinvoiceCommands
from lnoffers.service.commands.xpay import XpayCommands


class OffersService(
    OfferCommands,
    InvoicerequestCommands,
    SendinvoiceCommands,
    FetchCommands,
    XpayCommands,
    ListpaysCommands,
    ProofCommands,
    PaybyhandCommands,
    DecodeCommand,
    RuneCommands,
    PeerCommands,
    ProcessCommands,
):
    """The service of one node. Call its methods with typed requests, or let a dispatcher or server call them.

    A call that comes alone is durable when its method returns; within `node.store.group()`, when that is left.
    """
