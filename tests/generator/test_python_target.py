"""The dataclasses and their docstrings, judged by running what is made."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import sys
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec
import pytest

from rpcschema.model.nodes import SchemaNode
from rpcschema.python import docs, types
from rpcschema.settings import Settings
from tests.generator.packages import command, documents, event
from tests.generator.rendering import render_one

HOSTILE = '"""\\"; import os #\n\\\n{{ 7*7 }} {% raw %} \\N{DIGIT ONE} \x00\u2028'


def test_members_keep_the_order_of_the_document(package: Any) -> None:
    response = {
        "required": ["last"],
        "properties": {"first": {"type": "msat"}, "second": {"type": "string"}, "last": {"type": "boolean"}},
    }
    made = package(command(response=response))
    fields = dataclasses.fields(made.types.PayNowResponse)
    assert [field.name for field in fields] == ["first", "second", "last"]
    assert made.types.PayNowResponse(last=True).first is None


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
        "c": list[made.types.PayNowC],
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
    for source, possible, certain, both in (
        (received, "Present only", "Always present", 'Present if and only if `status` is "paid".'),
        (given, "Allowed only", "Required", 'Allowed only if `status` is "paid", and then required.'),
    ):
        assert f'"""{certain} if `status` is "paid"."""' in source
        assert f"The proof.\n\n    {both}" in source
        assert f'"""{possible} if `status` is "paid"."""' in source


def test_a_class_without_a_description_says_where_it_stands(package: Any) -> None:
    inner = {"type": "object", "properties": {"x": {"type": "u8"}}}
    described = inner | {"description": ["The tank."], "added": "v25.09"}
    outer = {"type": "array", "items": {"type": "object", "properties": {"a": inner, "b": described}}}
    half = {"properties": {"x-y": outer}}
    made = package(
        command(response=half),
        command("drain", request=half),
        event("hook", "drip", request=half),
        event("notification", "drip", response=half),
    )
    docs = {name: getattr(made.types, name).__doc__ for name in made.types.__all__}
    assert docs["DrainXYA"] == "`x-y[].a` in the request for `drain`."
    assert docs["PayNowXY"] == "`x-y[]` in the response to `pay-now`."
    assert docs["PayNowXYB"] == "The tank."
    assert docs["DripNotificationXYA"] == "`x-y[].a` in the notification `drip`."
    assert docs["DripHookXYA"] == "`x-y[].a` in the payload of the hook `drip`."


def source_of(made: Any, name: str) -> str:
    return " ".join(Path(sys.modules[getattr(made.types, name).__module__].__file__ or "").read_text().split())


def test_a_release_is_said_once_where_it_holds_for_all_that_is_inside(package: Any) -> None:
    inner = {"x": {"type": "u8", "added": "v25.09"}, "y": {"type": "u8", "added": "v26.04"}}
    part = {"type": "object", "added": "v25.09", "properties": inner, "required": ["x"]}
    old = {"type": "u8", "added": "v24.11", "description": ["Old."]}
    made = package(command(response={"properties": {"part": part, "old": old}}) | {"added": "v24.11"})
    source = source_of(made, "PayNowResponse")
    assert source.count("Added in v25.09.") == 1
    assert source.count("Added in v26.04.") == 1
    assert "Added in v24.11." not in source
    assert made.types.PayNowPart.__added__ == (("x", "v25.09"),)


def test_a_release_that_added_several_fields_is_said_once_for_all_of_them(package: Any) -> None:
    properties = {name: {"type": "u8", "added": "v26.06"} for name in ("a", "b", "c-d")}
    properties |= {name: {"type": "u8", "added": "v25.09"} for name in ("e", "f")}
    made = package(command(request={"properties": properties}, response={"properties": properties}))
    said = "`a`, `b` and `c-d` were added in v26.06."
    request, _, response = source_of(made, "PayNowResponse").partition("class PayNowResponse")
    for source in (request, response, made.Client.pay_now.__doc__ or ""):
        assert source.count(said) == source.count("v26.06") == 1
        assert source.count("Added in v25.09.") == 2


def test_what_the_signature_shows_is_not_said_again(package: Any) -> None:
    properties = {
        "fee_msat": {"type": "msat"},
        "satoshi": {"type": "sat"},
        "amount": {"type": "msat"},
        "single_use": {"type": "boolean", "default": "False"},
        "note": {"type": "string", "default": "None at all."},
    }
    made = package(command(request={"properties": properties}, response={"properties": properties}))
    source = source_of(made, "PayNowResponse")
    assert "satoshi." not in source
    request = source.partition("class PayNowResponse")[0]
    assert "Default: False." not in request
    assert "Default: None at all." in request
    # A method does not show it: what is not given is not sent.
    assert "single_use: Default: False." in (made.Client.pay_now.__doc__ or "")


def test_raises_names_each_code(package: Any) -> None:
    errors = ["On failure nothing is paid.", "", "- -1: The tank is empty.", "- 1001: It leaks."]
    doc = package(command() | {"errors": errors}).Client.pay_now.__doc__ or ""
    assert "    On failure nothing is paid.\n" in doc
    assert doc.rstrip().endswith(
        "Raises:\n            RpcError: Code -1: The tank is empty.\n            RpcError: Code 1001: It leaks."
    )


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
    assert "`a` and `b` must be given together or not at all." in doc
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
    assert "Present" not in Path(sys.modules[made.types.PayNowResponse.__module__].__file__ or "").read_text()


def test_objects_and_lists_of_them_decode_where_names_differ(package: Any) -> None:
    item = {"type": "object", "required": ["a-b"], "properties": {"a-b": {"type": "u8"}}}
    either = {"oneOf": [item, {"type": "array", "items": item}]}
    made = package(command(response={"properties": {"x": either}}))
    decode = importlib.import_module(f"{made.__name__}.runtime.values.decode").decode
    for text in (b'{"x":{"a-b":1}}', b'{"x":[{"a-b":1}]}'):
        value = decode(made.types.PayNowResponse, text).x
        assert (value[0] if isinstance(value, list) else value).a_b == 1


def test_a_default_of_any_length_is_read_in_linear_time() -> None:
    node = SchemaNode(pointer="", type="boolean", default="*" * 1_000_000 + "x")
    assert types.default_value(node) is None
