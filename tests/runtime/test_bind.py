"""Parameters are checked as the node checks them, in its order and with its texts, but for our own advice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.command import Command, Object, Parameter, Type
from rpcschema.runtime.errors import INVALID_PARAMS, RpcError
from rpcschema.runtime.server.bind import BadParameter, Binder
from rpcschema.runtime.server.convert import CONVERTERS, raw_text
from rpcschema.runtime.values.decode import build_request
from tests.runtime.demo import GREET, NOTHING, PAY, TRAVEL
from tests.runtime.demo.types.travel import TravelRequest, TravelRoute, TravelRouteStop

ADVICE = "which this command does not have; if key=value pairs were meant, use -k"
HIDDEN = "invalid token (see logs for details)"
BAD_NAME = f"name: should be a string (without \\u): {HIDDEN}"
BAD_AMOUNT = f"amount: should be a millisatoshi amount: {HIDDEN}"


@pytest.mark.parametrize(
    ("params", "values"),
    [
        ('["a", 1]', {"name": "a", "amount": 1}),
        ('["a", 1, true, 2]', {"name": "a", "amount": 1, "return_": True, "times": 2}),
        ('["a", 1, null, 2]', {"name": "a", "amount": 1, "times": 2}),
        ('{"amount":"1sat","name":"a"}', {"amount": 1000, "name": "a"}),
        ('{"return":false,"name":"a","amount":1}', {"return_": False, "name": "a", "amount": 1}),
    ],
)
def test_gives_the_values_by_attribute(params: str, values: dict[str, object]) -> None:
    assert Binder(GREET).bind(params.encode()) == values


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("null", "Expected array or object for params"),
        ('"name"', "Expected array or object for params"),
        ("[]", "missing required parameter: name"),
        ("{}", "missing required parameter: name"),
        ('{"name":"a"}', "missing required parameter: amount"),
        ("[null, 1]", "missing required parameter: name"),
        ("[1, true]", BAD_NAME),
        ('["a", true]', BAD_AMOUNT),
        ('{"amount":true,"name":1}', BAD_AMOUNT),
        ('{"name":1,"amount":true}', BAD_NAME),
        ('{"name":null,"amount":1}', BAD_NAME),
        ('["a", 1, true, 2, 3]', "too many parameters: got 5, expected 4"),
        ('["a", 1, true, 2, null, null]', "too many parameters: got 6, expected 4"),
        ("[1, 1, true, 2, 3]", BAD_NAME),
        ("[null, null, null, null, null]", "too many parameters: got 5, expected 4"),
        ('{"x":1}', f"unknown parameter: x, {ADVICE}"),
        ('{"name":1,"x":1}', BAD_NAME),
        ('{"x":1,"name":1}', f"unknown parameter: x, {ADVICE}"),
        ('{"return_":true}', f"unknown parameter: return_, {ADVICE}"),
        ('{"n\\u0061me":"a"}', f"unknown parameter: n\\u0061me, {ADVICE}"),
        ('{"naïve":"a"}', f"unknown parameter: naïve, {ADVICE}"),
        ('{"name":"a","name":"a"}', "duplicate json names: name"),
        ('{"name":"a","name":1}', "duplicate json names: name"),
    ],
)
def test_the_first_thing_wrong_is_told(params: str, message: str) -> None:
    with pytest.raises(RpcError) as error:
        Binder(GREET).bind(params.encode())
    assert (error.value.code, error.value.message, error.value.data) == (INVALID_PARAMS, message, None)


@pytest.mark.parametrize("token", ['"zz"', '"\\u0041"', "[1, 2]", "5e3", '{"a": "é"}'])
def test_the_bad_token_is_hidden_until_it_is_to_be_shown(token: str) -> None:
    params = f'{{"amount":{token}}}'.encode()
    with pytest.raises(BadParameter, match="see logs") as refused:
        Binder(GREET).bind(params)
    assert token not in f"{refused.value} {refused.value!r}"
    assert refused.value.shown(params).message == f"amount: should be a millisatoshi amount: invalid token '{token}'"


def test_a_parameter_may_have_a_converter_of_its_own() -> None:
    assert Binder(GREET, {"name": raw_text}).bind(rb'["\u0041", 1]') == {"name": r"\u0041", "amount": 1}


def test_extras_are_passed_over_where_the_command_allows_them() -> None:
    assert Binder(PAY).bind(b'{"x":1,"outputs":[],"x":2}') == {"outputs": []}
    assert Binder(PAY).bind(b"[[],1,2]") == {"outputs": []}
    with pytest.raises(RpcError, match="duplicate json names: outputs"):
        Binder(PAY).bind(b'{"outputs":[],"outputs":[]}')


def test_what_is_inside_of_a_parameter_is_converted_as_parameters_are() -> None:
    hop = (
        b'{"fare":"1sat","from":"a","toll":"6blocks","by":"bus","seat":"7","stop":{"wait":"3"},"notes":{"x":["1sat"]}}'
    )
    values = Binder(TRAVEL).bind(b'{"routes":[[],[%b,{"from":"b","fare":2,"toll":"253"}]],"days":["1",2]}' % hop)
    assert build_request(TravelRequest, values) == TravelRequest(
        routes=[
            [],
            [
                TravelRoute(
                    from_="a",
                    fare=1000,
                    toll="6blocks",
                    by="bus",
                    seat="7",
                    stop=TravelRouteStop(wait=3),
                    notes={"x": ["1sat"]},
                ),
                TravelRoute(from_="b", fare=2, toll=253),
            ],
        ],
        days=[1, 2],
    )


def test_a_bad_token_inside_of_a_parameter_is_shown_alone_and_its_place_is_known() -> None:
    params = b'{"routes":[[{"from":"secret","fare":"zz"}]]}'
    with pytest.raises(BadParameter) as refused:
        Binder(TRAVEL).bind(params)
    assert refused.value.message == f"routes[0][0].fare: should be a millisatoshi amount: {HIDDEN}"
    assert (refused.value.parameter, refused.value.place) == ("routes", "routes[0][0].fare")
    shown = refused.value.shown(params).message
    assert shown == "routes[0][0].fare: should be a millisatoshi amount: invalid token '\"zz\"'"


tokens = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(0, 9) | st.text() | st.sampled_from(["1sat", "any", "7"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


def bound(declared: Type, token: bytes) -> tuple[object, str]:
    """Return the converted value of a parameter of this type, or the error."""
    command = Command("c", "C", (Parameter("p", declared, required=True),))
    try:
        return Binder(command).bind(b'{"p":%b}' % token)["p"], ""
    except RpcError as error:
        return None, error.message


@given(st.sampled_from(sorted(CONVERTERS)), tokens)
def test_a_member_is_taken_and_refused_as_a_parameter_of_its_type_is(declared: str, value: object) -> None:
    token = json.dumps(value, ensure_ascii=False).encode()
    alone, error = bound(declared, token)
    inside = bound(Object((("m", declared),)), b'{"m":%b}' % token)
    assert inside == ((None, error.replace("p", "p.m", 1)) if error else ({"m": alone}, ""))


def test_a_command_without_parameters_takes_none() -> None:
    assert Binder(NOTHING).bind(b"[]") == Binder(NOTHING).bind(b"{}") == {}
    with pytest.raises(RpcError, match="too many parameters: got 1, expected 0"):
        Binder(NOTHING).bind(b"[null]")


@given(st.permutations(["name", "amount", "return", "times"]), st.integers(0, 4))
def test_the_first_bad_one_of_an_object_wins(order: list[str], first_bad: int) -> None:
    good = {"name": "a", "amount": 1, "return": True, "times": 2}
    given_params = {name: good[name] if at < first_bad else [] for at, name in enumerate(order)}
    params = json.dumps(given_params).encode()
    if first_bad == len(order):
        assert len(Binder(GREET).bind(params)) == len(order)
    else:
        with pytest.raises(RpcError, match=f"^-32602: {order[first_bad]}: should be"):
            Binder(GREET).bind(params)
