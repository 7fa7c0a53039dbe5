"""What `conform --with-side-effects` does to a node: it makes, pays, opens and deletes things, on regtest only.

Each effect is a function that makes calls through the conformance, so that their answers are compared. Nodes are asked
for what the effects need; if a node cannot do something, such as pay without a channel, the call fails, which is noted
and is no finding. Peers are other nodes of the caller, with channels to the first one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from lnoffers.service.errors import ServiceError
from lnstandin.conform.events import watching
from lnstandin.conform.node import Node, Reply
from lnstandin.conform.parameters import POINT, compare_rules
from lnstandin.conform.run import Conformance, drive

REGTEST: Final = "regtest"
_MSAT: Final = 5_000
_DELAY: Final = 18
_THROTTLE: Final = 1.0
"""Seconds between onion messages: nodes drop those that come faster than four a second."""
_SETTLE: Final = 3.0
"""Seconds in which the last events arrive."""


class NotRegtestError(ServiceError):
    """The node is on a network with money."""


@dataclass(frozen=True)
class Setting:
    """What the effects work on: the conformance, the caller's other nodes, and the first node's id."""

    conformance: Conformance
    peers: Sequence[Node]
    id: str

    def call(self, command: str, **params: Any) -> Any:
        """Call a command of the node; return its result, or an empty object if it failed or has no document."""
        return _result(self.conformance.call(command, params))


def run_effects(conformance: Conformance, peers: Sequence[Node], progress: Callable[[str], None]) -> None:
    """Carry out all effects, compare every answer and event, then call what is safe again: there is more to list now.

    Raises:
        NotRegtestError: if one of the nodes is on another network; nothing has been done then.
        NodeError: if a node does not answer, or does not start the plugin that watches its events.
    """
    check_regtest([conformance.node, *peers])
    setting = Setting(conformance, peers, _regtest_id(conformance.node))
    names = [f"{kind}/{name}" for kind, name in conformance.documents if kind != "rpc"]
    with watching(conformance.node, names) as events:
        for effect in EFFECTS:
            name = effect.__name__.removeprefix("_").replace("_", " ")
            progress(name)
            try:
                effect(setting)
            except (KeyError, TypeError, ValueError) as error:  # an answer lacks what its document promises
                conformance.results.failed[name] = f"not finished, as an answer lacked something: {error!r}"
        conformance.call_safe(set(conformance.usages()), progress)
        time.sleep(_SETTLE)
        seen = list(events.read())
    for event, payload in seen:
        compare_event(conformance, event, payload)


def check_regtest(nodes: Sequence[Node]) -> None:
    """Raise NotRegtestError unless all nodes are on regtest."""
    for node in nodes:
        _regtest_id(node)


def compare_event(conformance: Conformance, event: str, payload: Any) -> None:
    """Compare the payload of an event, `notification/NAME` or `hook/NAME`, with its document."""
    kind, _, name = event.partition("/")
    document = conformance.documents.get((kind, name))
    if document is not None:
        schema = document.response if kind == "notification" else document.request
        conformance.results.compare(f"{kind} {name}", schema, payload, "payload")


def _regtest_id(node: Node) -> str:
    reply = node.ask("getinfo")
    network = None if reply.failed else reply.result.get("network")
    if network != REGTEST:
        raise NotRegtestError(
            f"--with-side-effects creates and pays, so it needs nodes on {REGTEST}; this one is on {network}"
        )
    identity: str = reply.result["id"]
    return identity


def _result(reply: Reply) -> Mapping[str, Any]:
    result: Mapping[str, Any] = {} if reply.failed else reply.result
    return result


def _label() -> str:
    return f"conform-{secrets.token_hex(6)}"


def _invoice_of(peer: Node, amount_msat: int | str = _MSAT) -> Mapping[str, Any]:
    """Return a new invoice of a peer; an empty object if it makes none."""
    return _result(peer.ask("invoice", {"amount_msat": amount_msat, "label": _label(), "description": "conform"}))


def _make_addresses(setting: Setting) -> None:
    for kind in ("bech32", "p2tr", "all"):
        setting.call("newaddr", addresstype=kind)


def _make_invoices(setting: Setting) -> None:
    preimage, label = secrets.token_hex(32), _label()
    setting.call("invoice", amount_msat="any", label=_label(), description="any amount")
    setting.call("invoice", amount_msat=1000, label=_label(), description="long", deschashonly=True)
    setting.call("createinvoice", invstring="lnbcrt1", label=_label(), preimage=preimage)
    made = setting.call("invoice", amount_msat=1000, label=label, description="one", preimage=preimage, expiry=600)
    if not made:
        return
    setting.call("decode", string=made["bolt11"])
    setting.call("signinvoice", invstring=made["bolt11"])
    setting.call("preapproveinvoice", bolt11=made["bolt11"])
    setting.call("delinvoice", label=label, status="unpaid")
    setting.call("createinvoice", invstring=made["bolt11"], label=label, preimage=preimage)


def _make_offers(setting: Setting) -> None:
    offer = setting.call("offer", amount="any", description="conform", label=_label())
    if offer:
        setting.call("disableoffer", offer_id=offer["offer_id"])
        setting.call("disableoffer", offer_id=offer["offer_id"])
        setting.call("enableoffer", offer_id=offer["offer_id"])
        setting.call("enableoffer", offer_id=offer["offer_id"])
    request = setting.call("invoicerequest", amount="1000msat", description="conform")
    if request:
        setting.call("disableinvoicerequest", invreq_id=request["invreq_id"])


def _store_data(setting: Setting) -> None:
    key = ["conform", secrets.token_hex(6)]
    setting.call("datastore", key=key, string="one")
    setting.call("datastore", key=key, hex="00", mode="must-replace")
    setting.call("listdatastore", key=key)
    setting.call("datastoreusage", key=key)
    setting.call("deldatastore", key=key)


def _make_runes(setting: Setting) -> None:
    rune = setting.call("createrune", restrictions=[["method=getinfo"]])
    if rune:
        setting.call("checkrune", rune=rune["rune"], method="getinfo")
        setting.call("decode", string=rune["rune"])
        setting.call("blacklistrune", start=int(rune["unique_id"]), end=int(rune["unique_id"]))
        setting.call("checkrune", rune=rune["rune"], method="getinfo")


def _make_layers(setting: Setting) -> None:
    layer, channel = _label(), "1x1x1"
    direction = f"{channel}/0"
    if not setting.call("askrene-create-layer", layer=layer):
        return
    in_layer = {"layer": layer}
    setting.call(
        "askrene-create-channel",
        **in_layer,
        source=setting.id,
        destination=POINT,
        short_channel_id=channel,
        capacity_msat=1_000_000,
    )
    setting.call("askrene-update-channel", **in_layer, short_channel_id_dir=direction, fee_base_msat=1)
    for inform in ("constrained", "unconstrained", "succeeded"):
        setting.call(
            "askrene-inform-channel", **in_layer, short_channel_id_dir=direction, amount_msat=_MSAT, inform=inform
        )
    setting.call("askrene-bias-channel", **in_layer, short_channel_id_dir=direction, bias=1)
    setting.call("askrene-bias-node", **in_layer, node=POINT, direction="in", bias=1)
    setting.call("askrene-disable-node", **in_layer, node=POINT)
    setting.call("askrene-listlayers", layer=layer)
    path = [{"short_channel_id_dir": direction, "amount_msat": _MSAT}]
    if not setting.conformance.call("askrene-reserve", {"path": path}).failed:
        setting.call("askrene-listreservations")
        setting.call("askrene-unreserve", path=path)
    setting.call("askrene-age", **in_layer, cutoff=1)
    setting.call("askrene-remove-channel-update", **in_layer, short_channel_id_dir=direction)
    setting.call("askrene-remove-layer", **in_layer)


def _change_settings(setting: Setting) -> None:
    setting.call("setconfig", config="min-capacity-sat", val=10_000, transient=True)
    setting.call("autoclean-once", subsystem="expiredinvoices", age=2**31)
    setting.call("makesecret", string="conform")
    setting.call("sql", query="SELECT COUNT(*) FROM peers")
    with TemporaryDirectory(prefix="lnstandin-") as folder:
        setting.call("bkpr-dumpincomecsv", csv_format="koinly", csv_file=str(Path(folder, "income.csv")))


def _make_transactions(setting: Setting) -> None:
    address: str = setting.call("newaddr", addresstype="bech32")["bech32"]
    prepared = setting.call("txprepare", outputs=[{address: 10_000}])
    if prepared:
        setting.call("txdiscard", txid=prepared["txid"])
    funded = setting.call("fundpsbt", satoshi=10_000, feerate="253perkw", startweight=0, reserve=10)
    if funded:
        setting.call("reserveinputs", psbt=funded["psbt"], exclusive=False, reserve=10)
        setting.call("unreserveinputs", psbt=funded["psbt"], reserve=20)
        inputs = [f"{each['txid']}:{each['vout']}" for each in funded.get("reservations", ())]
        setting.call(
            "utxopsbt", satoshi=1000, feerate="253perkw", startweight=0, utxos=inputs, reserve=0, reservedok=True
        )
    setting.call("withdraw", destination=address, satoshi=10_000)


def _talk(setting: Setting) -> None:
    for peer in setting.peers:
        identity = _regtest_id(peer)
        setting.call("ping", id=identity)
        setting.call("sendcustommsg", node_id=identity, msg="ffff00")
        peer.ask("sendcustommsg", {"node_id": setting.id, "msg": "ffff00"})


def _pay(setting: Setting) -> None:
    for peer in setting.peers:
        identity = _regtest_id(peer)
        paid = _invoice_of(peer)
        setting.call("xpay", invstring=paid.get("bolt11"))
        setting.call("xpay", invstring=paid.get("bolt11"))
        setting.call("pay", bolt11=_invoice_of(peer).get("bolt11"))
        setting.call("renepay", invstring=_invoice_of(peer).get("bolt11"))
        free = _invoice_of(peer, "any")
        setting.call("sendamount", invstring=free.get("bolt11"), amount_msat=_MSAT)
        setting.call("preapprovekeysend", destination=identity, payment_hash=secrets.token_hex(32), amount_msat=_MSAT)
        setting.call("xkeysend", destination=identity, amount_msat=_MSAT)
        setting.call("keysend", destination=identity, amount_msat=_MSAT)
        invoice = _invoice_of(peer)
        route = setting.call("getroute", id=identity, amount_msat=_MSAT, riskfactor=1).get("route")
        if route and invoice:
            known = {"payment_hash": invoice["payment_hash"]}
            setting.call("sendpay", route=route, **known, payment_secret=invoice["payment_secret"])
            setting.call("waitsendpay", **known, timeout=60)
        _send_onion(setting, identity, route)


def _send_onion(setting: Setting, target: str, route: Sequence[Mapping[str, Any]] | None) -> None:
    """Send an onion to a peer that fails it, as it knows no such payment."""
    if not route:
        return
    height = setting.call("getinfo")["blockheight"] + _DELAY
    payload = b"\x02\x02" + _MSAT.to_bytes(2, "big") + b"\x04\x02" + height.to_bytes(2, "big")
    onion = setting.call(
        "createonion",
        hops=[{"pubkey": target, "payload": (bytes((len(payload),)) + payload).hex()}],
        assocdata=(payment_hash := secrets.token_hex(32)),
    )
    if onion:
        setting.call(
            "sendonion",
            onion=onion["onion"],
            first_hop={"id": target, "amount_msat": _MSAT, "delay": _DELAY},
            payment_hash=payment_hash,
            shared_secrets=onion["shared_secrets"],
        )
        setting.call("waitsendpay", payment_hash=payment_hash, timeout=60)


def _use_offers(setting: Setting) -> None:
    for peer in setting.peers:
        offer = _result(peer.ask("offer", {"amount": "5000msat", "description": _label()}))
        fetched = setting.call("fetchinvoice", offer=offer.get("bolt12"))
        time.sleep(_THROTTLE)
        if fetched:
            setting.call("xpay", invstring=fetched["invoice"])
            setting.call("createproof", invstring=fetched["invoice"])
        request = _result(peer.ask("invoicerequest", {"amount": "5000msat", "description": "conform"}))
        setting.call("sendinvoice", invreq=request.get("bolt12"), label=_label())
        time.sleep(2 * _THROTTLE)


def _be_paid(setting: Setting) -> None:
    for peer in setting.peers:
        label = _label()
        invoice = setting.call("invoice", amount_msat=_MSAT, label=label, description="conform")
        if invoice and not peer.ask("xpay", {"invstring": invoice["bolt11"]}).failed:
            setting.call("waitinvoice", label=label)
            setting.call("waitanyinvoice", lastpay_index=0, timeout=0)
            setting.call("delinvoice", label=label, status="paid", desconly=True)


def _forward(setting: Setting) -> None:
    """Have one peer pay another one; if they have no channel with each other, the payment passes through the node."""
    for payer, payee in permutations(setting.peers, 2):
        invoice = _invoice_of(payee)
        if invoice:
            payer.ask("xpay", {"invstring": invoice["bolt11"]})


def _start_channels(setting: Setting) -> None:
    """Begin to open channels with each option alone, and cancel each before any money moves."""
    document = setting.conformance.command("fundchannel_start")
    if document is None or not setting.peers:
        return
    identity, port = _regtest_id(setting.peers[0]), _port(setting.peers[0])

    def start(params: Mapping[str, Any]) -> Reply:
        reply = setting.conformance.call("fundchannel_start", params)
        setting.conformance.call("fundchannel_cancel", {"id": identity})
        setting.call("connect", id=identity, host="127.0.0.1", port=port)  # the end of an opening may end it
        return reply

    setting.conformance.results.add(drive(compare_rules(document, {"id": identity, "amount": 100_000}), start))


def _change_channels(setting: Setting) -> None:
    """Set the fees of the channels to what they are."""
    for channel in setting.call("listpeerchannels").get("channels", ()):
        ours = channel.get("updates", {}).get("local")
        if ours:
            fees = {"feebase": ours["fee_base_msat"], "feeppm": ours["fee_proportional_millionths"]}
            setting.call("setchannel", id=channel["channel_id"], **fees)


def _forget(setting: Setting) -> None:
    """Delete the records of a payment and of a forward."""
    for payment in setting.call("listsendpays", status="failed").get("payments", ())[-1:]:
        setting.call("delpay", payment_hash=payment["payment_hash"], status="failed")
    for forward in setting.call("listforwards", status="settled").get("forwards", ())[-1:]:
        names = {"in_channel": forward["in_channel"], "in_htlc_id": forward["in_htlc_id"]}
        setting.call("delforward", **names, status="settled")
    for payment in setting.call("listsendpays", status="complete").get("payments", ())[-1:]:
        known = payment["payment_hash"]
        setting.call("bkpr-editdescriptionbypaymentid", payment_id=known, description="conform")


def _reconnect(setting: Setting) -> None:
    for peer in setting.peers:
        identity = _regtest_id(peer)
        setting.call("disconnect", id=identity, force=True)
        setting.call("connect", id=identity, host="127.0.0.1", port=_port(peer))


def _port(node: Node) -> int | None:
    bindings = _result(node.ask("getinfo")).get("binding", ())
    ports = [each["port"] for each in bindings if each.get("type") == "ipv4"]
    return ports[0] if ports else None


EFFECTS: Final[Sequence[Callable[[Setting], None]]] = (
    _make_addresses,
    _make_invoices,
    _make_offers,
    _store_data,
    _make_runes,
    _make_layers,
    _change_settings,
    _make_transactions,
    _talk,
    _pay,
    _use_offers,
    _be_paid,
    _forward,
    _change_channels,
    _start_channels,
    _forget,
    _reconnect,
)
"""In the order in which they are carried out."""
