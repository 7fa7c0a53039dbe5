"""`to_dict` and `to_json`: an answer as plain JSON, with all that came and without nulls."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.errors import DecodeError, EncodeError
from rpcschema.runtime.values.decode import decode
from rpcschema.runtime.values.encode import encode, to_dict, to_json
from rpcschema.runtime.values.written import Written
from tests.runtime.demo.types.greet import GreetRequest, GreetResponse
from tests.runtime.demo.types.look import LookResponse
from tests.runtime.demo.types.pay_all import PayAllFee, PayAllOutput, PayAllRequest, PayAllResponse

RAW = (
    b'{"new":{"z":[1,null,{"y":null}]},"paid":1,"format-hint":"x",'
    b'"fees":[{"per-kw":3,"more":null,"most":0}],"gone":null}'
)
PLAIN = {"new": {"z": [1, None, {}]}, "paid": 1, "format-hint": "x", "fees": [{"per-kw": 3, "most": 0}]}


def test_unknown_fields_and_the_nodes_names_are_kept_and_nulls_are_left_out() -> None:
    answer = decode(PayAllResponse, RAW)
    assert to_dict(answer) == PLAIN
    assert list(to_dict(answer)) == list(PLAIN)
    assert json.loads(to_json(answer)) == PLAIN


def test_what_was_changed_since_is_as_it_is_now() -> None:
    answer = decode(PayAllResponse, RAW)
    answer.paid, answer.format_hint = 2, None
    answer.fees = [*(answer.fees or ()), PayAllFee(per_kw=4)]
    changed = PLAIN | {"paid": 2, "fees": [{"per-kw": 3, "most": 0}, {"per-kw": 4}]}
    del changed["format-hint"]
    assert to_dict(answer) == changed
    assert json.loads(to_json(answer)) == changed


def test_a_missing_field_stays_missing() -> None:
    assert to_dict(decode(GreetResponse, b'{"amount_msat":5}')) == {"amount_msat": 5}


def test_each_class_of_a_union_will_do() -> None:
    for raw in (b'{"class":"tree","near":true,"height":7,"age":3}', b'{"class":"cave","near":true,"depth":1}'):
        assert to_dict(decode(LookResponse, raw)) == json.loads(raw)


def test_what_a_caller_made_will_do() -> None:
    assert to_dict(GreetRequest(name="a", amount=1, return_=True)) == {"name": "a", "amount": 1, "return": True}
    request = PayAllRequest(outputs=[PayAllOutput(pay_to="x", amount=1)])
    assert to_json(request) == '{"outputs":[{"pay-to":"x","amount":1}]}'


def test_json_is_written_as_encode_writes_it() -> None:
    answer = GreetResponse(greeting=Written.read(r"caf\u00e9"), amount_msat=2**64 - 1)
    assert to_json(answer) == r'{"greeting":"caf\u00e9","amount_msat":18446744073709551615}' == encode(answer).decode()
    assert to_json(GreetResponse(greeting="é\x1f", amount_msat=1)) == r'{"greeting":"é\u001F","amount_msat":1}'


@pytest.mark.parametrize("other", [{"a": 1}, [], None, 7, GreetResponse])
def test_anything_else_is_a_type_error_that_says_so(other: Any) -> None:
    for convert in (to_dict, to_json):
        with pytest.raises(TypeError, match=r"^response must be what a call returned, not "):
            convert(other)


def test_what_cannot_be_read_or_said_is_a_client_error() -> None:
    with pytest.raises(DecodeError, match=r"^greet: "):
        to_dict(decode(GreetResponse, b'{"greeting":"","amount_msat":1,"new":1e999}'))
    with pytest.raises(EncodeError):
        to_json(GreetResponse(greeting="\ud800", amount_msat=1))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT | st.sampled_from(["greeting", "amount_msat"]), VALUES, max_size=5))
def test_nothing_is_lost(sent: dict[str, Any]) -> None:
    answer = decode(GreetResponse, json.dumps(sent).encode())
    assert to_dict(answer) == sent
    assert json.loads(to_json(answer)) == sent


def test_both_are_public() -> None:
    code = "import clnrpc; a = clnrpc.types.StopResponse(result='x'); print(clnrpc.to_dict(a), clnrpc.to_json(a))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == """{'result': 'x'} {"result":"x"}\n"""
