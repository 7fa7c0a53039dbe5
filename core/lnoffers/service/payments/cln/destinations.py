"""Payment paths that end at the Core Lightning node, for invoices of this node.

The node takes a payment if the path_id in its hop's data is the payment_secret of the BOLT 11 invoice with the same
payment hash. That is how it treats every path_id of 32 bytes, and no specification says so. To be safe, other releases
must be tested (`tests/interop/test_payments_receiving.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lnoffers.bolt12 import BlindedPayinfo
from lnoffers.net.blinding import Hop, blind
from lnoffers.net.features import ONION_MESSAGES, ROUTE_BLINDING, offers
from lnoffers.net.hop_data import HopData, PaymentConstraints, PaymentRelay
from lnoffers.service.payment_paths import ALL_BITCOIN
from lnoffers.service.payments.backend import Destination

if TYPE_CHECKING:
    from clnrpc.types import ListpeerchannelsChannel

LEAST_DELTA: Final = 18
"""The lowest cltv delta of the last hop, in blocks.

A payer adds it to the chain's height, and the node demands at least its `cltv-final`: 18 on bitcoin, 10 elsewhere."""
LENIENCE: Final = 1008
"""Blocks for which a path can be used beyond the invoice's expiry: payers add some, to hide where the path ends."""
_U32_MAX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class IncomingChannel:
    """A channel through which payments reach the node: the peer's terms."""

    peer_id: bytes
    """A compressed point, 33 bytes."""
    relay: PaymentRelay
    htlc_minimum_msat: int
    htlc_maximum_msat: int
    receivable_msat: int


def incoming_channels(channels: Iterable[ListpeerchannelsChannel], amount_msat: int) -> list[IncomingChannel]:
    """Return the channels that can receive the amount now, the one that can receive most first."""
    found = [channel for each in channels if (channel := _incoming(each)) is not None]
    enough = [channel for channel in found if min(channel.htlc_maximum_msat, channel.receivable_msat) >= amount_msat]
    return sorted(enough, key=lambda channel: channel.receivable_msat, reverse=True)


def forwards_blinded(features: bytes) -> bool:
    """Return whether a peer with these features forwards payments along blinded paths.

    Some releases of LND claim to, and fail; they do not offer onion messages. Source: plugins/offers_invreq_hook.c.
    """
    return offers(features, ROUTE_BLINDING) and offers(features, ONION_MESSAGES)


def _incoming(channel: ListpeerchannelsChannel) -> IncomingChannel | None:
    remote = None if channel.updates is None else channel.updates.remote
    if channel.state != "CHANNELD_NORMAL" or not channel.peer_connected or remote is None:
        return None
    return IncomingChannel(
        bytes.fromhex(channel.peer_id),
        PaymentRelay(remote.cltv_expiry_delta, remote.fee_proportional_millionths, remote.fee_base_msat),
        remote.htlc_minimum_msat,
        remote.htlc_maximum_msat,
        channel.receivable_msat or 0,
    )


@dataclass(frozen=True, slots=True)
class PathEnd:
    """The end of a path: the node, and what it demands for one of its invoices."""

    node_id: bytes
    """A compressed point, 33 bytes."""
    payment_secret: bytes = field(repr=False)
    """32 bytes."""
    delta: int
    """Blocks in which the node can claim the payment."""
    expires_at: int
    """The height of the chain when the invoice expires."""


def destination(path_key: bytes, end: PathEnd, channel: IncomingChannel | None = None) -> Destination:
    """Return the path to the node, and its fees; `path_key` are 32 unpredictable bytes.

    `channel` is the one through which the path leads if the node is not announced.
    """
    delta = max(end.delta, LEAST_DELTA)
    last = PaymentConstraints(min(end.expires_at + LENIENCE + delta, _U32_MAX), 0)
    data = HopData.build(path_id=end.payment_secret, payment_constraints=last)
    hops = [Hop(end.node_id, data.to_bytes())]
    fees = BlindedPayinfo(
        fee_base_msat=0,
        fee_proportional_millionths=0,
        cltv_expiry_delta=delta,
        htlc_minimum_msat=0,
        htlc_maximum_msat=ALL_BITCOIN,
        features=b"",
    )
    if channel is not None:
        hops, fees = [_hop_of(channel, end.node_id, last), *hops], _fees_of(channel, delta)
    return Destination([blind(path_key, hops)], [fees])


def _hop_of(channel: IncomingChannel, node_id: bytes, last: PaymentConstraints) -> Hop:
    until = min(last.max_cltv_expiry + channel.relay.cltv_expiry_delta, _U32_MAX)
    constraints = PaymentConstraints(until, channel.htlc_minimum_msat)
    data = HopData.build(next_node_id=node_id, payment_relay=channel.relay, payment_constraints=constraints)
    return Hop(channel.peer_id, data.to_bytes())


def _fees_of(channel: IncomingChannel, delta: int) -> BlindedPayinfo:
    return BlindedPayinfo(
        fee_base_msat=channel.relay.fee_base_msat,
        fee_proportional_millionths=channel.relay.fee_proportional_millionths,
        cltv_expiry_delta=channel.relay.cltv_expiry_delta + delta,
        htlc_minimum_msat=channel.htlc_minimum_msat,
        htlc_maximum_msat=min(channel.htlc_maximum_msat, channel.receivable_msat),
        features=b"",
    )
