"""The table of commands, clients, services and plugins, judged by running them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from tests.generator.packages import command, event


def test_service_answers_unknown_command_until_filled(package: Any) -> None:
    made = package(command())
    with pytest.raises(made.RpcError, match="Unknown command 'pay-now'") as caught:
        made.Service().pay_now(made.types.PayNowRequest())
    assert caught.value.code == -32601


def test_hidden_parameters_keep_their_place_and_say_what_they_are(package: Any, tmp_path: Path) -> None:
    properties = {"a": {"type": "u8"}, "dev": {"hidden": True}, "b": {"type": "u8"}}
    made = package(command(request={"properties": properties}))
    assert [parameter.name for parameter in made.COMMANDS["pay-now"].parameters] == ["a", "dev", "b"]
    assert "Hidden" in (tmp_path / "out" / made.__name__ / "types" / "pay_now.py").read_text()


def test_enforced_rules_and_deprecations_reach_the_table_of_commands(package: Any) -> None:
    properties: dict[str, Any] = {name: {"type": "u32"} for name in "abcde"}
    properties["d"]["deprecated"] = ["v26.06", "v27.03"]
    properties["c"]["deprecated"] = "v23.05"
    properties["e"]["deprecated"] = True
    rules: dict[str, Any] = {"oneOfMany": [["a", "b"]], "pairedWith": [["c", "d"]], "dependentUpon": {"a": ["d", "e"]}}
    rules["enforced"] = list(rules)
    made = package(command(request={"properties": properties} | rules) | {"deprecated": ["v26.06"]}, command("plain"))
    pay = made.COMMANDS["pay-now"]
    assert (pay.at_most_one, pay.all_or_none) == ((("a", "b"),), (("c", "d"),))
    assert pay.needs == (("d", "a"), ("e", "a"))
    assert pay.deprecated == ("v26.06",)
    said = [None, None, ("v23.05",), ("v26.06", "v27.03"), ()]
    assert [parameter.deprecated for parameter in pay.parameters] == said
    plain = made.COMMANDS["plain"]
    assert (plain.at_most_one, plain.all_or_none, plain.needs, plain.deprecated) == ((), (), (), None)


def test_a_rule_that_is_not_enforced_is_documentation_only(package: Any) -> None:
    properties = {name: {"type": "u32"} for name in "abcd"}
    rules = {"oneOfMany": [["a", "b"]], "pairedWith": [["c", "d"]], "enforced": ["pairedWith"]}
    made = package(command(request={"properties": properties} | rules))
    pay = made.COMMANDS["pay-now"]
    assert (pay.at_most_one, pay.all_or_none) == ((), (("c", "d"),))
    assert "At most one of `a` and `b` can be given." in made.Client.pay_now.__doc__


def test_the_table_of_commands_tells_the_types_inside_of_parameters(package: Any) -> None:
    amount, text = {"type": "msat"}, {"type": "string"}
    hop = {
        "properties": {"the fee": amount, "via": {"type": "array", "items": {"type": "pubkey"}}, "kind": text},
        "if": {"properties": {"kind": {"enum": ["x"]}}},
        "then": {"properties": {"one": amount, "other": amount}},
        "else": {"properties": {"one": text, "other": amount}},
    }
    properties = {
        "hops": {"type": "array", "items": {"type": "array", "items": hop | {"type": "object"}}},
        "first": {"properties": {"dev": {"type": "u8", "hidden": True}, "kind": text | {"enum": ["a", "b"]}}},
        "amount": {"oneOf": [amount, text]},
        "either": {"type": "array", "items": {"oneOf": [amount, text]}},
        "list": {"type": "array"},
        "map": {"type": "object"},
    }
    made = package(command(request={"properties": properties}))
    table = importlib.import_module(f"{made.__name__}.runtime.command")
    assert {parameter.name: parameter.type for parameter in made.COMMANDS["pay-now"].parameters} == {
        "hops": table.Array(
            table.Array(
                table.Object(
                    (
                        ("the fee", "msat"),
                        ("via", table.Array("pubkey")),
                        ("kind", "string"),
                        ("one", ""),
                        ("other", "msat"),
                    )
                )
            )
        ),
        "first": table.Object((("kind", "string"), ("dev", "u8"))),
        "amount": "",
        "either": "array",
        "list": "array",
        "map": "object",
    }


def test_a_request_is_built_of_what_was_bound(package: Any) -> None:
    hop = {"type": "object", "required": ["if"], "properties": {"if": {"type": "msat"}, "rate": {"type": "feerate"}}}
    made = package(command(request={"properties": {"hops": {"type": "array", "items": hop}}}))
    bind, decode = (
        importlib.import_module(f"{made.__name__}.runtime.{name}") for name in ("server.bind", "values.decode")
    )
    values = bind.Binder(made.COMMANDS["pay-now"]).bind(b'[[{"if":"1sat","rate":"urgent"}]]')
    request = decode.build_request(made.types.PayNowRequest, values)
    assert request.hops == [made.types.PayNowHop(if_=1000, rate="urgent")]


def test_the_package_names_its_release(package: Any) -> None:
    made = package(command())
    assert made.RELEASE == made.Client.rpc_release == made.AsyncClient.rpc_release == "v26.09"


def test_a_plugin_has_a_method_for_each_notification_and_each_hook_even_of_one_name(package: Any) -> None:
    payload = {"properties": {"amount": {"type": "msat"}}, "required": ["amount"]}
    made = package(
        event("notification", "pay-now", response=payload),
        event("hook", "pay-now", request=payload, response={"properties": {"result": {"type": "string"}}}),
        event("hook", "class"),
        command("pay-now"),
    )
    handled = importlib.import_module(f"{made.__name__}.runtime.plugin.declare").Handled
    names = ("PayNowNotification", "PayNowHookRequest", "PayNowHookResponse")
    found = {name: getattr(made.types, name) for name in names} | {"Handled": handled}
    told = get_type_hints(made.Plugin.on_pay_now, found)
    assert told == {"payload": made.types.PayNowNotification, "return": handled[None]}
    asked = get_type_hints(made.Plugin.hook_pay_now, found)
    assert asked == {"payload": made.types.PayNowHookRequest, "return": handled[made.types.PayNowHookResponse]}
    assert callable(made.Plugin.hook_class)

    class Overriding(made.Plugin):  # type: ignore[misc]
        def hook_pay_now(self, payload: Any) -> Any: ...

    manifest = Overriding().rpc_manifest()
    assert (manifest["subscriptions"], manifest["hooks"]) == ([], [{"name": "pay-now"}])
    assert made.decode_payload(made.types.PayNowNotification, {"amount": 5}).amount == 5


def test_a_plugin_calls_the_node_through_a_typed_client(package: Any, tmp_path: Path) -> None:
    made = package(command())
    plugin = made.Plugin()
    plugin._rpc_configuration = {"lightning-dir": str(tmp_path), "rpc-file": "lightning-rpc"}
    assert isinstance(plugin.rpc_node, made.Client)
    assert plugin.rpc_node is plugin.rpc_node
