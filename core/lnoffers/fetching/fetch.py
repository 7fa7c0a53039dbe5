"""Fetch an invoice: send the request, and verify the answer.

A request can use any path of its offer. Only the addresses that the caller gives are known. So the first node of a path
is at one of these addresses, or is reached through one of these nodes, which forwards onion messages to its own peers.
The answer comes back through the node that was asked.

Each request and each connection has a new key, so nobody can link two of them.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Final

from lnoffers.bolt12 import (
    Bolt12Error,
    Invoice,
    InvoiceError,
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
from lnoffers.fetching.failures import Attempt, FetchError, Reason, furthest
from lnoffers.fetching.routes import first_nodes, plan
from lnoffers.fetching.talk import Answered, ask_at
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
        max_amount: the largest amount of the invoice, in millisatoshi, if neither `amount` nor the offer gives it,
            as for a price in a currency.
        timeout: seconds for the whole fetch.
        chain: the hash of one of the offer's chains, 32 bytes; bitcoin's if the offer allows it, else its first.
        signer: the payer's key, needed to prove the payment later; by default a new key that is discarded.

    Raises:
        AddressError: if one of `connect` is not an address.
        Bolt12Error: if the offer is malformed or has expired, or the request does not fit it.
        FetchError: if no invoice arrives that answers the request; its `reason` says why.
    """
    addresses = [Address.parse(text) for text in ([connect] if isinstance(connect, str) else connect)]
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
    answered = await _ask_all(wanted, request, addresses, timeout)
    answer = answered.answer
    if isinstance(answer, InvoiceError):
        words = (answer.error or "it does not say why").replace(request.encode(), "…")  # some repeat the whole request
        raise FetchError(Reason.REFUSED, words, answer=answer)
    try:
        answer.verify_answer(request, sent_to=answered.route.end, max_amount=max_amount)
        answer.check_unexpired(int(time.time()))
    except Bolt12Error as error:
        raise FetchError(Reason.BAD_ANSWER, error.message) from error
    return answer


def _offer(text: str) -> Offer:
    message = decode(text)
    if not isinstance(message, Offer):
        raise Bolt12Error(
            f"This string is no offer but an {message.kind}: it should start with lno1.", rule=RuleName.TEXT_PREFIX
        )
    return message


async def _ask_all(offer: Offer, request: InvoiceRequest, addresses: Sequence[Address], seconds: float) -> Answered:
    """Ask the node at each address in turn, until one answers.

    Raises:
        FetchError: if none does.
    """
    routes = plan(offer, addresses)
    if not routes:
        raise furthest([Attempt(node, "", Reason.NO_ADDRESS) for node in first_nodes(offer)])
    clock, failed = asyncio.get_running_loop().time, list[Attempt]()
    deadline, left = clock() + seconds, sum(map(len, routes.values()))
    for address, along in routes.items():
        share = max(deadline - clock(), 0) * len(along) / left
        found = await ask_at(address, along, request, share)
        if isinstance(found, Answered):
            return found
        failed += found
        left -= len(along)
    raise furthest(failed)
