"""Calls about invoices, payments and channels between any two nodes, so that their answers can be compared."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clnrpc import Client, RpcError
from lnoffers.bolt11 import CHAINS
from lnoffers.bolt12 import KeyPair
from tests.network.accounts import Later
from tests.network.test_paying import foreign
from tests.service.program import until

CHANNEL_SAT: Final = 1_000_000
"""The channel between the nodes, of which each has half."""
STRANGER: Final = KeyPair(b"\x05" * 32)
ELSEWHERE: Final = foreign(STRANGER, chain=CHAINS["bc"])
UNKNOWN: Final = foreign(STRANGER)
"""Invoices of a node that nobody knows, on another network and on regtest."""
NOBODYS: Final = "ab" * 32
"""A payment hash of which no node knows."""


@dataclass(frozen=True)
class Sides:
    """Two nodes with a channel, of which one pays the other."""

    payer: Client
    payee: Client
    payer_socket: Path
    hold: Callable[[], None]
    """Lets payments to the payee stay pending until `release`."""
    release: Callable[[], None]


@dataclass(frozen=True)
class Answer:
    """What a call was answered: a result or an error."""

    method: str
    result: Any = None
    error: RpcError | None = None


class Recorder:
    """Makes calls, and keeps the answers by method and name."""

    def __init__(self, sides: Sides) -> None:
        self.sides = sides
        self.answers: dict[str, Answer] = {}

    def payer(self, name: str, method: str, /, **params: Any) -> Any:
        """Call the payer, and return the result; None for an error."""
        return self._call(self.sides.payer, name, method, params)

    def payee(self, name: str, method: str, /, **params: Any) -> Any:
        """Call the payee, and return the result; None for an error."""
        return self._call(self.sides.payee, name, method, params)

    def _call(self, client: Client, name: str, method: str, params: Mapping[str, Any]) -> Any:
        name = f"{method} {name}"
        assert name not in self.answers, name
        try:
            answer = Answer(method, client.rpc_call(method, params))
        except RpcError as error:
            answer = Answer(method, error=error)
        self.answers[name] = answer
        return answer.result

    def made(self, label: str, amount: Any = 21_000, **params: Any) -> Any:
        """Return an invoice of the payee, whose answer is not kept."""
        given = {"amount_msat": amount, "label": label, "description": "tea"} | params
        return self.sides.payee.rpc_call("invoice", given)

    def pays(self, payment_hash: str) -> Any:
        """Return the payer's attempts at a payment; the answer is not kept."""
        return self.sides.payer.rpc_call("listpays", {"payment_hash": payment_hash})["pays"]

    def expired(self, label: str) -> Any:
        """Return an invoice that has expired a second ago at least."""
        made = self.made(label, expiry=1)
        until(lambda: time.time() > made["expires_at"] + 1)
        return made


def everything(sides: Sides) -> Mapping[str, Answer]:
    """Make all calls, and return their answers by method and name."""
    recorder = Recorder(sides)
    _channels(recorder)
    _invoices(recorder)
    for method, key in (("xpay", "invstring"), ("pay", "bolt11")):
        _Payments(recorder, method, key).make()
    _lists(recorder)
    return recorder.answers


def _channels(r: Recorder) -> None:
    r.payer("of the opener", "listfunds")
    r.payee("of the other", "listfunds")
    r.payer("spent", "listfunds", spent=True)
    channel = r.payer("of the opener", "listpeerchannels")["channels"][0]
    r.payee("of the other", "listpeerchannels")
    given = {
        "id": channel["peer_id"],
        "short_channel_id": channel["short_channel_id"],
        "channel_id": channel["channel_id"],
    }
    for name, value in given.items():
        r.payer(f"by {name}", "listpeerchannels", **{name: value})
        r.payer(f"by all but {name}", "listpeerchannels", **{each: given[each] for each in given if each != name})
    r.payer("by all three", "listpeerchannels", **given)
    r.payer("unknown peer", "listpeerchannels", id="02" * 33)
    r.payer("own id", "listpeerchannels", id=r.sides.payer.rpc_call("getinfo")["id"])
    r.payer("unknown scid", "listpeerchannels", short_channel_id="1x1x1")
    r.payer("bad scid", "listpeerchannels", short_channel_id="here")
    r.payer("unknown channel id", "listpeerchannels", channel_id=NOBODYS)


