"""Blinded paths in fields of BOLT 12: the first node and the encrypted hops. BOLT 4, "Route Blinding".

An invoice has a `blinded_payinfo` for each of its paths, with the fees and limits of payments along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from lnoffers.bolt12.codecs import Codec, Json, check_point, encode_fixed
from lnoffers.bolt12.cursor import Cursor, read_all
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import trusted, typechecked

_MAX_HOPS = 0xFF
_MAX_DATA = 0xFFFF
_CHANNEL_END = Struct(">BQ")
_PATH_KEY = Struct(">33sB")
"""The first path key, and the number of hops."""
_HOP = Struct(">33sH")
"""A hop's id, and the length of its data."""
_PAYINFO = Struct(">IIHQQH")
"""The numbers of a payinfo, from its base fee to the length of its features."""


@typechecked
@dataclass(frozen=True, slots=True)
class ChannelEnd:
    """One end of a public channel. It identifies the node there in place of the node's id.

    Attributes:
        direction: 0 for the channel announcement's node_id_1, 1 for node_id_2.
        scid: the short channel id: 3 bytes of block, 3 of transaction, 2 of output, as one number.
    """

    direction: int
    scid: int

    def __str__(self) -> str:
        return f"{self.scid >> 40}x{self.scid >> 16 & 0xFFFFFF}x{self.scid & 0xFFFF}"


@typechecked
@dataclass(frozen=True, slots=True)
class BlindedHop:
    """One hop: its blinded node id (a compressed point), and data that only that node can decrypt."""

    blinded_node_id: bytes
    encrypted_recipient_data: bytes


@typechecked
@dataclass(frozen=True, slots=True)
class BlindedPath:
    """A blinded path.

    Attributes:
        first_node_id: the first node: a compressed point, 33 bytes, or the end of a channel.
        first_path_key: the path key for that node, a compressed point.
        hops: the hops in order. A path without hops can be parsed, but its message breaks a rule.
    """

    first_node_id: bytes | ChannelEnd
    first_path_key: bytes
    hops: tuple[BlindedHop, ...]

    @classmethod
    @typechecked
    def from_bytes(cls, data: bytes) -> BlindedPath:
        """Parse `data` as one path, such as an onion message's `reply_path`.

        Raises:
            Bolt12Error: if it is malformed, or bytes follow the path.
        """
        cursor = Cursor(data)
        path = _read_path(cursor)
        cursor.finish()
        return path

    def to_bytes(self) -> bytes:
        """Return the inverse of `from_bytes`.

        Raises:
            Bolt12Error: if a value does not fit its field.
        """
        return _encode_path(self)


@typechecked
@dataclass(frozen=True, slots=True)
class BlindedPayinfo:
    """The fees of a payment along all hops of a path, and the payments that the path allows.

    Attributes:
        fee_base_msat: u32.
        fee_proportional_millionths: u32.
        cltv_expiry_delta: u16, in blocks.
        htlc_minimum_msat: u64.
        htlc_maximum_msat: u64.
        features: a bitmap; a payer that does not know one of its even bits must not use the path.
    """

    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int
    htlc_minimum_msat: int
    htlc_maximum_msat: int
    features: bytes


_path, _hop = trusted(BlindedPath), trusted(BlindedHop)
_payinfo, _channel_end = trusted(BlindedPayinfo), trusted(ChannelEnd)


def _read_path(cursor: Cursor) -> BlindedPath:
    first = cursor.point() if cursor.peek() > 1 else _channel_end(*cursor.unpack(_CHANNEL_END))
    path_key, hop_count = cursor.unpack(_PATH_KEY)
    return _path(first, check_point(path_key), tuple([_read_hop(cursor) for _ in range(hop_count)]))


def _read_hop(cursor: Cursor) -> BlindedHop:
    node_id, length = cursor.unpack(_HOP)
    return _hop(check_point(node_id), cursor.take(length))


