"""Side effects are carried out one after the other, and their answers and events are compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lnstandin.conform.documents import read_documents
from lnstandin.conform.effects import EFFECTS, NotRegtestError, compare_event, run_effects
from lnstandin.conform.events import watching
from lnstandin.conform.findings import Kind
from lnstandin.conform.node import Node, NodeError
from lnstandin.conform.run import Conformance
from lnstandin.mock import Mock
from tests.shared import ROOT


@pytest.fixture(scope="module")
def documents() -> Any:
    """Return the project's documents."""
    return read_documents(ROOT / "schemas")


@pytest.fixture
def mock() -> Iterator[Mock]:
    """Return a running node."""
    with Mock() as running:
        yield running


def found(conformance: Conformance) -> list[tuple[Kind, str, str]]:
    return [(each.kind, each.subject, each.where) for each in conformance.results.findings]


def test_finds_nothing_on_a_node_that_follows_its_documents(mock: Mock, documents: Any) -> None:
    steps: list[str] = []
    with Node(mock.socket) as node:
        conformance = Conformance(documents, node)
        run_effects(conformance, [], steps.append)
    assert found(conformance) == []
    assert len(conformance.results.answered) > 90
    assert len(steps) > len(EFFECTS)
    watcher = [call.params for call in mock.calls.of("plugin") if call.params["subcommand"] != "list"]
    assert [params["subcommand"] for params in watcher] == ["start", "stop"]


def test_finds_what_an_answer_lacks_and_goes_on(mock: Mock, documents: Any) -> None:
    mock.on("invoice").answer({"bolt11": "lnbcrt1"}, check=False)
    mock.on("createrune").answer({"rune": "x", "unique_id": "none"}, check=False)
    with Node(mock.socket) as node:
        conformance = Conformance(documents, node)
        run_effects(conformance, [], lambda _: None)
    missing = {
        where for kind, subject, where in found(conformance) if (kind, subject) == (Kind.FIELD_MISSING, "invoice")
    }
    assert "response.payment_hash" in missing
    assert conformance.results.failed["make runes"].startswith("not finished, as an answer lacked something: ")
    assert "setconfig" in conformance.results.answered


def test_nothing_is_done_where_a_peer_has_money(mock: Mock, documents: Any) -> None:
    with Mock() as other, Node(mock.socket) as node, Node(other.socket) as peer:
        other.on("getinfo").answer({"id": "02" * 33, "network": "testnet"}, check=False)
        with pytest.raises(NotRegtestError, match="this one is on testnet"):
            run_effects(Conformance(documents, node), [peer], lambda _: None)
    assert {call.method for call in (*mock.calls, *other.calls)} == {"getinfo"}


def test_payloads_of_events_are_compared_with_their_documents(mock: Mock, documents: Any) -> None:
    with Node(mock.socket) as node:
        conformance = Conformance(documents, node)
        compare_event(conformance, "notification/connect", {"id": 5})
        compare_event(conformance, "hook/rpc_command", {"rpc_command": {"id": 1, "method": "pay", "params": {}}})
        compare_event(conformance, "notification/nobody", {"x": 1})
    subjects = {subject for _, subject, _ in found(conformance)}
    assert subjects == {"notification connect"}
    assert conformance.results.answered == {"notification connect", "hook rpc_command"}


def test_says_so_if_the_node_does_not_start_the_plugin(mock: Mock) -> None:
    mock.on("plugin").fail(-1, "no such file")
    why = "did not start the plugin that watches its events: no such file"
    with Node(mock.socket) as node, pytest.raises(NodeError, match=why), watching(node, []):
        pytest.fail("it was started")
