"""The routes of a request to the issuer of its offer, from the nodes that can be asked."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from lnoffers.bolt12 import BlindedPath, ChannelEnd, Offer
from lnoffers.net.blinding import PATH_KEY_BYTES, prepend
from lnoffers.net.offer_messages import paths_to_issuer


class Entry(Hashable, Protocol):
    """A node at which a request can enter the network."""

    @property
    def node_id(self) -> bytes:
        """A compressed point, 33 bytes."""


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Route:
    """A route from an entry.

    Attributes:
        towards: the first node of the offer's path, or the issuer, for people: an id in hex, or the end of a channel.
        path: the path of the request; it begins at the entry.
        is_forwarded: whether the entry is asked to forward the request, though it may not be connected to that node.
        end: the last blinded id of the offer's path, which signs if the offer names no issuer; None without a path.
    """

    towards: str
    path: BlindedPath
    is_forwarded: bool
    end: bytes | None


def plan(offer: Offer, entries: Sequence[E]) -> Mapping[E, Sequence[Route]]:
    """Return the routes from each entry; empty without entries. Both are in the order to try them.

    A path that begins at one of the entries is used unchanged. For any other path, the entries are asked to forward.
    These routes come last, because it is not known whether the entries are connected to the first node of the path.
    """
    direct: list[tuple[E, Route]] = []
    around: list[tuple[E, Route]] = []
    for path in paths_to_issuer(offer, secrets.token_bytes(PATH_KEY_BYTES)):
        towards, end = node_text(path.first_node_id), path.hops[-1].blinded_node_id if offer.offer_paths else None
        for entry in entries:
            # We cannot tell which node is at this end of a channel; the caller may have looked it up.
            if isinstance(path.first_node_id, ChannelEnd) or path.first_node_id == entry.node_id:
                direct.append((entry, Route(towards, path, False, end)))
            else:
                reached = prepend(secrets.token_bytes(PATH_KEY_BYTES), [entry.node_id], path)
                around.append((entry, Route(towards, reached, True, end)))
    return _by_entry([*direct, *around])


def first_nodes(offer: Offer) -> Sequence[bytes | ChannelEnd]:
    """Return the first nodes of the offer's paths; if it has none, its issuer."""
    return [path.first_node_id for path in offer.offer_paths or ()] or [offer.offer_issuer_id or b""]


def node_text(node: bytes | ChannelEnd) -> str:
    """Return a node as text for people: its id in hex, or a channel and which of its ends."""
    return node.hex() if isinstance(node, bytes) else f"node {node.direction + 1} of channel {node}"


def _by_entry(pairs: Iterable[tuple[E, Route]]) -> dict[E, list[Route]]:
    routes: dict[E, list[Route]] = {}
    for entry, route in pairs:
        routes.setdefault(entry, []).append(route)
    return routes
