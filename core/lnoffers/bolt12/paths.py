"""Blinded paths as BOLT 12 fields carry them: where to enter, and the encrypted hops. BOLT 4, "Route Blinding"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lnoffers.bolt12.codecs import Codec, Json, check_point
from lnoffers.bolt12.cursor import Cursor
from lnoffers.bolt12.errors import Bolt12Error

_MAX_HOPS = 0xFF
_MAX_DATA = 0xFFFF


@dataclass(frozen=True, slots=True)
class ChannelEnd:
    """One end of a public channel, in place of its node's id.

    Attributes:
        direction: 0 for the channel announcement's node_id_1, 1 for node_id_2.
        scid: the short channel id: 3 bytes of block, 3 of transaction, 2 of output, as one number.
    """

    direction: int
    scid: int

    def __str__(self) -> str:
        return f"{self.scid >> 40}x{self.scid >> 16 & 0xFFFFFF}x{self.scid & 0xFFFF}"


@dataclass(frozen=True, slots=True)
class BlindedHop:
    """One hop: its blinded node id (a compressed point), and what only that node can decrypt."""

    blinded_node_id: bytes
    encrypted_recipient_data: bytes


@dataclass(frozen=True, slots=True)
class BlindedPath:
    """A blinded path.

    Attributes:
        first_node_id: who forwards first: a compressed point, 33 bytes, or the end of a channel.
        first_path_key: the path key for that node, a compressed point.
        hops: the hops in order; a path without any reads, but its message breaks a rule.
    """

    first_node_id: bytes | ChannelEnd
    first_path_key: bytes
    hops: tuple[BlindedHop, ...]


def _read_path(cursor: Cursor) -> BlindedPath:
    first = ChannelEnd(cursor.number(1), cursor.number(8)) if cursor.peek() in (0, 1) else cursor.point()
    path_key = cursor.point()
    hop_count = cursor.number(1)
    return BlindedPath(
        first, path_key, tuple(BlindedHop(cursor.point(), cursor.take(cursor.number(2))) for _ in range(hop_count))
    )


def _decode_paths(value: bytes) -> tuple[BlindedPath, ...]:
    cursor = Cursor(value)
    paths = []
    while not cursor.at_end:
        paths.append(_read_path(cursor))
    return tuple(paths)


def _encode_first_node(first: bytes | ChannelEnd) -> bytes:
    if isinstance(first, bytes):
        return check_point(first)
    if first.direction not in (0, 1) or not 0 <= first.scid < 1 << 64:
        raise Bolt12Error(f"{first!r} is no end of a channel", rule="channel-end")
    return first.direction.to_bytes(1, "big") + first.scid.to_bytes(8, "big")


def _encode_hop(hop: BlindedHop) -> bytes:
    data = hop.encrypted_recipient_data
    if len(data) > _MAX_DATA:
        raise Bolt12Error(f"a hop's data has {len(data)} bytes; at most {_MAX_DATA} fit", rule="hop-too-long")
    return check_point(hop.blinded_node_id) + len(data).to_bytes(2, "big") + data


def _encode_path(path: BlindedPath) -> bytes:
    if len(path.hops) > _MAX_HOPS:
        raise Bolt12Error(f"a path has {len(path.hops)} hops; at most {_MAX_HOPS} fit", rule="path-too-long")
    start = _encode_first_node(path.first_node_id) + check_point(path.first_path_key)
    return start + len(path.hops).to_bytes(1, "big") + b"".join(map(_encode_hop, path.hops))


def _path_to_json(path: BlindedPath) -> Json:
    first = path.first_node_id
    shown: dict[str, Json] = (
        {"first_node_id": first.hex()}
        if isinstance(first, bytes)
        else {"first_scid": str(first), "first_scid_dir": first.direction}
    )
    shown["first_path_key"] = path.first_path_key.hex()
    shown["path"] = [
        {
            "blinded_node_id": hop.blinded_node_id.hex(),
            "encrypted_recipient_data": hop.encrypted_recipient_data.hex(),
        }
        for hop in path.hops
    ]
    return shown


def first_empty_path(paths: Sequence[BlindedPath] | None) -> int | None:
    """The index of the first path without hops, which no message may have, if there is one."""
    return next((index for index, path in enumerate(paths or ()) if not path.hops), None)


blinded_paths: Codec[tuple[BlindedPath, ...]] = Codec(
    _decode_paths,
    lambda paths: b"".join(map(_encode_path, paths)),
    lambda paths: [_path_to_json(path) for path in paths],
)
