"""The routes from the nodes that can be asked to the issuer of an offer, or to the payer who made a request."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from lnoffers.bolt12 import BlindedPath, ChannelEnd
from lnoffers.net.blinding import PATH_KEY_BYTES, prepend
from lnoffers.net.offer_messages import Target, node_of, paths_of, paths_to


class Entry(Hashable, Protocol):
    """A node at which a message can enter the network."""

    @property
    def node_id(self) -> bytes:
        """A compressed point, 33 bytes."""


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Route:
    """A route from an entry.

    Attributes:
        towards: the first node of the target's path, or its node, for people: an id in hex, or the end of a channel.
        path: the path of the message; it begins at the entry.
        is_forwarded: whether the entry is asked to forward the message, though it may not be connected to that node.
        end: the last blinded id of the target's path, which signs if an offer names no issuer; None without a path.
    """

    towards: str
    path: BlindedPath
    is_forwarded: bool
    end: bytes | None


def plan(target: Target, entries: Sequence[E]) -> Mapping[E, Sequence[Route]]:
    """Return the routes from each entry; empty without entries. Both are in the order to try them.

    A path that begins at one of the entries is used unchanged. For any other path, the entries are asked to forward.
    These routes come last, because it is not known whether the entries are connected to the first node of the path.
    """
    direct: list[tuple[E, Route]] = []
    around: list[tuple[E, Route]] = []
    for path in paths_to(target, secrets.token_bytes(PATH_KEY_BYTES)):
        towards, end = node_text(path.first_node_id), path.hops[-1].blinded_node_id if paths_of(target) else None
        for entry in entries:
            # We cannot tell which node is at this end of a channel; the caller may have looked it up.
            if isinstance(path.first_node_id, ChannelEnd) or path.first_node_id == entry.node_id:
                direct.append((entry, Route(towards, path, False, end)))
            else:
                reached = prepend(secrets.token_bytes(PATH_KEY_BYTES), [entry.node_id], path)
                around.append((entry, Route(towards, reached, True, end)))
    return _by_entry([*direct, *around])


def first_nodes(target: Target) -> Sequence[bytes | ChannelEnd]:
    """Return the first nodes of the target's paths; if it has none, its node."""
    return [path.first_node_id for path in paths_of(target)] or [node_of(target) or b""]


def node_text(node: bytes | ChannelEnd) -> str:
    """Return a node as text for people: its id in hex, or a channel and which of its ends."""
    return node.hex() if isinstance(node, bytes) else f"node {node.direction + 1} of channel {node}"


def _by_entry(pairs: Iterable[tuple[E, Route]]) -> dict[E, list[Route]]:
    routes: dict[E, list[Route]] = {}
    for entry, route in pairs:
        routes.setdefault(entry, []).append(route)
    return routes
