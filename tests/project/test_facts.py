"""`schemas/cln`: the facts of Core Lightning's documents, in words of our own; what we describe in full covers them."""

from __future__ import annotations

import re

import pytest

from rpcschema.facts.compare import changes
from rpcschema.facts.reduce import placeholder
from rpcschema.facts.sync import sync
from rpcschema.model.nodes import Document
from rpcschema.problems import has_errors
from rpcschema.read.load import load
from rpcschema.text.words import extension_words
from tests.shared import ROOT, shared_path

SCHEMAS = ROOT / "schemas"
OWN = load(sorted(SCHEMAS.glob("*.json"))).documents
FACTS = load([SCHEMAS / "cln"]).documents
TWINS = {(document.kind, document.name): document for document in FACTS}

EXTENSION = extension_words("it").removesuffix(".")
# Nodes send these; their documents do not have them.
UNDOCUMENTED = {
    "createinvoice": {"response.updated_index"},
    "decode": {
        "response.offer_recurrence.proportional_amount",
        "response.warning_invalid_invoice_blindedpay",
        "response.invoice_fallbacks[].warning_invalid_invoice_fallbacks_address",
        "response.invoice_fallbacks[].warning_invalid_invoice_fallbacks_version",
    },
    "waitanyinvoice": {"response.local_offer_id", "response.invreq_payer_note"},
    "waitinvoice": {"response.local_offer_id", "response.invreq_payer_note"},
}

# Where the node takes or shows less than its document says; docs/explanation/differences.md tells the same.
NARROWER = {
    "decode": {
        "response.offer_id",
        "response.offer_chains",
        "response.offer_chains[]",
        "response.invreq_chain",
        "response.invreq_payer_id",
        "response.invoice_payment_hash",
    },
    "createinvoice": {"request.preimage", "response.local_offer_id"},
    "delinvoice": {"response.local_offer_id"},
    "listinvoices": {"request.payment_hash", "request.offer_id"},
    "listinvoicerequests": {"request.invreq_id"},
    "disableinvoicerequest": {"request.invreq_id"},
}


def test_facts_are_those_of_the_release_that_is_compared_with() -> None:
    synced = sync(shared_path("corpus/master-2026-08/schemas"), SCHEMAS / "cln")
    assert synced.changes == ()
    assert not has_errors(synced.problems)


def test_all_commands_notifications_and_hooks_are_there_and_marked_as_facts() -> None:
    counts = {kind: sum(document.kind == kind for document in FACTS) for kind in ("rpc", "notification", "hook")}
    assert counts == {"rpc": 162, "notification": 24, "hook": 15}
    assert all(document.is_facts for document in FACTS)


def test_every_document_has_a_title_of_its_own() -> None:
    for document in FACTS:
        assert document.title != placeholder(document), document.file
        assert not document.title.endswith("."), document.file
    for kind in ("rpc", "notification", "hook"):
        titles = [document.title for document in FACTS if document.kind == kind]
        assert len(set(titles)) == len(titles)


def test_a_command_that_is_described_has_a_line_for_each_parameter() -> None:
    described = [document for document in FACTS if document.description]
    assert len(described) >= 40
    for document in described:
        for field in document.request.fields or ():
            if not field.node.hidden:
                assert field.node.description, f"{document.name} {field.name}"
                assert re.fullmatch(r".+\.", field.node.description[0]), f"{document.name} {field.name}"


@pytest.mark.parametrize("own", OWN, ids=lambda own: own.name)
def test_a_document_in_full_covers_every_field_of_its_facts(own: Document) -> None:
    twin = TWINS.get((own.kind, own.name))
    assert (twin is None) == (own.extension is True)
    if twin is not None:
        differences = list(changes(twin, own))
        wrong = ("- ", "~ parameters by position")
        assert [line for line in differences if line.startswith(wrong) or ": releases " in line] == []
        added = {line.split(": ")[0].removeprefix("+ "): line for line in differences if line.startswith("+ ")}
        ours = tuple(f"{name}[]." for name, line in added.items() if EXTENSION in line)
        unmarked = {name for name, line in added.items() if EXTENSION not in line and not name.startswith(ours)}
        assert unmarked == UNDOCUMENTED.get(own.name, set())
        narrower = {line.split(": ")[0].removeprefix("~ ") for line in differences if ": type " in line}
        assert narrower == NARROWER.get(own.name, set())
