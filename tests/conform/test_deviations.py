"""A node that deviates from its documents by one fact is found out by that fact, and by no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lnstandin.conform.findings import Kind
from lnstandin.conform.parameters import PROBE
from lnstandin.mock import Mock
from tests.conform.standin import DOCUMENTS, PEER, Raw, changed, compare, node, write

Change = Callable[[dict[str, Raw]], object]
Script = Callable[[Mock], object]


@dataclass(frozen=True)
class Deviation:
    """One way in which a node differs: it follows changed documents, or answers something else."""

    expected: tuple[Kind, str, str]
    change: Change = lambda _: None
    script: Script = lambda _: None


def parameters(documents: dict[str, Raw], command: str) -> dict[str, Any]:
    found: dict[str, Any] = documents[command]["request"]["properties"]
    return found


def reorder(documents: dict[str, Raw]) -> None:
    properties = parameters(documents, "listpeers")
    properties["id"] = properties.pop("id")


def show(usage: str) -> Script:
    """Return a script for a node whose `help` shows this usage of a command."""

    def script(mock: Mock) -> None:
        usages = (mock.command(name).usage for name in mock.documents.commands)
        name = usage.split(maxsplit=1)[0]
        lines = [usage if each.split(maxsplit=1)[0] == name else each for each in usages]
        answer = {"help": [{"command": line} for line in lines]}
        mock.on("help").when(lambda params: "command" not in params).answer(answer, check=False)

    return script


def peer(**fields: Any) -> Script:
    """Return a script for a node whose peer has these fields; None removes one."""
    shown = {name: value for name, value in {**PEER, **fields}.items() if value is not None}
    return lambda mock: mock.on("listpeers").answer({"peers": [shown]}, check=False)


DEVIATIONS = {
    "a parameter is gone": Deviation(
        (Kind.PARAMETER_UNKNOWN, "listpeers", "request.level"), lambda docs: parameters(docs, "listpeers").pop("level")
    ),
    "a parameter is new": Deviation(
        (Kind.PARAMETER_UNDOCUMENTED, "delinvoice", "request.force"),
        lambda docs: parameters(docs, "delinvoice").update(force={"type": "boolean"}),
    ),
    "help hides a parameter": Deviation(
        (Kind.PARAMETER_UNLISTED, "listpeers", "request.level"),
        script=show("listpeers [id]"),
    ),
    "a parameter became required": Deviation(
        (Kind.PARAMETER_PRESENCE, "delinvoice", "request.desconly"),
        lambda docs: docs["delinvoice"]["request"]["required"].append("desconly"),
    ),
    "a parameter became optional": Deviation(
        (Kind.PARAMETER_PRESENCE, "delinvoice", "request.status"),
        lambda docs: docs["delinvoice"]["request"]["required"].remove("status"),
    ),
    "parameters changed places": Deviation((Kind.PARAMETER_ORDER, "listpeers", "request.id"), reorder),
    "a parameter takes any text": Deviation(
        (Kind.PARAMETER_TYPE, "delinvoice", "request.desconly"),
        lambda docs: parameters(docs, "delinvoice").update(desconly={"type": "string"}),
    ),
    "a parameter may stand without its index": Deviation(
        (Kind.RULE, "listforwards", "request.start"),
        lambda docs: docs["listforwards"]["request"].update(dependentUpon={"index": ["limit"]}),
    ),
    "a field is gone": Deviation((Kind.FIELD_MISSING, "listpeers", "response.peers[].id"), script=peer(id=None)),
    "a field of a case is gone": Deviation(
        (Kind.FIELD_MISSING, "listpeers", "response.peers[].netaddr"), script=peer(netaddr=None)
    ),
    "a field of another case is there": Deviation(
        (Kind.FIELD_CONDITION, "listpeers", "response.peers[].lost_at"), script=peer(lost_at=1)
    ),
    "a field is new": Deviation(
        (Kind.FIELD_UNKNOWN, "listforwards", "response.more"),
        script=lambda mock: mock.on("listforwards").answer({"forwards": [], "more": 1}, check=False),
    ),
    "a field is new where any are allowed": Deviation(
        (Kind.FIELD_OPEN, "listpeers", "response.peers[].more"), script=peer(connected=False, netaddr=None, more=1)
    ),
    "a field is only allowed": Deviation(
        (Kind.FIELD_UNDECLARED, "listpeers", "response.peers[].ghost"), script=peer(ghost=1)
    ),
    "a field has another type": Deviation(
        (Kind.FIELD_TYPE, "listpeers", "response.peers[].netaddr[]"), script=peer(netaddr=[1])
    ),
    "a field has another value": Deviation(
        (Kind.FIELD_ENUM, "listpeers", "response.peers[].side"), script=peer(side="middle")
    ),
    "a field is too long": Deviation(
        (Kind.FIELD_LENGTH, "listpeers", "response.peers[].name"), script=peer(name="nine long")
    ),
    "an error has another code": Deviation(
        (Kind.ERROR_CODE, "delinvoice", "errors"), script=lambda mock: mock.on("delinvoice").fail(999, "No invoice")
    ),
    "an unknown parameter has another code": Deviation(
        (Kind.ERROR_CODE, "delinvoice", "request"),
        script=lambda mock: (
            mock.on("check", command_to_check="delinvoice")
            .when(lambda params: PROBE in params)
            .fail(-1, f"unknown parameter: {PROBE}")
        ),
    ),
    "a command is missing": Deviation((Kind.COMMAND_MISSING, "waitsendpay", ""), lambda docs: docs.pop("waitsendpay")),
    "a command is new": Deviation(
        (Kind.COMMAND_UNDOCUMENTED, "createoffer", ""), script=lambda mock: mock.add_command("createoffer", "[x]")
    ),
}


def test_finds_nothing_on_a_node_that_follows_its_documents(tmp_path: Path) -> None:
    folder = write(tmp_path / "documents", DOCUMENTS)
    with node(folder) as mock:
        assert compare(folder, mock) == []


def test_a_deprecated_command_may_be_gone(tmp_path: Path) -> None:
    documents = changed(lambda docs: docs["waitsendpay"].update(deprecated=["v26.06", "v27.06"]))
    with node(write(tmp_path / "node", changed(lambda docs: docs.pop("waitsendpay")))) as mock:
        assert compare(write(tmp_path / "documents", documents), mock) == []


@pytest.mark.parametrize("name", DEVIATIONS)
def test_finds_exactly_the_fact_that_differs(name: str, tmp_path: Path) -> None:
    deviation = DEVIATIONS[name]
    documented = write(tmp_path / "documents", DOCUMENTS)
    with node(write(tmp_path / "node", changed(deviation.change))) as mock:
        deviation.script(mock)
        found = compare(documented, mock)
    assert [(each.kind, each.subject, each.where) for each in found] == [deviation.expected]


def test_there_is_a_deviation_of_every_kind() -> None:
    assert {deviation.expected[0] for deviation in DEVIATIONS.values()} == set(Kind)
