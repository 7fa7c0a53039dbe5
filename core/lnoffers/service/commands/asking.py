"""The base of the commands that send requests or invoices to other nodes and await their answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest, Offer
from lnoffers.fetching import FetchError
from lnoffers.fetching.asking import ask_in_turn
from lnoffers.fetching.question import Question, verified_invoice
from lnoffers.net.errors import LocalProtocolError
from lnoffers.service import request_terms
from lnoffers.service.commands.base import Commands
from lnoffers.service.commands.fetch_errors import error_for
from lnoffers.service.entropy import EntropyError
from lnoffers.service.peers.entries import Entries, entries

if TYPE_CHECKING:
    from lnoffers.net.offer_messages import Target
    from lnoffers.service.peers import Peers
    from lnoffers.service.peers.pending import AwaitedAnswer
    from lnoffers.service.request_terms import Terms

METADATA_BYTES: Final = 16
FETCH_SECONDS: Final = 60
"""The default of the time for a fetch."""


class AskingCommands(Commands):
    """Commands that ask other nodes."""

    @property
    def _chain(self) -> bytes:
        return CHAINS[self._node.options.network]

    def _new_metadata(self) -> bytes:
        """Draw the metadata of a request, from which its payer's key follows."""
        try:
            return self._node.entropy.draw(METADATA_BYTES)
        except EntropyError as error:
            raise RpcError(GENERIC, str(error)) from error

    def _signed(self, offer: Offer, terms: Terms, metadata: bytes) -> InvoiceRequest:
        keys = self._node.keys
        unsigned = request_terms.build(offer, terms, metadata, keys.payer_id(metadata), self._chain)
        return unsigned.sign(keys.payer_signer(metadata))

    def _entries(self, peers: Peers, target: Target, answer: AwaitedAnswer) -> Entries:
        """Return the nodes at which a message can enter the network. Call it in the event loop."""
        options = self._node.options
        return entries(peers, target, options.peers, options.via, answer)

    async def _fetched(
        self, peers: Peers, offer: Offer, question: Question, *, max_amount: int | None, seconds: float
    ) -> Invoice:
        """Send a request for an invoice, and return the verified invoice.

        Raises:
            RpcError: if none arrives.
        """
        ways, request = self._entries(peers, offer, asyncio.get_running_loop().create_future()), question.sent
        assert isinstance(request, InvoiceRequest)
        try:
            answered = await ask_in_turn(offer, question, ways, seconds)
            return verified_invoice(answered, request, max_amount=max_amount, now=self._node.clock.now())
        except FetchError as error:
            raise error_for(error, offer) from error
        except LocalProtocolError as error:
            raise too_long() from error
        finally:
            peers.pending.forget(question.path_ids)


def too_long() -> RpcError:
    """Return the error for a message that does not fit into an onion."""
    return RpcError(INVALID_PARAMS, "Creating onion failed (tlvs too long?)")
