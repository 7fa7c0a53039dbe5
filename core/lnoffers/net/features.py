"""The feature bits of BOLT 9 as a table: those that a peer may require, and those that we offer.

A pair of bits stands for one feature: the even bit requires it, the odd bit offers it. A peer that requires a feature
which is not in the table must be disconnected. Features of channels do not matter, because no channel is opened here.
So all rows are known, and only some are offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lnoffers.bolt12.features import bitmap, first_unknown_bit
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError


@typechecked
@dataclass(frozen=True, slots=True)
class Feature:
    """A row of the table of features.

    Attributes:
        bit: the even one of the pair; the odd one is the next.
        name: the specification's.
        needs: the even bit of the feature that must be set with it; None if there is none or every node has it.
        offered: whether this side sets the odd bit.
    """

    bit: int
    name: str
    needs: int | None = None
    offered: bool = False


FEATURES: Final = (
    Feature(0, "option_data_loss_protect", offered=True),
    Feature(4, "option_upfront_shutdown_script"),
    Feature(6, "gossip_queries"),
    Feature(8, "var_onion_optin", offered=True),
    Feature(10, "gossip_queries_ex"),
    Feature(12, "option_static_remotekey", offered=True),
    Feature(14, "payment_secret", offered=True),
    Feature(16, "basic_mpp"),
    Feature(18, "option_support_large_channel"),
    Feature(22, "option_anchors"),
    Feature(24, "option_route_blinding"),
    Feature(26, "option_shutdown_anysegwit"),
    Feature(28, "option_dual_fund"),
    Feature(34, "option_quiesce"),
    Feature(36, "option_attribution_data"),
    Feature(38, "option_onion_messages", offered=True),
    Feature(42, "option_provide_storage"),
    Feature(44, "option_channel_type", offered=True),
    Feature(46, "option_scid_alias"),
    Feature(48, "option_payment_metadata"),
    Feature(50, "option_zeroconf", needs=46),
    Feature(60, "option_simple_close", needs=26),
    Feature(62, "option_splice"),
    Feature(66, "option_onion_messages_only_channels"),
)
"""BOLT 9, "Assigned Features". Besides onion messages we offer the features that LDK requires of every peer."""

ROUTE_BLINDING: Final = 24
ONION_MESSAGES: Final = 38
ONION_MESSAGES_ONLY_CHANNELS: Final = 66

OFFERED: Final = bitmap(feature.bit + 1 for feature in FEATURES if feature.offered)
"""The feature bitmap in our `init`."""

_CUSTOM: Final = range(257, 512, 2)
"""bLIP 2 leaves the bits from 256 to 511 to experiments; even ones would make other nodes disconnect."""
_KNOWN: Final = frozenset(feature.bit for feature in FEATURES)


@typechecked
def offers(features: bytes, bit: int) -> bool:
    """Return whether either bit of the pair that begins with the even `bit` is set."""
    return bool(int.from_bytes(features, "big") >> bit & 0b11)


@typechecked
def with_custom(features: bytes, bit: int) -> bytes:
    """Return a bitmap with the feature of an application, an odd bit that no specification uses.

    Raises:
        LocalProtocolError: if the bit is even, below 256, or so high that the bitmap would be longer than 64 bytes.
    """
    if bit not in _CUSTOM:
        raise LocalProtocolError(f"applications have the odd bits from 257 to 511, and {bit} is not one")
    number = int.from_bytes(features, "big") | 1 << bit
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


@typechecked
def check(features: bytes) -> None:
    """Check that a peer with these features can be used. BOLT 1, "The `init` Message".

    Raises:
        RemoteProtocolError: if it requires a feature that is not known, or lacks one that another feature needs.
    """
    unknown = first_unknown_bit(features, _KNOWN)
    if unknown is not None:
        raise RemoteProtocolError(f"the peer requires feature {unknown}, which is unknown here", hint=Hint.WARN)
    for feature in FEATURES:
        if feature.needs is not None and offers(features, feature.bit) and not offers(features, feature.needs):
            raise RemoteProtocolError(
                f"the peer sets feature {feature.bit} ({feature.name}) without feature {feature.needs}", hint=Hint.WARN
            )
