"""The decrypted data for a node of a blinded path, `encrypted_data_tlv` of BOLT 4, as a table of fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from lnoffers.bolt12 import codecs
from lnoffers.bolt12.codecs import Codec, encode_fixed
from lnoffers.bolt12.cursor import numbers
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.message import Field, TlvStream
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import typechecked

_SCID_BYTES: Final = 8


@typechecked
@dataclass(frozen=True, slots=True)
class PaymentRelay:
    """A node's terms for forwarding a payment: u16 blocks, u32 millionths, u32 millisatoshi."""

    cltv_expiry_delta: int
    fee_proportional_millionths: int
    fee_base_msat: int


@typechecked
@dataclass(frozen=True, slots=True)
class PaymentConstraints:
    """The payments that may use the path: up to a block height (u32), from an amount in millisatoshi (u64)."""

    max_cltv_expiry: int
    htlc_minimum_msat: int


def _read_scid(value: bytes) -> int:
    if len(value) != _SCID_BYTES:
        raise Bolt12Error(
            f"a short channel id has {len(value)} bytes where {_SCID_BYTES} are due", rule=RuleName.WRONG_LENGTH
        )
    return int.from_bytes(value, "big")


_relay: Final[Codec[PaymentRelay]] = numbers(PaymentRelay, (2, 4), 4, repr)
_constraints: Final[Codec[PaymentConstraints]] = numbers(PaymentConstraints, (4,), 8, repr)


class HopData(TlvStream):
    """The data for one node of a blinded path."""

    __slots__ = ()

    padding = Field(1, codecs.byte_string)
    short_channel_id = Field(2, Codec(_read_scid, lambda scid: encode_fixed(scid, _SCID_BYTES), lambda scid: scid))
    next_node_id = Field(4, codecs.point)
    path_id = Field(6, codecs.byte_string)
    next_path_key_override = Field(8, codecs.point)
    payment_relay = Field(10, _relay)
    payment_constraints = Field(12, _constraints)
    allowed_features = Field(14, codecs.byte_string)

    @classmethod
    @typechecked
    def build(
        cls,
        *,
        next_node_id: bytes | None = None,
        path_id: bytes | None = None,
        next_path_key_override: bytes | None = None,
        payment_relay: PaymentRelay | None = None,
        payment_constraints: PaymentConstraints | None = None,
    ) -> Self:
        """Return the data for a path of onion messages or, with the last two, of payments.

        Raises:
            Bolt12Error: if a point is not valid.
        """
        return cls._build(
            next_node_id=next_node_id,
            path_id=path_id,
            next_path_key_override=next_path_key_override,
            payment_relay=payment_relay,
            payment_constraints=payment_constraints,
        )
