"""The Python targets, judged by running what they make."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec
import pytest

from rpcschema.model.nodes import Node
from rpcschema.python import docs, names, types
from rpcschema.settings import Settings
from tests.generator.packages import command, documents, event
from tests.generator.rendering import render_all, render_one

HOSTILE = '"""\\"; import os #\n\\\n{{ 7*7 }} {% raw %} \\N{DIGIT ONE} \x00\u2028'


def test_classes_and_methods_are_named_after_the_command(package: Any) -> None:
    made = package(command("pay-now_later"))
    assert made.types.PayNowLaterRequest
    assert made.types.PayNowLaterResponse
    assert callable(made.Client.pay_now_later)
    assert made.COMMANDS["pay-now_later"].method == "pay_now_later"


def test_members_keep_the_order_of_the_document(package: Any) -> None:
    response = {
        "required": ["last"],
        "properties": {"first": {"type": "msat"}, "second": {"type": "string"}, "last": {"type": "boolean"}},
    }
    made = package(command(response=response))
    fields = dataclasses.fields(made.types.PayNowResponse)
    assert [field.name for field in fields] == ["first", "second", "last"]
    assert made.types.PayNowResponse(last=True).first is None


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
    wire = ["Any", "Literal", "Mapping", "Msat", "Sequence", "stub"]
    texts = {name: {"type": "string"} for name in wire}
    uses = {"any": {"type": "array"}, "msat": {"type": "msat"}, "literal": {"type": "string", "enum": ["a"]}}
    commands = [command(name, response={"properties": texts | uses}) for name in [*wire, "unstable"]]
    made = package(*commands)
    hints = get_type_hints(made.types.MsatResponse)
    assert list(hints) == [f"{name}_" for name in wire] + list(uses)
    assert [hints[name] for name in uses] == [list[Any] | None, int | None, Literal["a"] | None]
    assert all(callable(getattr(made.Service, f"{name}_")) for name in wire)


