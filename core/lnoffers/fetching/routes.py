"""The routes of a request to the issuer of its offer, from the nodes whose addresses are known."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lnoffers.bolt12 import BlindedPath, ChannelEnd, Offer
from lnoffers.net.address import Address
from lnoffers.net.blinding import PATH_KEY_BYTES, prepend
from lnoffers.net.offer_messages import paths_to_issuer


@dataclass(frozen=True, slots=True)
class Route:
    """A route from a node with a known address.

    Attributes:
        towards: the first node of the offer's path, or the issuer, for people: an id in hex, or the end of a channel.
        path: the path of the request; it begins at the node with the address.
        end: the last blinded id of the offer's path, which signs if the offer names no issuer; None without a path.
    """

    towards: str
    path: BlindedPath
    end: bytes | None


def plan(offer: Offer, addresses: Sequence[Address]) -> Mapping[Address, Sequence[Route]]:
    """Return the routes from each address; empty without addresses. Both are in the order to try them.

    A path that begins at one of the nodes is used unchanged. For any other path, the nodes are asked to forward. These
    routes come last, because it is not known whether the nodes are connected to the first node of the path.
    """
    direct: list[tuple[Address, Route]] = []
    around: list[tuple[Address, Route]] = []
    for path in paths_to_issuer(offer, secrets.token_bytes(PATH_KEY_BYTES)):
        towards, end = first_node(path), path.hops[-1].blinded_node_id if offer.offer_paths else None
        for address in addresses:
            # We cannot tell which node is at this end of a channel; the caller may have looked it up.
            if isinstance(path.first_node_id, ChannelEnd) or path.first_node_id == address.node_id:
                direct.append((address, Route(towards, path, end)))
            else:
                reached = prepend(secrets.token_bytes(PATH_KEY_BYTES), [address.node_id], path)
                around.append((address, Route(towards, reached, end)))
    return _by_address([*direct, *around])


def first_nodes(offer: Offer) -> Sequence[str]:
    """Return the first nodes of the paths to the offer's issuer, or the issuer itself, as text for people."""
    return [first_node(path) for path in paths_to_issuer(offer, secrets.token_bytes(PATH_KEY_BYTES))]


def first_node(path: BlindedPath) -> str:
    """Return the first node of a path, as text: its id in hex, or a channel and which of its ends."""
    first = path.first_node_id
    return first.hex() if isinstance(first, bytes) else f"node {first.direction + 1} of channel {first}"


def _by_address(pairs: Iterable[tuple[Address, Route]]) -> dict[Address, list[Route]]:
    routes: dict[Address, list[Route]] = {}
    for address, route in pairs:
        routes.setdefault(address, []).append(route)
    return routes
