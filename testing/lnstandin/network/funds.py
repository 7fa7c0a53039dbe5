"""listfunds, listpeerchannels and getinfo: the channels of a node, and what they hold."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from hashlib import sha256
from typing import Final, Literal

from clnrpc import types
from clnrpc.runtime.errors import INVALID_PARAMS, RpcError
from lnoffers.service.commands.process import ProcessCommands
from lnstandin.network.base import NetworkCommands
from lnstandin.play.channels import Channel
from lnstandin.play.ledger import Received, Sent, State
from lnstandin.play.messages import Pay

BLOCK_HEIGHT: Final = 110
"""Of a chain that nobody needs."""
DUST_MSAT: Final = 546_000
UNLIMITED: Final = 2**64 - 1
TO_SELF_DELAY: Final = 6
CLTV_DELTA: Final = 6
MAX_HTLCS: Final = 483
"""What channels of lightningd on regtest have."""


class FundsCommands(NetworkCommands, ProcessCommands):
    """listfunds, listpeerchannels, getinfo."""

    def listfunds(self, request: types.ListfundsRequest) -> Awaitable[types.ListfundsResponse]:  # noqa: ARG002
        """Return the channels and this node's share of each. Nothing is on chain."""
        return self._listed_funds()

    async def _listed_funds(self) -> types.ListfundsResponse:
        channels = await self._play.ledger.channels()
        return types.ListfundsResponse(outputs=[], channels=[self._fund(each) for each in channels])

    def _fund(self, channel: Channel) -> types.ListfundsChannel:
        return types.ListfundsChannel(
            peer_id=channel.peer.hex(),
            connected=self._peers.link(channel.peer) is not None,
            state="CHANNELD_NORMAL",
            channel_id=channel.funding_txid,
            short_channel_id=channel.short_channel_id,
            our_amount_msat=channel.owned_msat,
            amount_msat=channel.capacity_msat,
            funding_txid=channel.funding_txid,
            funding_output=0,
        )

    def listpeerchannels(self, request: types.ListpeerchannelsRequest) -> Awaitable[types.ListpeerchannelsResponse]:
        """Return the channels with their balances and what is in flight, or one of them."""
        if sum(each is not None for each in (request.id, request.short_channel_id, request.channel_id)) > 1:
            raise RpcError(INVALID_PARAMS, "Must not specify more than one of short_channel_id, channel_id or id")
        return self._listed_channels(request)

    async def _listed_channels(self, request: types.ListpeerchannelsRequest) -> types.ListpeerchannelsResponse:
        ledger = self._play.ledger
        channels, sent, taken = await ledger.channels(), await ledger.all_sent(), await ledger.all_taken()
        return types.ListpeerchannelsResponse(
            channels=[self._channel(each, sent, taken) for each in channels if _is_chosen(each, request)]
        )

    def _channel(
        self, channel: Channel, all_sent: Sequence[Sent], all_taken: Sequence[Received]
    ) -> types.ListpeerchannelsChannel:
        sent = [one for one in all_sent if one.payee == channel.peer]
        taken = [one for one in all_taken if one.payer == channel.peer]
        arriving = self._play.receiver.arriving(channel.peer)
        is_connected = self._peers.link(channel.peer) is not None
        paid, pending = ([one for one in sent if one.state is state] for state in (State.PAID, State.PENDING))
        return types.ListpeerchannelsChannel(
            peer_id=channel.peer.hex(),
            peer_connected=is_connected,
            reestablished=is_connected,
            state="CHANNELD_NORMAL",
            owner="channeld",
            lost_state=False,
            ignore_fee_limits=False,
            channel_type=types.ListpeerchannelsChannelChannelType(
                bits=[12, 22], names=["static_remotekey/even", "anchors/even"]
            ),
            short_channel_id=channel.short_channel_id,
            direction=int(self._node.keys.node_id > channel.peer),
            channel_id=channel.funding_txid,
            funding_txid=channel.funding_txid,
            funding_outnum=0,
            private=False,
            opener="local" if channel.is_opener else "remote",
            features=["option_static_remotekey", "option_anchors"],
            alias=types.ListpeerchannelsChannelAlias(
                local=_alias(self._node.keys.node_id, channel), remote=_alias(channel.peer, channel)
            ),
            updates=types.ListpeerchannelsChannelUpdates(
                local=types.ListpeerchannelsChannelUpdatesLocal(**_policy(channel)),
                remote=types.ListpeerchannelsChannelUpdatesRemote(**_policy(channel)),
            ),
            funding=types.ListpeerchannelsChannelFunding(
                local_funds_msat=channel.capacity_msat if channel.is_opener else 0,
                remote_funds_msat=0 if channel.is_opener else channel.capacity_msat,
                pushed_msat=channel.capacity_msat // 2,
            ),
            to_us_msat=channel.owned_msat,
            total_msat=channel.capacity_msat,
            fee_base_msat=0,
            fee_proportional_millionths=0,
            our_reserve_msat=0,
            their_reserve_msat=0,
            dust_limit_msat=DUST_MSAT,
            our_max_htlc_value_in_flight_msat=UNLIMITED,
            their_max_htlc_value_in_flight_msat=UNLIMITED,
            our_to_self_delay=TO_SELF_DELAY,
            their_to_self_delay=TO_SELF_DELAY,
            max_accepted_htlcs=MAX_HTLCS,
            spendable_msat=channel.our_msat,
            receivable_msat=channel.receivable_msat,
            minimum_htlc_in_msat=0,
            minimum_htlc_out_msat=0,
            maximum_htlc_out_msat=channel.capacity_msat,
            status=["CHANNELD_NORMAL:Channel ready for use."],
            in_payments_offered=len(taken) + len(arriving),
            in_offered_msat=_sum(taken) + _sum(arriving),
            in_payments_fulfilled=len(taken),
            in_fulfilled_msat=_sum(taken),
            out_payments_offered=len(sent),
            out_offered_msat=_sum(sent),
            out_payments_fulfilled=len(paid),
            out_fulfilled_msat=_sum(paid),
            htlcs=[
                *(_htlc("in", number, one) for number, one in enumerate(arriving, len(taken))),
                *(_htlc("out", one.created_index - 1, one) for one in pending),
            ],
        )

    def getinfo(self, request: types.GetinfoRequest) -> types.GetinfoResponse:
        """Return who this node is, with the number of its channels."""
        response, peers = super().getinfo(request), self._play.ledger.channel_peers
        response.num_active_channels = sum(self._peers.link(each) is not None for each in peers)
        response.num_inactive_channels = len(peers) - response.num_active_channels
        response.blockheight = BLOCK_HEIGHT
        return response