def _encode_first_node(first: bytes | ChannelEnd) -> bytes:
    if isinstance(first, bytes):
        return check_point(first)
    if first.direction not in (0, 1) or not 0 <= first.scid < 1 << 64:
        raise Bolt12Error(f"{first!r} is no end of a channel", rule=RuleName.CHANNEL_END)
    return first.direction.to_bytes(1, "big") + first.scid.to_bytes(8, "big")


def _encode_hop(hop: BlindedHop) -> bytes:
    data = hop.encrypted_recipient_data
    if len(data) > _MAX_DATA:
        raise Bolt12Error(f"a hop's data has {len(data)} bytes; at most {_MAX_DATA} fit", rule=RuleName.HOP_TOO_LONG)
    return check_point(hop.blinded_node_id) + len(data).to_bytes(2, "big") + data


def _encode_path(path: BlindedPath) -> bytes:
    if len(path.hops) > _MAX_HOPS:
        raise Bolt12Error(f"a path has {len(path.hops)} hops; at most {_MAX_HOPS} fit", rule=RuleName.PATH_TOO_LONG)
    start = _encode_first_node(path.first_node_id) + check_point(path.first_path_key)
    return start + len(path.hops).to_bytes(1, "big") + b"".join(map(_encode_hop, path.hops))


def _read_payinfo(cursor: Cursor) -> BlindedPayinfo:
    base, millionths, delta, minimum, maximum, length = cursor.unpack(_PAYINFO)
    return _payinfo(base, millionths, delta, minimum, maximum, cursor.take(length))


def _encode_payinfo(payinfo: BlindedPayinfo) -> bytes:
    return b"".join(
        (
            encode_fixed(payinfo.fee_base_msat, 4),
            encode_fixed(payinfo.fee_proportional_millionths, 4),
            encode_fixed(payinfo.cltv_expiry_delta, 2),
            encode_fixed(payinfo.htlc_minimum_msat, 8),
            encode_fixed(payinfo.htlc_maximum_msat, 8),
            encode_fixed(len(payinfo.features), 2),
            payinfo.features,
        )
    )


def payinfo_to_json(payinfo: BlindedPayinfo) -> dict[str, Json]:
    """Return the JSON members of a path's payinfo, as in the result of `decode`."""
    return {
        "fee_base_msat": payinfo.fee_base_msat,
        "fee_proportional_millionths": payinfo.fee_proportional_millionths,
        "cltv_expiry_delta": payinfo.cltv_expiry_delta,
        "htlc_minimum_msat": payinfo.htlc_minimum_msat,
        "htlc_maximum_msat": payinfo.htlc_maximum_msat,
        "features": payinfo.features.hex(),
    }


def path_to_json(path: BlindedPath, payinfo: BlindedPayinfo | None = None) -> dict[str, Json]:
    """Return the JSON members of a path, as in the result of `decode`, including its payinfo if there is one."""
    first = path.first_node_id
    shown: dict[str, Json] = (
        {"first_node_id": first.hex()}
        if isinstance(first, bytes)
        else {"first_scid": str(first), "first_scid_dir": first.direction}
    )
    shown["first_path_key"] = path.first_path_key.hex()
    if payinfo is not None:
        shown["payinfo"] = payinfo_to_json(payinfo)
    shown["path"] = [
        {
            "blinded_node_id": hop.blinded_node_id.hex(),
            "encrypted_recipient_data": hop.encrypted_recipient_data.hex(),
        }
        for hop in path.hops
    ]
    return shown


def first_empty_path(paths: Sequence[BlindedPath] | None) -> int | None:
    """Return the index of the first path without hops, which is not allowed, or None."""
    return next((index for index, path in enumerate(paths or ()) if not path.hops), None)


blinded_paths: Codec[tuple[BlindedPath, ...]] = Codec(
    lambda value: read_all(value, _read_path),
    lambda paths: b"".join(map(_encode_path, paths)),
    lambda paths: [path_to_json(path) for path in paths],
)
blinded_payinfos: Codec[tuple[BlindedPayinfo, ...]] = Codec(
    lambda value: read_all(value, _read_payinfo),
    lambda payinfos: b"".join(map(_encode_payinfo, payinfos)),
    lambda payinfos: [payinfo_to_json(payinfo) for payinfo in payinfos],
)
