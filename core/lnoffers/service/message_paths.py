"""The blinded paths by which onion messages reach this node, in its offers and its requests."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lnoffers.bolt12 import BlindedPath
from lnoffers.bolt12.tlv import select
from lnoffers.net.blinding import PATH_KEY_BYTES, message_path
from lnoffers.service.errors import ServiceError
from lnoffers.service.node import Node

if TYPE_CHECKING:
    from lnoffers.bolt12 import NodeKeys
    from lnoffers.bolt12.message import Message
    from lnoffers.bolt12.tlv import Span


_PATH_ID_BYTES: Final = 32


class PathKeyError(ServiceError):
    """The bytes drawn are no path key, with a probability of 1 in 2^128, unless entropy is injected."""


def fronts(node: Node) -> Sequence[bytes]:
    """Return the nodes through which this one is reached: the only ones that are allowed, else those of `--via`."""
    options = node.options
    return options.payment_fronting_nodes or [address.node_id for address in options.via]


def ways_through(node: Node, through: Sequence[bytes]) -> Sequence[Sequence[bytes]]:
    """Return the nodes of a path to this node through each of these nodes."""
    return [[front, node.keys.node_id] for front in through]


def message_paths(node: Node, ways: Sequence[Sequence[bytes]], identity: bytes) -> Sequence[BlindedPath]:
    """Return a path along each of these lists of nodes, which end at this node.

    `identity` is the id of the offer or the request, 32 bytes, from before it has paths.

    Raises:
        EntropyError: if too little is left for the path keys.
        PathKeyError: if the bytes drawn are no path key.
    """
    path_id = node.keys.path_id(identity)
    drawn = node.entropy.draw(PATH_KEY_BYTES * len(ways))
    keys = [drawn[start : start + PATH_KEY_BYTES] for start in range(0, len(drawn), PATH_KEY_BYTES)]
    try:
        return [message_path(key, way, path_id) for key, way in zip(keys, ways, strict=True)]
    except ValueError as error:
        raise PathKeyError(f"The path key that was drawn is of no use: {error}") from error


def own_path_id(path_id: bytes | None) -> bytes | None:
    """Return a path_id if this node can have made it, else None.

    Its own have 32 bytes. Others may make a path to this node with anything else in it; as in Core Lightning
    (common/onion_message_parse.c), a message along that path is handled as if it had no path_id.
    """
    return path_id if path_id is not None and len(path_id) == _PATH_ID_BYTES else None


def expected_path_id(keys: NodeKeys, message: Message, paths: int, span: Span) -> bytes:
    """Return the path_id, 32 bytes, of the paths in an offer or a request of this node, or in what repeats it.

    `paths` is the number of the field with the paths. `span` has the types of the records of the offer or the request.
    """
    others = [record for record in message.records if record.type != paths]
    return keys.path_id(sha256(select(others, span)).digest())