def _invoices(r: Recorder) -> None:
    given: dict[str, Any] = {"amount_msat": 21_000, "description": "tea"}
    preimage = secrets.token_hex(32)
    r.payee("for an amount", "invoice", label="made", **given)
    r.payee("for any amount", "invoice", label="made any", **given | {"amount_msat": "any"})
    options = {"preimage": preimage, "expiry": 600, "cltv": 20, "deschashonly": True}
    r.payee("with options", "invoice", label="made options", **given, **options)
    r.payee("more than can arrive", "invoice", label="made large", **given | {"amount_msat": 900_000_000})
    r.payee("label used", "invoice", label="made", **given)
    r.payee("preimage used", "invoice", label="made again", preimage=preimage, **given)
    r.payee("amount 0", "invoice", label="none", **given | {"amount_msat": 0})
    r.payee("no amount", "invoice", label="none", description="")
    r.payee("description too long", "invoice", label="none", **given | {"description": "x" * 640})
    r.payee("bad preimage", "invoice", label="none", preimage="00", **given)
    r.payee("bad fallback", "invoice", label="none", fallbacks=["nowhere"], **given)
    r.payee("unknown parameter", "invoice", label="none", colour="red", **given)
    made = r.payee("by label", "listinvoices", label="made")["invoices"][0]
    r.payee("any amount", "listinvoices", label="made any")
    r.payee("options", "listinvoices", label="made options")
    r.payee("by string", "listinvoices", invstring=made["bolt11"])
    r.payee("by hash", "listinvoices", payment_hash=made["payment_hash"])
    r.payee("unknown label", "listinvoices", label="never")
    r.payee("unknown hash", "listinvoices", payment_hash=NOBODYS)
    r.payee("two selections", "listinvoices", label="made", payment_hash=NOBODYS)
    r.payee("bad string", "listinvoices", invstring="lnbcrt1")
    r.payee("start without index", "listinvoices", start=1)
    r.payee("limit without index", "listinvoices", limit=1)
    r.payee("first", "listinvoices", index="created", start=1, limit=1)
    r.payee("bad index", "listinvoices", index="size")
    r.payee("unknown label", "waitinvoice", label="never")
    r.payee("no label", "waitinvoice")
    r.expired("expired")
    r.payee("expired", "listinvoices", label="expired")
    r.payee("expired", "waitinvoice", label="expired")


def _lists(r: Recorder) -> None:
    for lister in ("listpays", "listsendpays"):
        r.payer("unknown hash", lister, payment_hash=NOBODYS)
        r.payer("two selections", lister, payment_hash=NOBODYS, bolt11=UNKNOWN)
        r.payer("unknown invoice", lister, bolt11=UNKNOWN)
        r.payer("invoice of another network", lister, bolt11=ELSEWHERE)
        r.payer("bad string", lister, bolt11="lnbcrt1")
        r.payer("bad hash", lister, payment_hash="00")
        r.payer("pending", lister, status="pending")
        r.payer("bad status", lister, status="lost")
        r.payer("start without index", lister, start=1)
        r.payer("limit without index", lister, limit=1)
        r.payer("bad index", lister, index="size")
        r.payer("first by index", lister, index="created", start=1, limit=1)
        r.payer("first by update", lister, index="updated", start=1, limit=1)
    r.payer("never made", "waitsendpay", payment_hash=NOBODYS)
    r.payer("part never made", "waitsendpay", payment_hash=NOBODYS, partid=7)
    r.payer("bad hash", "waitsendpay", payment_hash="00")
    r.payer("nothing given", "waitsendpay")


