"""Parameters are compared with what `help` shows, and with what `check` says to examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from clnrpc.runtime.errors import INVALID_PARAMS
from lnstandin.conform.findings import Finding, Kind
from lnstandin.conform.node import Reply
from lnstandin.conform.parameters import PROBE, compare_parameters, compare_rules, sample
from lnstandin.conform.run import drive
from lnstandin.conform.usage import Usage, parse_usage, read_help
from rpcschema.model.nodes import Document
from tests.conform.documents import Raw, document

REQUEST: Raw = {
    "required": ["amount", "label"],
    "properties": {
        "amount": {"type": "msat"},
        "label": {"type": "string"},
        "height": {"type": "u32"},
        "mode": {"type": "string", "enum": ["slow", "fast"]},
    },
}
PAY = document("pay", request=REQUEST)
USAGE = "pay amount label [height] [mode]"

Checker = Callable[[Mapping[str, Any]], Reply]


def refused(message: str) -> Reply:
    return Reply(code=INVALID_PARAMS, message=message)


def checker(line: str, *, loose: tuple[str, ...] = ()) -> Checker:
    """Return a node's `check` for a command with this usage: it reads names, then types, then what is missing.

    It takes anything for the parameters in `loose`.
    """
    usage = parse_usage(line)

    def check(params: Mapping[str, Any]) -> Reply:
        for name, value in params.items():
            if name not in usage.parameters:
                return refused(f"unknown parameter: {name}, this may be caused by something")
            if value == PROBE and name not in ("label", *loose):
                return refused(f"{name}: should be something else: invalid token '\"{PROBE}\"'")
        missing = [name for name in usage.parameters if name in usage.required and name not in params]
        return refused(f"missing required parameter: {missing[0]}") if missing else Reply({"command_to_check": "pay"})

    return check


def compared(shown: str, check: Checker | None = None, of: Document = PAY) -> list[Finding]:
    return drive(compare_parameters(of, parse_usage(shown)), check or checker(shown))


def test_reads_usage_with_optional_and_deprecated_and_listed_values() -> None:
    assert parse_usage("(DEPRECATED!) pay a [b] [c]") == Usage("pay", ("a", "b", "c"), frozenset({"a"}))
    assert parse_usage("plugin subcommand=start|stop") == Usage("plugin", ("subcommand",), frozenset({"subcommand"}))
    assert parse_usage("getinfo ") == Usage("getinfo", (), frozenset())
    assert list(read_help({"help": [{"command": "getinfo "}, {"command": "pay a"}]})) == ["getinfo", "pay"]


def test_finds_nothing_where_both_agree() -> None:
    assert compared(USAGE) == []


@pytest.mark.parametrize(
    ("shown", "kind", "name", "node"),
    [
        ("pay amount label [mode]", Kind.PARAMETER_UNKNOWN, "height", "has no such parameter (-32602)"),
        (f"{USAGE} [more]", Kind.PARAMETER_UNDOCUMENTED, "more", "shows it in `help`, optional"),
        (
            "pay amount label height [mode]",
            Kind.PARAMETER_PRESENCE,
            "height",
            "requires it (missing required parameter: height)",
        ),
        ("pay amount [label] [height] [mode]", Kind.PARAMETER_PRESENCE, "label", "shows it as optional in `help`"),
        ("pay amount label [mode] [height]", Kind.PARAMETER_ORDER, "height", "mode height"),
    ],
)
def test_finds_each_difference_in_names_presence_and_order(shown: str, kind: Kind, name: str, node: str) -> None:
    [finding] = compared(shown)
    assert (finding.kind, finding.subject, finding.where) == (kind, "pay", f"request.{name}")
    assert finding.node.startswith(node)


def test_a_parameter_that_help_hides_and_the_node_takes_is_no_unknown_one() -> None:
    [finding] = compared("pay amount label [mode]", checker(USAGE))
    assert (finding.kind, finding.where) == (Kind.PARAMETER_UNLISTED, "request.height")


def test_believes_check_that_a_required_parameter_is_missed_and_not_help() -> None:
    assert compared("pay amount [label] [height] [mode]", checker(USAGE)) == []


def test_parameters_for_developers_are_left_out() -> None:
    request = REQUEST | {"properties": REQUEST["properties"] | {"dev_fast": {"type": "boolean"}}}
    assert compared(USAGE, of=document("pay", request=request)) == []
    assert compared(f"{USAGE} [dev-slow]") == []


def test_deprecated_parameters_may_be_gone() -> None:
    request = REQUEST | {"properties": REQUEST["properties"] | {"old": {"type": "u8", "deprecated": ["v24.08"]}}}
    assert compared(USAGE, of=document("pay", request=request)) == []


def test_finds_a_parameter_that_takes_text_for_another_type() -> None:
    [finding] = compared(USAGE, checker(USAGE, loose=("height",)))
    assert (finding.kind, finding.where, finding.document) == (Kind.PARAMETER_TYPE, "request.height", "u32")


def test_says_nothing_of_types_where_the_command_leaves_them_to_another_one() -> None:
    assert compared(USAGE, checker(USAGE, loose=("height", "amount"))) == []


def test_says_nothing_of_a_command_that_cannot_be_checked() -> None:
    assert compared("pay", lambda _: Reply({})) == []
    assert compared("pay", lambda _: refused("Something else is wrong")) == []


def test_an_unknown_parameter_has_its_code() -> None:
    [finding] = compared("pay", lambda _: Reply(code=-1, message="Usage"))
    assert (finding.kind, finding.node) == (Kind.ERROR_CODE, "error -1: Usage")


RULES = document(
    "list",
    request={
        "properties": {name: {"type": "u32"} for name in ("index", "start", "limit", "a", "b", "c")},
        "dependentUpon": {"index": ["start", "limit"]},
        "oneOfMany": [["a", "b"]],
        "pairedWith": [["b", "c"]],
    },
)


def test_finds_each_rule_that_is_not_enforced() -> None:
    findings = drive(compare_rules(RULES, {"x": 1}), lambda _: Reply({}))
    assert [(each.kind, each.where, each.node) for each in findings] == [
        (Kind.RULE, "request.a", "takes both (answers)"),
        (Kind.RULE, "request.b", "takes b alone (answers)"),
        (Kind.RULE, "request.c", "takes c alone (answers)"),
        (Kind.RULE, "request.start", "takes start alone (answers)"),
        (Kind.RULE, "request.limit", "takes limit alone (answers)"),
    ]


def test_a_rule_is_enforced_by_a_refusal_and_by_no_other_error() -> None:
    assert drive(compare_rules(RULES, {}), lambda _: refused("no")) == []
    findings = drive(compare_rules(RULES, {}), lambda _: Reply(code=208, message="Never attempted"))
    assert {each.node.partition(" (")[2] for each in findings} == {"error 208: Never attempted)"}


def test_a_call_that_breaks_a_rule_has_the_other_parameters() -> None:
    calls: list[Mapping[str, Any]] = []

    def ask(params: Mapping[str, Any]) -> Reply:
        calls.append(params)
        return refused("no")

    drive(compare_rules(RULES, {"x": 1}), ask)
    assert calls[0] == {"x": 1, "a": 1, "b": 1}
    assert calls[-1] == {"x": 1, "limit": 1}


def test_an_example_is_one_of_its_enum() -> None:
    fields = {field.name: field for field in PAY.request.fields or ()}
    assert [sample(fields[name]) for name in ("amount", "label", "height", "mode")] == [1000, "lnstandin", 1, "slow"]
