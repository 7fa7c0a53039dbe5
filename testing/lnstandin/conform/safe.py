"""The commands that `conform` calls without being asked for side effects: which, why they are safe, and with what.

A command that is not in the table is never called. Parameters come from what the node has answered so far, or are such
that they cannot meet anything: the hash of nothing, a label that nobody uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeAlias

Params: TypeAlias = dict[str, Any]
NOTHING: Final = "00" * 32
"""A hash, or an id, that nothing has."""
NOBODY: Final = "lnstandin-conform: nobody has this label"
_MOST: Final = 3
"""How many values of one kind are tried."""


@dataclass(slots=True)
class Known:
    """The node's answers so far, by command."""

    answers: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, command: str, answer: Any) -> None:
        """Remember an answer."""
        self.answers.setdefault(command, []).append(answer)

    def pick(self, command: str, path: str) -> Iterator[Any]:
        """Yield the first few different values at a path, such as `peers[].id`, in the answers to a command."""
        found = (value for answer in self.answers.get(command, ()) for value in _at(answer, path.split(".")))
        return islice(dict.fromkeys(value for value in found if isinstance(value, str | int)), _MOST)


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    name, *rest = path
    inner = value.get(name.removesuffix("[]")) if isinstance(value, dict) else None
    for each in inner if isinstance(inner, list) and name.endswith("[]") else () if inner is None else (inner,):
        yield from _at(each, rest)


Source: TypeAlias = Callable[[Known], Iterator[Params]]


@dataclass(frozen=True, slots=True)
class Safe:
    """Why a command is safe, and the parameters of its calls."""

    why: str
    sources: tuple[Source, ...]

    def calls(self, known: Known) -> Iterator[Params]:
        """Yield the parameters to call it with."""
        for source in self.sources:
            yield from source(known)


def _safe(why: str, *sources: Source) -> Safe:
    return Safe(why, sources)


def fixed(**params: Any) -> Source:
    """Return a source of these parameters."""
    return lambda _: iter((params,))


def of(parameter: str, command: str, path: str, **others: Any) -> Source:
    """Return a source of calls, each with one value from the answers to a command."""
    return lambda known: ({parameter: value, **others} for value in known.pick(command, path))


def _own_signature(known: Known) -> Iterator[Params]:
    for signature in known.pick("signmessage", "zbase"):
        for node in known.pick("getinfo", "id"):
            yield {"message": "lnstandin", "zbase": signature, "pubkey": node}


def _route(known: Known) -> Iterator[Params]:
    for source in known.pick("getinfo", "id"):
        for target in known.pick("listpeers", "peers[].id"):
            yield {
                "source": source,
                "destination": target,
                "amount_msat": 1000,
                "layers": ["auto.localchans"],
                "maxfee_msat": 1000,
                "final_cltv": 18,
            }


def _hops(known: Known) -> Iterator[Params]:
    for hop in known.pick("getinfo", "id"):
        yield {"hops": [{"pubkey": hop, "payload": "0a0208" + "00" * 8}], "assocdata": NOTHING}


def _indexes(_: Known) -> Iterator[Params]:
    for subsystem in ("invoices", "forwards", "sendpays", "htlcs", "chainmoves", "channelmoves"):
        for index in ("created", "updated", "deleted"):
            if not (subsystem.endswith("moves") and index != "created"):
                yield {"subsystem": subsystem, "indexname": index, "nextvalue": 0}


_READS: Final = "it only reads"
_COMPUTES: Final = "it computes its answer from its parameters"
_SIGNS: Final = "it signs a text that begins as no other message does"
_ABSENT: Final = "it is called for something that does not exist"
_HERE: Final = "it concerns this connection only"
_PAST: Final = "it waits for something that has happened, or cannot"
_LISTED: Final = {"index": "created", "start": 0, "limit": 2}