@dataclass(frozen=True)
class _Payments:
    """The calls of `xpay` or `pay`, and those that show their results."""

    r: Recorder
    method: str
    key: str
    """The name of the parameter with the invoice."""

    def make(self) -> None:
        self._succeed()
        self._choose_the_amount()
        self._hash_the_description()
        self._refuse_parameters()
        self._fail()
        self._wait()
        self._pay_bolt12()

    def _pay(self, name: str, string: str, **params: Any) -> None:
        self.r.payer(name, self.method, **{self.key: string}, **params)

    def _made(self, name: str, amount: Any = 21_000, **params: Any) -> Any:
        return self.r.made(f"{self.method} {name}", amount, **params)

    def _list(self, name: str, payment_hash: str) -> None:
        """List a payment once lightningd has put away its parts."""
        until(lambda: all(pay["status"] != "pending" for pay in self.r.pays(payment_hash)))
        for lister in ("listpays", "listsendpays"):
            self.r.payer(f"{self.method} {name}", lister, payment_hash=payment_hash)
        self.r.payer(f"{self.method} {name}", "waitsendpay", payment_hash=payment_hash, partid=1, timeout=5)

    def _succeed(self) -> None:
        made = self._made("paid")
        self._pay("succeeds", made["bolt11"], retry_for=30)
        self._list("succeeds", made["payment_hash"])
        self.r.payer(f"{self.method} without a part", "waitsendpay", payment_hash=made["payment_hash"])
        self._pay("paid already", made["bolt11"])
        for waiter in ("listinvoices", "waitinvoice"):
            self.r.payee(f"paid by {self.method}", waiter, label=f"{self.method} paid")
        labelled = self._made("labelled")
        self._pay("label and maxfee", labelled["bolt11"], label="my tea", maxfee=1_000)
        self._list("label and maxfee", labelled["payment_hash"])

    def _choose_the_amount(self) -> None:
        gift = self._made("any", "any")
        self._pay("no amount", gift["bolt11"])
        self._pay("amount 0", gift["bolt11"], amount_msat=0)
        self._pay("any amount", gift["bolt11"], amount_msat=5_000)
        self._list("any amount", gift["payment_hash"])
        self._pay("any amount, paid already", gift["bolt11"], amount_msat=5_000)
        self._pay("any amount, paid already with another", gift["bolt11"], amount_msat=6_000)
        self.r.payee(f"any amount paid by {self.method}", "listinvoices", label=f"{self.method} any")
        self._pay("amount unnecessary", self._made("fixed")["bolt11"], amount_msat=21_000)

    def _hash_the_description(self) -> None:
        hashed = self._made("hashed", deschashonly=True)
        other = {"description": "coffee"} if self.method == "pay" else {}
        self._pay("hash of the description", hashed["bolt11"], **other)
        self._list("hash of the description", hashed["payment_hash"])

    def _refuse_parameters(self) -> None:
        fixed = self._made("fixed for fees")
        self._pay("two limits of fees", fixed["bolt11"], maxfee=1, maxfeepercent=1)
        for string in ("lnbcrt1", "hello", "", ELSEWHERE):
            self._pay(f"of {string[:7]!r}", string)

    def _fail(self) -> None:
        self._pay("unknown payee", UNKNOWN)
        large = self._made("large", 900_000_000)
        self._pay("too much", large["bolt11"])
        self._list("too much", large["payment_hash"])
        refused = self._made("refused")
        self.r.sides.payee.rpc_call("delinvoice", {"label": f"{self.method} refused", "status": "unpaid"})
        self._pay("refused", refused["bolt11"])
        self._list("refused", refused["payment_hash"])
        self._pay("expired", self.r.expired(f"{self.method} late")["bolt11"])
        given = {"amount_msat": 1_000, "label": f"{self.method} own", "description": "tea"}
        own = self.r.sides.payer.rpc_call("invoice", given)
        self._pay("itself", own["bolt11"])

    def _wait(self) -> None:
        held = self._made("held")
        payment_hash = held["payment_hash"]
        self.r.sides.hold()
        with Client(self.r.sides.payer_socket) as client:
            paying = Later(lambda: client.rpc_call(self.method, {self.key: held["bolt11"]}))
            try:
                for side in (self.r.sides.payer, self.r.sides.payee):
                    until(lambda side=side: side.rpc_call("listpeerchannels")["channels"][0]["htlcs"])
                for lister in ("listpays", "listsendpays"):
                    self.r.payer(f"{self.method} pending", lister, payment_hash=payment_hash)
                part = {"payment_hash": payment_hash, "partid": 1, "timeout": 1}
                self.r.payer(f"{self.method} pending", "waitsendpay", **part)
                self.r.payer(f"{self.method} pending, payer", "listpeerchannels")
                self.r.payee(f"{self.method} pending, payee", "listpeerchannels")
                self.r.payer(f"{self.method} pending", "listfunds")
                self._pay("again while it is pending", held["bolt11"])
            finally:
                self.r.sides.release()
            paying.result()
        self._list("that was pending", payment_hash)

    def _pay_bolt12(self) -> None:
        offer = self.r.sides.payee.rpc_call("offer", {"amount": 5_000, "description": f"{self.method} cake"})["bolt12"]
        invoice = self.r.sides.payer.rpc_call("fetchinvoice", {"offer": offer})["invoice"]
        self._pay("BOLT 12", invoice, label="my cake")
        for lister in ("listpays", "listsendpays"):
            self.r.payer(f"{self.method} BOLT 12", lister, bolt11=invoice)
        self._pay("BOLT 12, paid already", invoice)
        for amount in (5_000, 6_000):
            self._pay(f"BOLT 12, paid already, and {amount}msat given", invoice, amount_msat=amount)
        self._pay("offer", offer, label="my other cake")
        self._pay("bad BOLT 12", "lni1qqq")
        self._pay("request of BOLT 12", "lnr1qqq")