def funding_txid(one: bytes, other: bytes) -> str:
    """Return the funding transaction of the channel between two nodes (33 bytes each), in hex. No chain has it."""
    return sha256(b"".join(sorted([one, other]))).hexdigest()


def _alias(node_id: bytes, channel: Channel) -> str:
    """Return the short channel id that a node would give the channel before it is on the chain."""
    digest = sha256(node_id + bytes.fromhex(channel.funding_txid)).digest()
    block, transaction, output = (int.from_bytes(digest[start : start + 2]) for start in (0, 2, 4))
    return f"{block}x{transaction}x{output}"


def _policy(channel: Channel) -> dict[str, int]:
    """Return what a node asks from those who pay through it."""
    return {
        "htlc_minimum_msat": 0,
        "htlc_maximum_msat": channel.capacity_msat,
        "cltv_expiry_delta": CLTV_DELTA,
        "fee_base_msat": 0,
        "fee_proportional_millionths": 0,
    }


def _htlc(direction: Literal["in", "out"], number: int, payment: Sent | Pay) -> types.ListpeerchannelsChannelHtlc:
    """Return a payment that is in flight."""
    return types.ListpeerchannelsChannelHtlc(
        direction=direction,
        id=number,
        amount_msat=payment.amount_msat,
        expiry=BLOCK_HEIGHT + 10,
        payment_hash=payment.payment_hash.hex(),
        state="RCVD_ADD_ACK_REVOCATION" if direction == "in" else "SENT_ADD_ACK_REVOCATION",
        local_trimmed=True if payment.amount_msat < DUST_MSAT else None,
    )


def _is_chosen(channel: Channel, request: types.ListpeerchannelsRequest) -> bool:
    return (
        request.id in (None, channel.peer.hex())
        and request.short_channel_id in (None, channel.short_channel_id)
        and request.channel_id in (None, channel.funding_txid)
    )


def _sum(payments: Iterable[Sent | Received | Pay]) -> int:
    return sum(one.amount_msat for one in payments)
