"""Money and channels for real nodes."""

from __future__ import annotations

from typing import Final

from tests.interop.chain.addresses import payment
from tests.interop.chain.folder import Chain
from tests.interop.nodes import Node, until

WALLET_SAT: Final = 10_000_000
CHANNEL_SAT: Final = 1_000_000
PUSHED_MSAT: Final = 500_000_000
ANNOUNCE_DEPTH: Final = 6
"""How many blocks deep a channel's funding is when both nodes announce it."""


def fund(chain: Chain, node: Node, amount_sat: int = WALLET_SAT) -> None:
    """Pay the node's wallet, in a block."""
    address = node.client.newaddr(addresstype="bech32").bech32
    assert address is not None
    chain.mine(payments=[payment(address, amount_sat)])

    def has_arrived() -> bool:
        outputs = node.client.listfunds().outputs
        return any(output.address == address and output.status == "confirmed" for output in outputs)

    until(has_arrived, "the node sees its money")


def connect(source: Node, target: Node) -> None:
    """Have one node connect to another."""
    source.client.connect(id=target.id, host="127.0.0.1", port=target.port)


def open_channel(
    chain: Chain,
    source: Node,
    target: Node,
    amount_sat: int = CHANNEL_SAT,
    push_msat: int = PUSHED_MSAT,
    *,
    announce: bool = True,
) -> str:
    """Open a channel from a funded node, and return its short channel id once both nodes can pay through it.

    `push_msat` of it are the target's from the start, so that it can pay, too.
    """
    connect(source, target)
    opened = source.client.fundchannel(id=target.id, amount=amount_sat, push_msat=push_msat, announce=announce)
    chain.mine(ANNOUNCE_DEPTH)
    until(lambda: _scid(target, source, opened.channel_id), "the target's end of the channel is open")
    return until(lambda: _scid(source, target, opened.channel_id), "the source's end of the channel is open")


def is_announced(node: Node, scid: str) -> bool:
    """Return whether the node has heard from both ends how the channel can be used."""
    return len(node.client.listchannels(short_channel_id=scid).channels) == 2


def _scid(node: Node, peer: Node, channel_id: str) -> str | None:
    """Return the short channel id of a channel in normal operation, None if it is not there yet."""
    for channel in node.client.listpeerchannels(id=peer.id).channels:
        if channel.channel_id == channel_id and channel.state == "CHANNELD_NORMAL":
            return channel.short_channel_id
    return None