TABLE: Final[Mapping[str, Safe]] = {
    "getinfo": _safe(_READS, fixed()),
    "help": _safe(_READS, fixed(), fixed(command="getinfo")),
    "check": _safe(_READS, fixed(command_to_check="getinfo")),
    "listconfigs": _safe(_READS, fixed(), fixed(config="network")),
    "listpeers": _safe(_READS, fixed(), of("id", "listpeers", "peers[].id"), fixed(level="info")),
    "listpeerchannels": _safe(
        _READS,
        fixed(),
        of("id", "listpeers", "peers[].id"),
        of("short_channel_id", "listpeerchannels", "channels[].short_channel_id"),
        of("channel_id", "listpeerchannels", "channels[].channel_id"),
    ),
    "listclosedchannels": _safe(_READS, fixed()),
    "listfunds": _safe(_READS, fixed(), fixed(spent=True)),
    "listnodes": _safe(_READS, fixed(), of("id", "listpeers", "peers[].id")),
    "listchannels": _safe(
        _READS,
        fixed(),
        of("short_channel_id", "listchannels", "channels[].short_channel_id"),
        of("source", "listchannels", "channels[].source"),
        of("destination", "listchannels", "channels[].destination"),
    ),
    "listforwards": _safe(_READS, fixed(), fixed(status="settled"), fixed(**_LISTED)),
    "listhtlcs": _safe(_READS, fixed(), of("id", "listpeerchannels", "channels[].short_channel_id")),
    "listinvoices": _safe(
        _READS,
        fixed(),
        of("label", "listinvoices", "invoices[].label"),
        of("payment_hash", "listinvoices", "invoices[].payment_hash"),
        of("invstring", "listinvoices", "invoices[].bolt11"),
        fixed(**_LISTED),
    ),
    "listinvoicerequests": _safe(
        _READS, fixed(), of("invreq_id", "listinvoicerequests", "invoicerequests[].invreq_id")
    ),
    "listoffers": _safe(_READS, fixed(), of("offer_id", "listoffers", "offers[].offer_id"), fixed(active_only=True)),
    "listpays": _safe(
        _READS,
        fixed(),
        of("payment_hash", "listpays", "pays[].payment_hash"),
        fixed(status="complete"),
        fixed(**_LISTED),
    ),
    "listsendpays": _safe(
        _READS, fixed(), of("payment_hash", "listsendpays", "payments[].payment_hash"), fixed(**_LISTED)
    ),
    "listtransactions": _safe(_READS, fixed()),
    "listaddresses": _safe(_READS, fixed(), of("address", "listaddresses", "addresses[].bech32")),
    "listdatastore": _safe(_READS, fixed(), of("key", "listdatastore", "datastore[].key[]")),
    "datastoreusage": _safe(_READS, fixed()),
    "listsqlschemas": _safe(_READS, fixed(), fixed(table="peers")),
    "listnetworkevents": _safe(_READS, fixed(), of("id", "listpeers", "peers[].id")),
    "listchainmoves": _safe(_READS, fixed(), fixed(**_LISTED)),
    "listchannelmoves": _safe(_READS, fixed(), fixed(**_LISTED)),
    "bkpr-listbalances": _safe(_READS, fixed()),
    "bkpr-listincome": _safe(_READS, fixed(), fixed(consolidate_fees=False)),
    "bkpr-listaccountevents": _safe(_READS, fixed(), of("account", "bkpr-listbalances", "accounts[].account")),
    "bkpr-inspect": _safe(_READS, of("account", "listpeerchannels", "channels[].channel_id")),
    "bkpr-channelsapy": _safe(_READS, fixed()),
    "bkpr-report": _safe(_READS, fixed(format="{tag}"), fixed(format="{tag}", headers=["tag"], escape="csv")),
    "feerates": _safe(_READS, fixed(style="perkw"), fixed(style="perkb")),
    "parsefeerate": _safe(_COMPUTES, fixed(feerate="253perkw"), fixed(feerate_str="253perkw")),
    "getlog": _safe(_READS, fixed(), fixed(level="io")),
    "decode": _safe(
        _COMPUTES,
        of("string", "listinvoices", "invoices[].bolt11"),
        of("string", "listinvoices", "invoices[].bolt12"),
        of("string", "listpays", "pays[].bolt11"),
        of("string", "listpays", "pays[].bolt12"),
        of("string", "listoffers", "offers[].bolt12"),
        of("string", "listinvoicerequests", "invoicerequests[].bolt12"),
        of("string", "showrunes", "runes[].rune"),
    ),
    "signmessage": _safe(_SIGNS, fixed(message="lnstandin")),
    "signmessagewithkey": _safe(_SIGNS, of("address", "listaddresses", "addresses[].bech32", message="lnstandin")),
    "checkmessage": _safe(_COMPUTES, _own_signature),
    "createonion": _safe(_COMPUTES, _hops),
    "addpsbtoutput": _safe(
        "with a destination it makes no address", of("destination", "listfunds", "outputs[].address", satoshi=10_000)
    ),
    "setpsbtversion": _safe(_COMPUTES, of("psbt", "addpsbtoutput", "psbt", version=0)),
    "getroute": _safe(_COMPUTES, of("id", "listpeers", "peers[].id", amount_msat=1000, riskfactor=1)),
    "getroutes": _safe(_COMPUTES, _route),
    "askrene-listlayers": _safe(_READS, fixed()),
    "askrene-listreservations": _safe(_READS, fixed()),
    "autoclean-status": _safe(_READS, fixed(), fixed(subsystem="paidinvoices")),
    "showrunes": _safe(_READS, fixed(), of("rune", "showrunes", "runes[].rune")),
    "checkrune": _safe(_COMPUTES, of("rune", "showrunes", "runes[].rune", method="getinfo")),
    "staticbackup": _safe(_READS, fixed()),
    "getemergencyrecoverdata": _safe(_READS, fixed()),
    "sql": _safe(_READS, fixed(query="SELECT COUNT(*) FROM peers")),
    "renepaystatus": _safe(_READS, fixed()),
    "plugin": _safe(_READS, fixed(subcommand="list")),
    "batching": _safe(_HERE, fixed(enable=False)),
    "notifications": _safe(_HERE, fixed(enable=False)),
    "deprecations": _safe(_HERE, fixed(enable=True)),
    "wait": _safe(_PAST, _indexes),
    "waitblockheight": _safe(_PAST, of("blockheight", "getinfo", "blockheight")),
    "waitsendpay": _safe(
        _PAST, fixed(payment_hash=NOTHING), of("payment_hash", "listpays", "pays[].payment_hash", timeout=1)
    ),
    "waitinvoice": _safe(_PAST, fixed(label=NOBODY)),
    "delinvoice": _safe(_ABSENT, fixed(label=NOBODY, status="unpaid")),
    "delpay": _safe(_ABSENT, fixed(payment_hash=NOTHING, status="failed")),
    "deldatastore": _safe(_ABSENT, fixed(key=NOBODY)),
    "disableoffer": _safe(_ABSENT, fixed(offer_id=NOTHING)),
    "enableoffer": _safe(_ABSENT, fixed(offer_id=NOTHING)),
    "disableinvoicerequest": _safe(_ABSENT, fixed(invreq_id=NOTHING)),
    "fundchannel_cancel": _safe(_ABSENT, of("id", "getinfo", "id")),
    "txdiscard": _safe(_ABSENT, fixed(txid=NOTHING)),
}
"""In the order in which they are called, so that later ones can use the answers of earlier ones."""
