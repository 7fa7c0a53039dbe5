"""A few documents, and a mock that serves them, perhaps with changes: a node that deviates from its documents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from lnstandin.conform.documents import as_followed, read_documents
from lnstandin.conform.findings import Finding
from lnstandin.conform.node import Node
from lnstandin.conform.run import Conformance
from lnstandin.mock import Mock
from tests.shared import ROOT

Raw = dict[str, Any]
ID = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
PEER: Raw = {"id": ID, "connected": True, "netaddr": ["127.0.0.1:9735"]}
OWN = ("getinfo", "help", "check")
"""What every node needs; these documents are the project's."""


def _document(name: str, request: Raw, response: Raw, **others: Any) -> Raw:
    prose = {"title": "For tests", "description": ["It is for tests."]}
    closed = {"additionalProperties": False}
    return {"rpc": name, **prose, "request": closed | request, "response": closed | response, **others}


def _list(name: str, item: Raw) -> Raw:
    return {"required": [name], "properties": {name: {"type": "array", "items": item}}}


DOCUMENTS: dict[str, Raw] = {
    "listpeers": _document(
        "listpeers",
        {
            "required": [],
            "properties": {"id": {"type": "pubkey"}, "level": {"type": "string", "enum": ["io", "info"]}},
        },
        _list(
            "peers",
            {
                "type": "object",
                "additionalProperties": True,
                "required": ["id", "connected"],
                "properties": {
                    "id": {"type": "pubkey"},
                    "connected": {"type": "boolean"},
                    "name": {"type": "string", "maxLength": 8},
                    "side": {"type": "string", "enum": ["local", "remote"]},
                },
                "if": {"properties": {"connected": {"type": "boolean", "enum": [True]}}},
                "then": {
                    "additionalProperties": False,
                    "required": ["netaddr"],
                    "properties": {
                        "id": {},
                        "connected": {},
                        "name": {},
                        "side": {},
                        "ghost": {},
                        "netaddr": {"type": "array", "items": {"type": "string"}},
                    },
                },
                "else": {"properties": {"lost_at": {"type": "u32"}}},
            },
        ),
    ),
    "listforwards": _document(
        "listforwards",
        {
            "required": [],
            "properties": {
                "index": {"type": "string", "enum": ["created", "updated"]},
                "start": {"type": "u64"},
                "limit": {"type": "u32"},
                "status": {"type": "string", "enum": ["settled"]},
            },
            "dependentUpon": {"index": ["start", "limit"]},
        },
        _list("forwards", {"type": "object", "properties": {"fee_msat": {"type": "msat"}}}),
    ),
    "delinvoice": _document(
        "delinvoice",
        {
            "required": ["label", "status"],
            "properties": {
                "label": {"type": "string"},
                "status": {"type": "string", "enum": ["paid", "unpaid"]},
                "desconly": {"type": "boolean"},
            },
        },
        {"required": ["label"], "properties": {"label": {"type": "string"}}},
        errors=["These may occur:", "", "- -1: Database error.", "- 905: There is no such invoice."],
    ),
    "waitsendpay": _document(
        "waitsendpay",
        {
            "required": ["payment_hash"],
            "properties": {
                "payment_hash": {"type": "hash"},
                "timeout": {"type": "u32"},
                "partid": {"type": "u64"},
                "groupid": {"type": "u64"},
            },
            "pairedWith": [["partid", "groupid"]],
        },
        {"required": ["status"], "properties": {"status": {"type": "string", "enum": ["complete"]}}},
    ),
}


def write(folder: Path, documents: dict[str, Raw]) -> Path:
    """Write documents into a new folder, with those that every node needs."""
    folder.mkdir()
    for name in OWN:
        shutil.copy(ROOT / "schemas" / f"{name}.json", folder)
    for name, raw in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(raw))
    return folder


def changed(change: Callable[[dict[str, Raw]], object]) -> dict[str, Raw]:
    """Return the documents after a change."""
    documents = deepcopy(DOCUMENTS)
    change(documents)
    return documents


@contextmanager
def node(folder: Path, socket: Path | None = None) -> Iterator[Mock]:
    """Run a mock that serves the documents in a folder, and answers as they say, with one peer."""
    with Mock(folder, socket=socket) as mock:
        mock.on("listpeers").answer({"peers": [PEER]})
        mock.on("listforwards").answer({"forwards": [{"fee_msat": 1}]})
        mock.on("delinvoice").fail(905, "Unknown invoice")
        yield mock


def compare(folder: Path, mock: Mock) -> list[Finding]:
    """Return all findings about the documents in a folder and the mock."""
    with Node(mock.socket) as running:
        conformance = Conformance(as_followed(read_documents(folder), running.version()), running)
        conformance.compare_commands(lambda _: None)
    return sorted(conformance.results.findings, key=lambda finding: finding.sort_key)
