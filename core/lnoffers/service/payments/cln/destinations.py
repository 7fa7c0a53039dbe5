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
class Entry:
    """A channel through which payments reach the node: the peer's terms."""

    peer_id: bytes
    """A compressed point, 33 bytes."""
    relay: PaymentRelay
    htlc_minimum_msat: int
    htlc_maximum_msat: int
    receivable_msat: int


def entries(channels: Iterable[ListpeerchannelsChannel], amount_msat: int) -> list[Entry]:
    """Return the channels that can receive the amount now, the one that can receive most first."""
    found = [entry for each in channels if (entry := _entry(each)) is not None]
    enough = [entry for entry in found if min(entry.htlc_maximum_msat, entry.receivable_msat) >= amount_msat]
    return sorted(enough, key=lambda entry: entry.receivable_msat, reverse=True)


def forwards_blinded(features: bytes) -> bool:
    """Return whether a peer with these features forwards payments along blinded paths.

    Some releases of LND claim to, and fail; they do not offer onion messages. Source: plugins/offers_invreq_hook.c.
    """
    return offers(features, ROUTE_BLINDING) and offers(features, ONION_MESSAGES)


def _entry(channel: ListpeerchannelsChannel) -> Entry | None:
    remote = None if channel.updates is None else channel.updates.remote
    if channel.state != "CHANNELD_NORMAL" or not channel.peer_connected or remote is None:
        return None
    return Entry(
        bytes.fromhex(channel.peer_id),
        PaymentRelay(remote.cltv_expiry_delta, remote.fee_proportional_millionths, remote.fee_base_msat),
        remote.htlc_minimum_msat,
        remote.htlc_maximum_msat,
        channel.receivable_msat or 0,
    )


@dataclass(frozen=True, slots=True)
class Target:
    """The end of a path: the node, and what it demands for one of its invoices."""

    node_id: bytes
    """A compressed point, 33 bytes."""
    payment_secret: bytes = field(repr=False)
    """32 bytes."""
    delta: int
    """Blocks in which the node can claim the payment."""
    expires_at: int
    """The height of the chain when the invoice expires."""


def destination(path_key: bytes, target: Target, entry: Entry | None = None) -> Destination:
    """Return the path to the node, and its fees; `path_key` are 32 unpredictable bytes.

    `entry` is the channel through which the path leads if the node is not announced.
    """
    delta = max(target.delta, LEAST_DELTA)
    last = PaymentConstraints(min(target.expires_at + LENIENCE + delta, _U32_MAX), 0)
    data = HopData.build(path_id=target.payment_secret, payment_constraints=last)
    hops = [Hop(target.node_id, data.to_bytes())]
    fees = BlindedPayinfo(
        fee_base_msat=0,
        fee_proportional_millionths=0,
        cltv_expiry_delta=delta,
        htlc_minimum_msat=0,
        htlc_maximum_msat=ALL_BITCOIN,
        features=b"",
    )
    if entry is not None:
        hops, fees = [_hop_of(entry, target.node_id, last), *hops], _fees_of(entry, delta)
    return Destination([blind(path_key, hops)], [fees])


def _hop_of(entry: Entry, node_id: bytes, last: PaymentConstraints) -> Hop:
    until = min(last.max_cltv_expiry + entry.relay.cltv_expiry_delta, _U32_MAX)
    constraints = PaymentConstraints(until, entry.htlc_minimum_msat)
    data = HopData.build(next_node_id=node_id, payment_relay=entry.relay, payment_constraints=constraints)
    return Hop(entry.peer_id, data.to_bytes())


def _fees_of(entry: Entry, delta: int) -> BlindedPayinfo:
    return BlindedPayinfo(
        fee_base_msat=entry.relay.fee_base_msat,
        fee_proportional_millionths=entry.relay.fee_proportional_millionths,
        cltv_expiry_delta=entry.relay.cltv_expiry_delta + delta,
        htlc_minimum_msat=entry.htlc_minimum_msat,
        htlc_maximum_msat=min(entry.htlc_maximum_msat, entry.receivable_msat),
        features=b"",
    )
