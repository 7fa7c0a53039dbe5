"""`lnstandin conform` finds what is known to differ on a real node, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lnstandin.conform.documents import as_followed, read_documents
from lnstandin.conform.effects import run_effects
from lnstandin.conform.findings import Finding, Kind
from lnstandin.conform.node import Node as Asked
from lnstandin.conform.run import Conformance
from tests.interop.chain.folder import Chain
from tests.interop.channels import fund, is_announced, open_channel
from tests.interop.conftest import Pair
from tests.interop.nodes import Node, running, until
from tests.shared import ROOT, shared_path

UPSTREAM = "corpus/master-2026-08/schemas"
RUST = {"clnrest-register-path", "currencyconvert", "currencyrate", "currencyrates", "fetchbip353"}
"""The commands of plugins that are written in Rust."""
OPENING = ("feerate", "announce", "close_to", "push_msat", "mindepth", "reserve")
"""Options of `fundchannel_start` that the node takes alone."""

Facts = set[tuple[Kind, str, str]]

ALWAYS: Facts = {
    (Kind.PARAMETER_UNDOCUMENTED, "pay", "request.invstring"),
    (Kind.PARAMETER_UNLISTED, "pay", "request.bolt11"),
    (Kind.PARAMETER_PRESENCE, "dev-splice", "request.script_or_json"),
    (Kind.PARAMETER_PRESENCE, "invoicerequest", "request.description"),
}
"""Where our corrected documents, too, differ from `help` on purpose."""
CORRECTED: Facts = {
    (Kind.PARAMETER_UNKNOWN, "parsefeerate", "request.feerate_str"),
    (Kind.PARAMETER_UNDOCUMENTED, "parsefeerate", "request.feerate"),
    (Kind.PARAMETER_UNKNOWN, "sendinvoice", "request.quantity"),
    (Kind.PARAMETER_UNKNOWN, "funderupdate", "request.compact_lease"),
    (Kind.PARAMETER_PRESENCE, "bkpr-report", "request.format"),
    (Kind.PARAMETER_PRESENCE, "reckless", "request.target/subcommand"),
    (Kind.PARAMETER_PRESENCE, "splice_signed", "request.channel_id"),
    (Kind.PARAMETER_ORDER, "splice_signed", "request.channel_id"),
    (Kind.PARAMETER_ORDER, "fundchannel", "request.push_msat"),
    (Kind.PARAMETER_ORDER, "keysend", "request.routehints"),
    (Kind.PARAMETER_ORDER, "fetchinvoice", "request.dev_reply_path"),
    (Kind.PARAMETER_UNDOCUMENTED, "addpsbtoutput", "request.add_initiator_serial_ids"),
    (Kind.PARAMETER_UNDOCUMENTED, "splice_init", "request.skip_stfu"),
    (Kind.PARAMETER_UNDOCUMENTED, "injectpaymentonion", "request.blinding"),
    (Kind.RULE, "waitsendpay", "request.partid"),
    (Kind.RULE, "waitsendpay", "request.groupid"),
    (Kind.FIELD_UNDECLARED, "bkpr-report", "response.format-hint"),
}
"""Found without side effects, besides 23 settings; each of these facts is in `schemas/corrections.toml`."""
WITH_EFFECTS: Facts = {
    *((Kind.RULE, "fundchannel_start", f"request.{name}") for name in OPENING),
    (Kind.FIELD_UNDECLARED, "sendonion", "response.groupid"),
    *(
        (Kind.FIELD_UNKNOWN, "notification forward_event", f"payload.{name}")
        for name in ("created_index", "updated_index", "in_htlc_id", "preimage")
    ),
    (Kind.FIELD_OPEN, "hook rpc_command", "payload.rpc_command.jsonrpc"),
    (Kind.FIELD_OPEN, "hook invoice_payment", "payload.payment.extratlvs"),
}
MAY_BE: Facts = {(Kind.FIELD_OPEN, "hook rpc_command", "payload.rpc_command.filter")}
"""Sent only if a caller sends it, such as another test's client."""
SETTINGS = "response.configs."
STATE = (
    *("listaddresses", "listfunds", "listinvoices", "listinvoicerequests", "listoffers", "listsendpays"),
    *("listdatastore", "showrunes", "askrene-listlayers", "listtransactions", "listchainmoves"),
)


def facts(findings: list[Finding]) -> Facts:
    """Return what was found, without commands that one side lacks, and without settings."""
    return {
        (each.kind, each.subject, each.where)
        for each in findings
        if not each.kind.is_about_existence and not each.where.startswith(SETTINGS)
    }


def conformance(folder: Path, node: Asked) -> Conformance:
    made = Conformance(as_followed(read_documents(folder), node.version()), node)
    made.compare_commands(lambda _: None)
    return made


def state(node: Node) -> dict[str, Any]:
    """Return what a node lists."""
    return {name: node.client.rpc_call(name) for name in STATE}


def test_finds_every_known_row_without_side_effects_and_nothing_else(pair: Pair) -> None:
    documents = shared_path(UPSTREAM)
    before = state(pair.l1)
    with Asked(pair.l1.socket) as node:
        found = conformance(documents, node).results
    assert facts(list(found.findings)) == ALWAYS | CORRECTED
    settings = [each for each in found.findings if each.where.startswith(SETTINGS)]
    assert {each.kind for each in settings} == {Kind.FIELD_OPEN}
    assert len(settings) == 23
    assert {each.subject for each in found.findings if each.kind is Kind.COMMAND_MISSING} <= RUST
    undocumented = {each.subject for each in found.findings if each.kind is Kind.COMMAND_UNDOCUMENTED}
    assert undocumented >= {"createoffer", "addpsbtinput", "paystatus", "listincoming"}
    assert len(found.answered) >= 55
    assert state(pair.l1) == before


def test_finds_only_what_differs_on_purpose_with_our_corrected_documents(l1: Node) -> None:
    with Asked(l1.socket) as node:
        found = conformance(ROOT / "schemas", node).results
    assert facts(list(found.findings)) == ALWAYS
    assert [each for each in found.findings if each.where.startswith(SETTINGS)] == []


@dataclass(frozen=True)
class Line:
    """Three nodes in a line, so that the outer ones pay each other through the one in the middle."""

    middle: Node
    peers: tuple[Node, Node]


@pytest.fixture(scope="module")
def line(chain: Chain, work: Path) -> Iterator[Line]:
    """Return three new nodes with channels between neighbours."""
    with (
        running(chain, work / "c1", "--alias=c1") as first,
        running(chain, work / "c2", "--alias=c2") as middle,
        running(chain, work / "c3", "--alias=c3") as last,
    ):
        for source, target in ((first, middle), (middle, last)):
            fund(chain, source)
            scid = open_channel(chain, source, target)
        until(lambda: is_announced(first, scid), "the first node knows of the second channel")
        yield Line(middle, (first, last))


@pytest.mark.parametrize(("folder", "expected"), [(UPSTREAM, ALWAYS | CORRECTED | WITH_EFFECTS), ("", ALWAYS)])
def test_finds_the_rest_with_side_effects_and_nothing_else(folder: str, expected: Facts, line: Line) -> None:
    documents = shared_path(folder) if folder else ROOT / "schemas"
    first, last = (Asked(peer.socket) for peer in line.peers)
    with Asked(line.middle.socket) as node, first, last:
        made = conformance(documents, node)
        run_effects(made, [first, last], lambda _: None)
    assert facts(list(made.results.findings)) - MAY_BE == expected
    assert len(made.results.answered) >= 130
