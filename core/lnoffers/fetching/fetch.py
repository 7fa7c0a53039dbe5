"""Fetch an invoice: send the request, and verify the answer.

A request can use any path of its offer. Only the addresses that the caller gives are known. So the first node of a path
is at one of these addresses, or is reached through one of these nodes, which forwards onion messages to its own peers.
The answer comes back through the node that was asked.

Each request and each connection has a new key, so nobody can link two of them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from typing import Final

from lnoffers.bolt12 import (
    Bolt12Error,
    Invoice,
    InvoiceRequest,
    KeyPair,
    KeySigner,
    Offer,
    RuleName,
    Signer,
    decode,
)
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.fetching.asking import ask_in_turn
from lnoffers.fetching.dialing import Proxy
from lnoffers.fetching.question import Question, verified_invoice
from lnoffers.fetching.talk import AtAddress
from lnoffers.net.address import Address

METADATA_BYTES: Final = 16


@typechecked
async def fetch_invoice(  # noqa: PLR0913 - one parameter per choice
    offer: Offer | str,
    *,
    connect: str | Iterable[str] = (),
    amount: int | None = None,
    quantity: int | None = None,
    payer_note: str | None = None,
    max_amount: int | None = None,
    timeout: float = 60.0,
    chain: bytes | None = None,
    proxy: str | None = None,
    signer: Signer | None = None,
) -> Invoice:
    """Request an invoice from the issuer of an offer, and verify it completely.

    Args:
        offer: an offer, or its string as people paste it.
        connect: addresses of nodes, ID@HOST:PORT: the issuer, first nodes of the offer's paths, or nodes that are
            connected to these and forward onion messages.
        amount: millisatoshi to pay; needed if the offer names no price, else at least that.
        quantity: how many items, if the offer sells several.
        payer_note: a note for the issuer.
        max_amount: the largest amount of the invoice, in millisatoshi. Without it the invoice must be for `amount`, or
            for the offer's price, which then must not be in a currency.
        timeout: seconds for the whole fetch.
        chain: the hash of one of the offer's chains, 32 bytes; bitcoin's if the offer allows it, else its first.
        proxy: HOST:PORT of a SOCKS5 proxy through which to connect, such as Tor's, 127.0.0.1:9050; it resolves the host
            names. Without it, .onion addresses cannot be used.
        signer: the payer's key, needed to prove the payment later; by default a new key that is discarded.

    Raises:
        AddressError: if one of `connect`, or `proxy`, is not an address.
        Bolt12Error: if the offer is malformed or has expired, or the request does not fit it.
        FetchError: if no invoice arrives that answers the request; its `reason` says why.
    """
    addresses = [Address.parse(text) for text in ([connect] if isinstance(connect, str) else connect)]
    through = None if proxy is None else Proxy.parse(proxy)
    wanted = _offer(offer) if isinstance(offer, str) else offer
    wanted.check_unexpired(int(time.time()))
    chains = wanted.offer_chains or (BITCOIN,)
    payer = KeySigner(KeyPair(secrets.token_bytes(32))) if signer is None else signer
    request = InvoiceRequest.for_offer(
        wanted,
        invreq_metadata=secrets.token_bytes(METADATA_BYTES),
        invreq_payer_id=payer.public_key,
        invreq_chain=chain or (BITCOIN if BITCOIN in chains else chains[0]),
        invreq_amount=amount,
        invreq_quantity=quantity,
        invreq_payer_note=payer_note,
    ).sign(payer)
    question = Question(request)
    chain_hash = request.invreq_chain or BITCOIN
    entries = [AtAddress(address, chain_hash, through) for address in addresses]
    answered = await ask_in_turn(wanted, question, entries, timeout)
    return verified_invoice(answered, request, max_amount=max_amount, now=int(time.time()))


def _offer(text: str) -> Offer:
    message = decode(text)
    if not isinstance(message, Offer):
        raise Bolt12Error(
            f"This string is no offer but an {message.kind}: it should start with lno1.", rule=RuleName.TEXT_PREFIX
        )
    return message
