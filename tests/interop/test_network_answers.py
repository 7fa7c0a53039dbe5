"""Nodes of `lnstandin network` answer as lightningd does: the same fields, types, error codes and data.

Both get the same calls (`answers`). Values and the texts of errors may differ. What else does is a row of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from clnrpc import RpcError
from lnstandin.network import Network
from tests.interop.answers import CHANNEL_SAT, Answer, Sides, everything
from tests.interop.chain.folder import Chain
from tests.interop.channels import fund, is_announced, open_channel
from tests.interop.nodes import program, running, until
from tests.shared import ROOT

PAGE: Final = ROOT / "docs" / "explanation" / "differences.md"
OF_A_CHAIN: Final = "close_to|close_to_addr|feerate|last_tx_fee_msat|scratch_txid|funding\\.psbt|funding\\.withheld"
OF_THE_PAST: Final = "state_changes|min_to_us_msat|max_to_us_msat"
ROWS: Final = {
    "P1": r"listfunds .*: outputs has [12] items there, and 0 here",
    "P2": rf"listpeerchannels .*: channels\[0\]\.({OF_A_CHAIN}) is missing here",
    "P3": rf"listpeerchannels .*: channels\[0\]\.({OF_THE_PAST}) is missing here",
    "P4": r"invoice .*: warning_deadends is missing here",
    "P5": r"invoice bad fallback: error -1 there, and error -32602 here",
    "P6": r"(listsendpays .*: payments\[0\]\.erroronion|waitsendpay .*: data\.(erroronion|onionreply)) is missing here",
    "P7": r"x?pay itself: a result there, and error 205 here",
}
"""The differences in each row of the page."""


def differences(there: Mapping[str, Answer], here: Mapping[str, Answer]) -> list[str]:
    """Return the differences between the answers of lightningd and those of a network."""
    assert there.keys() == here.keys()
    return [f"{name}: {each}" for name in there for each in _between(there[name], here[name])]


def _between(there: Answer, here: Answer) -> Iterator[str]:
    if _outcome(there) != _outcome(here):
        yield f"{_outcome(there)} there, and {_outcome(here)} here"
    elif there.error is not None and here.error is not None:
        yield from _in_values(there.error.data, here.error.data, "data")
    else:
        yield from _in_values(there.result, here.result, "")


def _outcome(answer: Answer) -> str:
    return "a result" if answer.error is None else f"error {answer.error.code}"


def _in_values(there: Any, here: Any, place: str) -> Iterator[str]:
    if type(there) is not type(here):
        yield f"{place} is {type(there).__name__} there, and {type(here).__name__} here"
    elif isinstance(there, dict):
        inside = f"{place}." if place else ""
        yield from (f"{inside}{name} is missing here" for name in there.keys() - here.keys())
        yield from (f"{inside}{name} is missing there" for name in here.keys() - there.keys())
        for name in there.keys() & here.keys():
            yield from _in_values(there[name], here[name], f"{inside}{name}")
    elif isinstance(there, list):
        if len(there) != len(here):
            yield f"{place} has {len(there)} items there, and {len(here)} here"
        for number, (one, other) in enumerate(zip(there, here, strict=False)):
            yield from _in_values(one, other, f"{place}[{number}]")
    elif place.rpartition(".")[2] in {"status", "state", "opener"} and there != here:
        yield f"{place} is {there!r} there, and {here!r} here"


@pytest.fixture(scope="module")
def found(chain: Chain, work: Path) -> Sequence[str]:
    """Return the differences between the answers of two real nodes and those of a network."""
    released = work / "released"
    released.touch()
    plugin = program(work / "holding", "tests.interop.holding", released)
    with (
        running(chain, work / "payer") as payer,
        running(chain, work / "payee", f"--plugin={plugin}") as payee,
    ):
        fund(chain, payer)
        scid = open_channel(chain, payer, payee, CHANNEL_SAT, CHANNEL_SAT * 500)
        until(lambda: all(is_announced(node, scid) for node in (payer, payee)), "both know the channel")
        there = everything(Sides(payer.client, payee.client, payer.socket, released.unlink, released.touch))
    with Network(2, channel_sat=CHANNEL_SAT) as network:
        one, other = network.nodes
        here = everything(Sides(one.client, other.client, one.socket, other.hold, other.release))
    return differences(there, here)


def test_only_what_the_page_says_differs(found: Sequence[str]) -> None:
    assert [each for each in found if not any(re.fullmatch(row, each) for row in ROWS.values())] == []


@pytest.mark.parametrize("row", ROWS)
def test_what_a_row_says_differs(found: Sequence[str], row: str) -> None:
    assert any(re.fullmatch(ROWS[row], each) for each in found)


@pytest.mark.parametrize("row", ROWS)
def test_page_has_the_row(row: str) -> None:
    assert f"| {row} |" in PAGE.read_text()


@pytest.mark.parametrize(
    ("there", "here", "difference"),
    [
        ({"a": 1, "b": 1}, {"a": 2}, "b is missing here"),
        ({}, {"a": [1]}, "a is missing there"),
        ({"a": {"b": 1}}, {"a": {"b": 1.0}}, "a.b is int there, and float here"),
        ({"a": [{"b": 1}]}, {"a": [{"b": None}]}, "a[0].b is int there, and NoneType here"),
        ({"a": []}, {"a": [1]}, "a has 0 items there, and 1 here"),
        ({"status": "paid"}, {"status": "unpaid"}, "status is 'paid' there, and 'unpaid' here"),
        ({}, RpcError(1, "x"), "a result there, and error 1 here"),
        (RpcError(1, "x"), RpcError(2, "x"), "error 1 there, and error 2 here"),
        (RpcError(1, "x", {"a": 1}), RpcError(1, "y", {}), "data.a is missing here"),
        ({"a": 1}, {"a": 2}, None),
        (RpcError(1, "x"), RpcError(1, "y"), None),
    ],
)
def test_comparison_finds_a_difference(there: Any, here: Any, difference: str | None) -> None:
    answers = [Answer("m", error=it) if isinstance(it, RpcError) else Answer("m", it) for it in (there, here)]
    wanted = [] if difference is None else [f"m: {difference}"]
    assert differences({"m": answers[0]}, {"m": answers[1]}) == wanted
