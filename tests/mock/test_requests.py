"""Requests are validated by the documents, with lightningd's codes and texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from lnstandin.documents import DocumentsError
from lnstandin.mock.core import Standin
from tests.mock.calling import POINT, call


def refused(method: str, params: Any, standin: Standin | None = None) -> str:
    """Return the text of the error, whose code is -32602."""
    with pytest.raises(RpcError) as error:
        call(standin or Standin(), method, params)
    assert error.value.code == -32602
    return error.value.message


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("xpay", {}, "missing required parameter: invstring"),
        ("xpay", {"invstring": "a", "nope": 1}, "unknown parameter: nope, which this command does not have"),
        ("xpay", ["a", *[None] * 29], "too many parameters: got 30, expected 11"),
        (
            "xpay",
            {"invstring": "a", "amount_msat": "1.5"},
            "amount_msat: should be a millisatoshi amount",
        ),
        ("ping", ["02" + "00" * 32], "id: should be a node id: invalid token"),
        ("newaddr", ["segwit"], "addresstype: should be 'bech32', 'p2tr' or 'all': invalid token"),
        ("listsendpays", {"payment_hash": "ab"}, "payment_hash: should be a 32 byte hex value: invalid token"),
        ("getroute", {"id": POINT, "amount_msat": 1, "riskfactor": 1, "exclude": 5}, "exclude: should be an array"),
        ("multifundchannel", {"destinations": [{"id": POINT}]}, "destinations[0].amount: missing"),
        ("listinvoices", {"start": 1}, "Can only specify start together with index"),
    ],
)
def test_bad_parameters_are_refused(method: str, params: Any, text: str) -> None:
    assert refused(method, params).startswith(text)


def test_positions_are_those_of_the_document() -> None:
    standin = Standin()
    call(standin, "xpay", ["lni1", None, "5sat"])
    assert standin.calls[0].params == {"invstring": "lni1", "maxfee": 5000}


def test_check_validates_another_command() -> None:
    standin = Standin()
    params = {"command_to_check": "xpay", "invstring": "lni1"}
    assert call(standin, "check", params) == {"command_to_check": "xpay"}
    assert refused("check", ["xpay"]) == "missing required parameter: invstring"


def test_command_with_free_parameters_keeps_them() -> None:
    standin = Standin(examples=False)
    params = {"subcommand": "rescan", "colour": "red"}
    call(standin, "plugin", params)
    assert standin.calls[0].params == params


def test_rules_of_documents_without_corrections_are_enforced(tmp_path: Path) -> None:
    document = {
        "rpc": "swap",
        "title": "Swap",
        "description": ["Swaps."],
        "request": {
            "properties": {name: {"type": "u32", "description": [""]} for name in ("low", "high", "unit")},
            "pairedWith": [["low", "high"]],
            "dependentUpon": {"low": ["unit"]},
        },
        "response": {"required": ["id"], "properties": {"id": {"type": "hash", "description": [""]}}},
    }
    (tmp_path / "swap.json").write_text(json.dumps(document))
    standin = Standin(tmp_path)
    assert refused("swap", {"low": 1}, standin) == "Must specify all or none of low, high"
    assert refused("swap", {"unit": 1}, standin) == "Can only specify unit together with low"
    assert set(call(standin, "swap", {})) == {"id"}


def test_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentsError, match="no rpc-schema documents there"):
        Standin(tmp_path)