def test_a_member_called_like_a_class_of_its_document_does_not_hide_it(package: Any, tmp_path: Path) -> None:
    names = ["PayNowRequest", "PayNowRequestPart", "PayNowResponse", "PayNowResponsePart"]
    properties = {name: {"type": "string"} for name in names} | {
        "part": {"type": "object", "properties": {name: {"type": "u8"} for name in names}},
        "Paymaster": {"type": "string"},
    }
    made = package(command(request={"properties": properties}, response={"properties": properties}))
    for half, part in (("Request", made.types.PayNowRequestPart), ("Response", made.types.PayNowResponsePart)):
        hints = get_type_hints(getattr(made.types, f"PayNow{half}"))
        assert hints == {f"{name}_": str | None for name in names} | {"part": part | None, "Paymaster": str | None}
    assert [each.attribute for each in made.COMMANDS["pay-now"].parameters[:2]] == [
        "PayNowRequest_",
        "PayNowRequestPart_",
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


def test_a_default_of_the_right_type_becomes_a_value_in_requests_only(package: Any) -> None:
    properties = {
        "single_use": {"type": "boolean", "default": "True"},
        "active_only": {"type": "boolean", "default": "*False*"},
        "retry_for": {"type": "u32", "default": "60 seconds"},
        "minconf": {"type": "u32", "default": 1},
        "kind": {"type": "string", "enum": ["a", "b"], "default": "`b`"},
        "note": {"type": "string", "default": "nothing"},
    }
    half = {"properties": properties}
    made = package(command(request=half, response=half))
    request, response = made.types.PayNowRequest(), made.types.PayNowResponse()
    assert dataclasses.astuple(request) == (True, False, None, 1, "b", None)
    assert set(dataclasses.astuple(response)) == {None}


def test_types_are_what_the_document_says(package: Any) -> None:
    properties = {
        "a": {"type": "msat"},
        "b": {"type": "array", "items": {"type": "hash"}},
        "c": {"type": "array", "items": {"type": "object", "required": ["d"], "properties": {"d": {"type": "u8"}}}},
        "e": {"oneOf": [{"type": "array", "items": {"type": "pubkey"}}, {"type": "string", "enum": ["all"]}]},
        "f": {"type": "object"},
        "g": {"untyped": True},
        "h": {"type": "boolean", "enum": [True]},
        "i": {"type": "string", "enum": ["x", "y"]},
        "j": {"type": "u8", "enum": [1, 2]},
        "k": {"enum": [1, "one"]},
        "l": {"oneOf": [{"type": "number", "enum": [3]}, {"type": "string"}]},
        "m": {"oneOf": [{"type": "u8", "enum": [3]}, {"type": "u64"}]},
        "n": {"oneOf": [{"type": "pubkey"}, {"type": "string", "enum": ["all"]}]},
        "o": {"type": "number", "enum": [0.5, 1]},
        "p": {"type": "msat", "enum": [1000]},
    }
    made = package(command(response={"required": list(properties), "properties": properties}))
    hints = get_type_hints(made.types.PayNowResponse)
    assert hints == {
        "a": int,
        "b": list[str],
        "c": list[made.types.PayNowResponseC],
        "e": list[str] | Literal["all"],
        "f": dict[str, Any],
        "g": Any,
        "h": bool,
        "i": Literal["x", "y"],
        "j": Literal[1, 2],
        "k": Literal["one"] | Literal[1],
        "l": str | Literal[3],
        "m": int,
        "n": str,
        "o": float,
        "p": int,
    }
    decoded = msgspec.json.decode(
        b'{"a":1,"b":["00"],"c":[{"d":2}],"e":"all","f":{"k":[]},"g":null,"h":true,"i":"x","j":2,"k":1,"l":3,"m":4,'
        b'"n":"all","o":0.5,"p":1000,"new":1}',
        type=made.types.PayNowResponse,
    )
    assert decoded.c[0].d == 2


def test_a_conditional_field_is_optional_and_says_when_it_is_there(package: Any, tmp_path: Path) -> None:
    response = {
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": ["paid", "open"]}, "paid_at": {"type": "u64"}},
        "allOf": [
            {
                "if": {"properties": {"status": {"type": "string", "enum": ["paid"]}}},
                "then": {
                    "required": ["preimage", "paid_at"],
                    "properties": {
                        "status": {},
                        "preimage": {"type": "secret", "description": ["The proof."]},
                        "note": {"type": "string"},
                    },
                },
            }
        ],
    }
    made = package(command(response=response), event("hook", "tank_full", response=response))
    assert made.types.PayNowResponse(status="open").preimage is None
    types_folder = tmp_path / "out" / made.__name__ / "types"
    received, given = ((types_folder / name).read_text() for name in ("pay_now.py", "tank_full_hook.py"))
    for source, word in ((received, "Always there"), (given, "Required")):
        assert f'"""{word} if `status` is "paid"."""' in source
        assert f'The proof.\n\n    Only if `status` is "paid", and then {word.lower()}.' in source
        assert '"""Only if `status` is "paid"."""' in source


def test_a_class_without_a_description_says_what_it_is_a_part_of(package: Any) -> None:
    part = {"type": "object", "added": "v25.09", "properties": {"x": {"type": "u8"}}}
    described = part | {"description": ["The tank."]}
    made = package(command(response={"properties": {"a": part, "b": described}}))
    assert made.types.PayNowResponseA.__doc__ == "Part of `pay-now`. Added in v25.09."
    assert made.types.PayNowResponseB.__doc__ == "The tank.\n\n    Added in v25.09.\n    "


def test_hostile_text_stays_text(package: Any) -> None:
    properties = {"x": {"type": "string", "description": [HOSTILE, HOSTILE], "default": HOSTILE}}
    half = {"properties": properties | {'"]; import os #': {"type": "string", "enum": [HOSTILE, "'"]}}}
    raw = command(request=half, response=half) | {"title": HOSTILE, "description": [HOSTILE]}
    made = package(raw)
    assert made.Client.pay_now.__doc__.startswith('"""\\"; import os #')
    assert made.types.PayNowRequest()


@pytest.mark.parametrize("text", ['"', '""', '"""', "\\", '\\"', "a\\", '"""\\', "\r", "\x00", "\ud800", "{{", ""])
def test_docstring_is_one_string_literal_with_the_text(text: str) -> None:
    source = docs.docstring(f"x {text}", indent=0)
    assert ast.literal_eval(source).strip() == f"x {text}".strip()
    source.encode()


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


def test_a_command_cannot_take_a_name_of_the_client(tmp_path: Path) -> None:
    made = documents(tmp_path, command("rpc-call"))
    _, problems = render_all("python", made, Settings(package="p", targets=("python",)))
    assert "rpc_" in problems[0].message


def test_notifications_and_hooks_get_types_by_their_kind(tmp_path: Path) -> None:
    made = documents(tmp_path, event("notification", "block_added"), event("hook", "db_write"))
    names_of = {name for doc in made for name in (names.request_class(doc), names.response_class(doc))}
    assert names_of == {None, "BlockAddedNotification", "DbWriteHookRequest", "DbWriteHookResponse"}


def test_service_answers_unknown_command_until_filled(package: Any) -> None:
    made = package(command())
    with pytest.raises(made.RpcError, match="Unknown command 'pay-now'") as caught:
        made.Service().pay_now(made.types.PayNowRequest())
    assert caught.value.code == -32601


def test_names_that_begin_with_a_digit_or_underscore_become_classes_all_the_same(package: Any) -> None:
    nested = {
        "type": "object",
        "properties": {"2": {"type": "object", "properties": {"_": {"type": "u8"}}}, "_3": {"type": "u8"}},
    }
    made = package(command("2-pay", response={"properties": {"__": nested, "x y": nested}}))
    assert [field.name for field in dataclasses.fields(made.types.N2PayResponse)] == ["_", "x_y"]


def test_hidden_parameters_keep_their_place_and_say_what_they_are(package: Any, tmp_path: Path) -> None:
    properties = {"a": {"type": "u8"}, "dev": {"hidden": True}, "b": {"type": "u8"}}
    made = package(command(request={"properties": properties}))
    assert [parameter.name for parameter in made.COMMANDS["pay-now"].parameters] == ["a", "dev", "b"]
    assert "Hidden" in (tmp_path / "out" / made.__name__ / "types" / "pay_now.py").read_text()


def test_docstrings_state_limits_rules_and_what_elements_are(package: Any) -> None:
    request = {
        "properties": {
            "a": {"type": "hex", "minLength": 64, "maxLength": 64},
            "b": {"type": "array", "items": {"type": "u8", "description": ["A byte."], "added": "v1"}},
            "c": {"oneOf": [{"type": "u8", "description": ["A count."]}, {"type": "string", "enum": ["all"]}]},
            "d": {"type": "u32", "enum": [1, 2]},
        },
        "pairedWith": [["a", "b"]],
    }
    made = package(command(request=request) | {"warning": "Experimental", "deprecated": ["v1", "v2"]})
    doc = " ".join((made.Client.pay_now.__doc__ or "").split())
    for text in (
        "Exactly 64 characters.",
        "Each element: A byte.",
        "Each element: Added in v1.",
        "As u8: A count.",
    ):
        assert text in doc
    assert "One of 1, 2." not in doc
    assert "`a` and `b` go together" in doc
    assert "Warning: Experimental." in doc
    assert "Deprecated in v1" in doc


def test_what_python_cannot_hold_is_a_warning_with_its_place(tmp_path: Path) -> None:
    half = {"properties": {"x": {"type": "u8", "oneOf": [{"type": "string"}, {"type": "u16"}]}}}
    (document,) = documents(tmp_path, command(response=half))
    rendered = render_one("python", document, Settings(package="p", targets=("python",)))
    assert rendered.files
    assert {problem.pointer: problem.level.value for problem in rendered.problems} == {
        "/response/properties/x": "warning",
    }


def test_a_field_that_one_form_always_has_says_no_condition(package: Any) -> None:
    always = {"type": "object", "properties": {"k": {"type": "string"}, "x": {"type": "u8"}}}
    when = {
        "if": {"properties": {"k": {"type": "string", "enum": ["z"]}}},
        "then": {"properties": {"x": {"type": "u8"}}},
    }
    sometimes = {"type": "object", "properties": {"k": {"type": "string"}}} | when
    properties = {"both": {"type": "array", "items": {"oneOf": [always, sometimes]}}}
    made = package(command(response={"properties": properties}))
    assert "Only if" not in Path(sys.modules[made.types.PayNowResponse.__module__].__file__ or "").read_text()


def test_objects_and_lists_of_them_decode_where_names_differ(package: Any) -> None:
    item = {"type": "object", "required": ["a-b"], "properties": {"a-b": {"type": "u8"}}}
    either = {"oneOf": [item, {"type": "array", "items": item}]}
    made = package(command(response={"properties": {"x": either}}))
    decode = importlib.import_module(f"{made.__name__}.runtime.values.decode").decode
    for text in (b'{"x":{"a-b":1}}', b'{"x":[{"a-b":1}]}'):
        value = decode(made.types.PayNowResponse, text).x
        assert (value[0] if isinstance(value, list) else value).a_b == 1


def test_a_default_of_any_length_is_read_in_linear_time() -> None:
    node = Node(pointer="", type="boolean", default="*" * 1_000_000 + "x")
    assert types.default_value(node) is None


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
    request = decode.build(made.types.PayNowRequest, values)
    assert request.hops == [made.types.PayNowRequestHops(if_=1000, rate="urgent")]


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
    told = get_type_hints(
        made.Plugin.on_pay_now, vars(made.types) | {"PayNowNotification": made.types.PayNowNotification}
    )
    assert told == {"payload": made.types.PayNowNotification, "return": type(None)}
    assert callable(made.Plugin.hook_class)
    names = ("PayNowHookRequest", "PayNowHookResponse")
    asked = get_type_hints(made.Plugin.hook_pay_now, {name: getattr(made.types, name) for name in names})
    assert asked == {"payload": made.types.PayNowHookRequest, "return": made.types.PayNowHookResponse}

    class Overriding(made.Plugin):  # type: ignore[misc]
        def hook_pay_now(self, payload: Any) -> Any: ...

    manifest = Overriding().rpc_manifest()
    assert (manifest["subscriptions"], manifest["hooks"]) == ([], [{"name": "pay-now"}])
    assert made.decode_payload(made.types.PayNowNotification, {"amount": 5}).amount == 5


def test_a_plugin_calls_the_node_through_a_typed_client(package: Any, tmp_path: Path) -> None:
    made = package(command())
    plugin = made.Plugin()
    plugin._rpc_configuration = {"lightning-dir": str(tmp_path), "rpc-file": "lightning-rpc"}
    assert isinstance(plugin.rpc_client, made.Client)
    assert plugin.rpc_client is plugin.rpc_client
