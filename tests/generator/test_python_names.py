"""Names of documents become names of Python, and those that cannot are refused."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, get_type_hints

import pytest

from rpcschema.python import names
from rpcschema.settings import Settings
from tests.generator.packages import command, documents, event
from tests.generator.rendering import render_all, render_one


def test_classes_and_methods_are_named_after_the_command(package: Any) -> None:
    made = package(command("pay-now_later"))
    assert made.types.PayNowLaterRequest
    assert made.types.PayNowLaterResponse
    assert callable(made.Client.pay_now_later)
    assert made.COMMANDS["pay-now_later"].method == "pay_now_later"


def test_wire_names_that_python_cannot_have_are_kept_beside(package: Any) -> None:
    wire = ["lightning-dir", "return", "target/subcommand", "2nd", "list", "__class__", "self"]
    half = {"properties": {name: {"type": "string"} for name in wire}}
    made = package(command(request=half, response=half))
    assert made.Client.pay_now
    made_class = made.types.PayNowResponse
    attributes = [field.name for field in dataclasses.fields(made_class)]
    assert attributes == ["lightning_dir", "return_", "target_subcommand", "_2nd", "list_", "_class__", "self_"]
    assert made_class.__wire_names__ == tuple(zip(attributes, wire, strict=True))


def test_what_generated_code_needs_is_not_hidden_by_a_member_or_method_of_that_name(package: Any) -> None:
    wire = ["Any", "Literal", "Mapping", "Msat", "Sequence", "call", "stub"]
    texts = {name: {"type": "string"} for name in wire}
    uses = {"any": {"type": "array"}, "msat": {"type": "msat"}, "literal": {"type": "string", "enum": ["a"]}}
    commands = [command(name, response={"properties": texts | uses}) for name in [*wire, "unstable"]]
    made = package(*commands)
    hints = get_type_hints(made.types.MsatResponse)
    assert list(hints) == [f"{name}_" for name in wire] + list(uses)
    assert [hints[name] for name in uses] == [list[Any] | None, int | None, Literal["a"] | None]
    assert all(callable(getattr(made.Service, f"{name}_")) for name in wire)


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        *(
            ("offers", "offer"),
            ("channel_updates", "channel_update"),
            ("txs", "tx"),
            ("hops", "hop"),
            ("routes", "route"),
        ),
        *(("addresses", "address"), ("address", "address"), ("entries", "entry"), ("branches", "branch")),
        *(("node_biases", "node_bias"), ("aliases", "alias"), ("leases", "lease")),
        *(
            ("status", "status"),
            ("paystatus", "paystatus"),
            ("path", "path"),
            ("channels_apy", "channels_apy"),
            ("", ""),
        ),
    ],
)
def test_an_element_is_named_in_the_singular(plural: str, singular: str) -> None:
    assert names.singular(plural) == singular


def test_objects_inside_are_named_after_the_command_and_elements_in_the_singular(package: Any) -> None:
    tank = {"type": "object", "properties": {"fee_levels": {"type": "object", "properties": {"x": {"type": "u8"}}}}}
    half = {"properties": {"tanks": {"type": "array", "items": {"type": "array", "items": tank}}}}
    made = package(
        command(response=half), event("notification", "drip", response=half), event("hook", "drip", request=half)
    )
    inside = {name for name in made.types.__all__ if not name.endswith(("Request", "Response", "Notification"))}
    assert inside == {
        f"{stem}{end}" for stem in ("PayNow", "DripNotification", "DripHook") for end in ("Tank", "TankFeeLevels")
    }


@pytest.mark.parametrize(("name", "member"), [("any", "é"), ("msat-or", "any"), ("client", "\u20bf"), ("caller", "")])
def test_objects_inside_hide_nothing_that_generated_code_needs(name: str, member: str, package: Any) -> None:
    inner = {"type": "object", "properties": {"amount": {"type": "msat_or_any"}, "more": {"untyped": True}}}
    made = package(command(name, response={"properties": {member: inner}}), command("other", request=inner))
    (inside,) = {each for each in made.types.__all__ if not each.endswith(("Request", "Response"))}
    assert inside.endswith("2")
    assert get_type_hints(getattr(made.types, inside)) == {"amount": int | str | None, "more": Any | None}
    assert callable(made.Client.other)


def test_a_member_called_like_a_class_of_its_document_does_not_hide_it(package: Any, tmp_path: Path) -> None:
    names = ["PayNowRequest", "PayNowPart", "PayNowResponse", "PayNowPart2"]
    properties = {name: {"type": "string"} for name in names} | {
        "part": {"type": "object", "properties": {name: {"type": "u8"} for name in names}},
        "Paymaster": {"type": "string"},
    }
    made = package(command(request={"properties": properties}, response={"properties": properties}))
    for half, part in (("Request", made.types.PayNowPart), ("Response", made.types.PayNowPart2)):
        hints = get_type_hints(getattr(made.types, f"PayNow{half}"))
        assert hints == {f"{name}_": str | None for name in names} | {"part": part | None, "Paymaster": str | None}
    assert [each.attribute for each in made.COMMANDS["pay-now"].parameters[:2]] == [
        "PayNowRequest_",
        "PayNowPart_",
    ]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "-p", made.__name__],
        check=False,
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout


def test_a_package_knows_its_name(package: Any) -> None:
    made = package(command())
    assert {kind.rpc_package for kind in (made.Client, made.AsyncClient, made.Plugin)} == {made.__name__}


@pytest.mark.parametrize("target", ["python", "client", "service"])
def test_names_that_collide_in_python_are_refused(tmp_path: Path, target: str) -> None:
    raw = command(request={"properties": {"a-b": {"type": "u8"}, "a_b": {"type": "u8"}}})
    (document,) = documents(tmp_path, raw)
    rendered = render_one(target, document, Settings(package="p", targets=(target,)))
    assert not rendered.files
    (problem,) = rendered.problems
    assert problem.pointer == "/request"
    assert "'a-b' and 'a_b' both become a_b" in problem.message


def test_documents_that_collide_in_python_are_refused(tmp_path: Path) -> None:
    made = documents(tmp_path, command("a-b"), command("a_b"))
    _, problems = render_all("python", made, Settings(package="p", targets=("python",)))
    assert {problem.file for problem in problems} == {"1.json"}


def test_notifications_that_collide_in_a_plugin_are_refused(tmp_path: Path) -> None:
    made = documents(tmp_path, event("notification", "a-b"), event("notification", "a_b"))
    _, problems = render_all("plugin", made, Settings(package="p", targets=("plugin",)))
    assert {problem.file for problem in problems} == {"1.json"}


@pytest.mark.parametrize(("name", "reserved"), [("rpc-call", "rpc_"), ("iter", "iter"), ("pay-once", "pay_once")])
def test_a_command_cannot_take_a_name_of_the_client(tmp_path: Path, name: str, reserved: str) -> None:
    made = documents(tmp_path, command(name))
    _, problems = render_all("python", made, Settings(package="p", targets=("python",)))
    assert f" {reserved} belong" in problems[0].message


def test_notifications_and_hooks_get_types_by_their_kind(tmp_path: Path) -> None:
    made = documents(tmp_path, event("notification", "block_added"), event("hook", "db_write"))
    names_of = {name for doc in made for name in (names.request_class(doc), names.response_class(doc))}
    assert names_of == {None, "BlockAddedNotification", "DbWriteHookRequest", "DbWriteHookResponse"}


def test_names_that_begin_with_a_digit_or_underscore_become_classes_all_the_same(package: Any) -> None:
    nested = {
        "type": "object",
        "properties": {"2": {"type": "object", "properties": {"_": {"type": "u8"}}}, "_3": {"type": "u8"}},
    }
    made = package(command("2-pay", response={"properties": {"__": nested, "x y": nested}}))
    assert [field.name for field in dataclasses.fields(made.types.N2PayResponse)] == ["_", "x_y"]
