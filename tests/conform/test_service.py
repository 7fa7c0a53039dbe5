"""This project's own server is a node, too: it follows its documents, but for what is marked as an extension."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lnstandin.conform.documents import read_documents
from lnstandin.conform.findings import Kind
from lnstandin.conform.node import Node
from lnstandin.conform.run import Conformance
from tests.service.program import Program
from tests.shared import ROOT

MADE = {
    "offer": {"amount": "any", "description": "coffee"},
    "invoicerequest": {"amount": "1sat", "description": "refund"},
    "createrune": {},
}
EXTENSIONS = {
    (Kind.PARAMETER_UNDOCUMENTED, "fetchinvoice", "request.max_amount_msat"),
    (Kind.PARAMETER_UNDOCUMENTED, "invoicerequest", "request.payee"),
    (Kind.PARAMETER_UNDOCUMENTED, "invoicerequest", "request.unsigned"),
    (Kind.COMMAND_UNDOCUMENTED, "paybyhand", ""),
}


def test_our_server_follows_its_documents() -> None:
    with tempfile.TemporaryDirectory(prefix="conform") as folder:
        program = Program(Path(folder))
        with program.served(), Node(program.socket) as node:
            assert not any(node.ask(method, params).failed for method, params in MADE.items())
            conformance = Conformance(read_documents(ROOT / "schemas"), node)
            conformance.compare_commands(lambda _: None)
    results = conformance.results
    found = {(each.kind, each.subject, each.where) for each in results.findings}
    assert {each for each in found if each[0] is not Kind.COMMAND_MISSING} == EXTENSIONS
    assert {"listoffers", "listinvoicerequests", "decode", "showrunes", "checkrune"} <= results.answered
