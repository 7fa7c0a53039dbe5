"""`schemas/corrections.toml`: the shipped client follows each entry, and no rule of a document is left untried."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

import pytest

from clnrpc import AsyncClient, Client, types
from clnrpc.commands import COMMANDS
from clnrpc.runtime.errors import ParameterError
from rpcschema.python.names import attribute, pascal
from rpcschema.read.corrections import Correction, read_corrections
from rpcschema.read.load import load
from tests.shared import ROOT

TABLE = read_corrections(ROOT / "schemas" / "corrections.toml")
RULES = {"oneOfMany": "one_of_many", "pairedWith": "paired_with", "dependentUpon": "dependent_upon"}
SUFFIXES = {
    ("rpc", "request"): "Request",
    ("rpc", "response"): "Response",
    ("notification", "response"): "Notification",
    ("hook", "request"): "HookRequest",
}


def edits(*kinds: str) -> pytest.MarkDecorator:
    """Return a test for each entry of the table that has such edits."""
    found = [(entry, kind) for entry in TABLE.entries for kind in kinds if kind in entry.edits]
    return pytest.mark.parametrize(("entry", "kind"), found, ids=lambda value: str(value).replace("rpc ", ""))


def methods(entry: Correction) -> Iterator[dict[str, inspect.Parameter]]:
    """Yield the parameters of the command in both clients, by name."""
    for client in (Client, AsyncClient):
        method = getattr(client, COMMANDS[entry.name].method)
        yield {name: each for name, each in inspect.signature(method).parameters.items() if name != "self"}


def test_the_table_has_no_problems() -> None:
    assert TABLE.problems == ()
    assert TABLE.entries


def test_parsefeerate_takes_feerate() -> None:
    assert list(inspect.signature(Client.parsefeerate).parameters) == ["self", "feerate"]


@edits("rename")
def test_a_renamed_parameter_has_the_nodes_name(entry: Correction, kind: str) -> None:
    for method in methods(entry):
        for old, new in entry.edits[kind].items():
            assert old not in method
            assert new in method
            assert new in {parameter.name for parameter in COMMANDS[entry.name].parameters}


@edits("drop")
def test_a_parameter_that_nodes_refuse_is_not_offered(entry: Correction, kind: str) -> None:
    for method in methods(entry):
        assert method.keys().isdisjoint(entry.edits[kind])


@edits("required", "optional")
def test_a_parameter_is_required_where_nodes_demand_it(entry: Correction, kind: str) -> None:
    for method in methods(entry):
        for name in entry.edits[kind]:
            is_required = method[attribute(name)].default is inspect.Parameter.empty
            assert is_required is (kind == "required")


@edits("order")
def test_parameters_stand_in_the_order_of_nodes(entry: Correction, kind: str) -> None:
    for method in methods(entry):
        assert list(method) == entry.edits[kind]
    declared = COMMANDS[entry.name].parameters
    assert [parameter.name for parameter in declared if not parameter.extension] == entry.edits[kind]


@edits("add")
def test_what_nodes_send_and_take_is_a_typed_attribute(entry: Correction, kind: str) -> None:
    for path, node in entry.edits[kind].items():
        half, *names = path.split(".")
        found: Any = getattr(types, pascal(entry.name) + SUFFIXES[entry.kind, half])
        for name in names:
            assert dataclasses.is_dataclass(found), path
            found = present(typing.get_type_hints(found)[attribute(name)])
        assert found is not Any, path
        assert dataclasses.is_dataclass(found) == (node["type"] == "object"), path


@edits("enforced")
def test_a_rule_that_nodes_enforce_is_checked_before_anything_is_sent(
    entry: Correction, kind: str, tmp_path: Path
) -> None:
    with Client(tmp_path / "nobody") as client:
        method = getattr(client, COMMANDS[entry.name].method)
        for given in violations(entry.edits[kind]):
            with pytest.raises(ParameterError):
                method(**required(entry) | dict.fromkeys(given, 1))


@edits("unenforced")
def test_a_rule_that_nodes_do_not_enforce_is_left_to_them(entry: Correction, kind: str, tmp_path: Path) -> None:
    with Client(tmp_path / "nobody") as client:
        method = getattr(client, COMMANDS[entry.name].method)
        for given in violations(entry.edits[kind]):
            with pytest.raises(ConnectionError):  # it was about to be sent
                method(**required(entry) | dict.fromkeys(given, 1))


def test_every_rule_of_a_document_was_tried_on_a_node() -> None:
    """A rule that is in no entry would be documentation only, whether nodes enforce it or not."""
    for document in load([ROOT / "schemas" / "cln"]).documents:
        tried = {
            keyword: rule
            for entry in TABLE.of((document.kind, document.name))
            for kind in ("enforced", "unenforced")
            for keyword, rule in entry.edits.get(kind, {}).items()
        }
        stated = {keyword for keyword, name in RULES.items() if getattr(document.request, name) is not None}
        assert stated <= tried.keys(), f"{document.name}: try {stated - tried.keys()} on a node"


def present(hint: Any) -> Any:
    """Return a type without None."""
    kinds = typing.get_args(hint) if isinstance(hint, UnionType) else (hint,)
    (found,) = [kind for kind in kinds if kind is not NoneType]
    return found


def violations(rules: dict[str, Any]) -> Iterator[list[str]]:
    """Yield parameters that together break one of `rules`, and no other of them."""
    for group in rules.get("oneOfMany", ()):
        yield group[:2]
    for group in rules.get("pairedWith", ()):
        yield group[:1]
    for names in rules.get("dependentUpon", {}).values():
        yield from ([name] for name in names)


def required(entry: Correction) -> dict[str, Any]:
    return {each.attribute: 1 for each in COMMANDS[entry.name].parameters if each.required}
