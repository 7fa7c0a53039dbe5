"""Answers become the generated dataclasses, wire names and all; what does not fit is told with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.decode import build, decode
from rpcschema.runtime.encode import encode
from rpcschema.runtime.errors import ClientError, DecodeError
from tests.runtime.demo.types.greet import GreetRequest, GreetResponse
from tests.runtime.demo.types.pay_all import PayAllRequest, PayAllRequestOutputs, PayAllResponse, PayAllResponseFees


def test_members_that_the_class_does_not_know_are_passed_over() -> None:
    raw = b'{"new":[{"x":1}],"greeting":"hi","amount_msat":5}'
    assert decode(GreetResponse, raw) == GreetResponse(greeting="hi", amount_msat=5)


def test_wire_names_become_attributes_at_every_depth() -> None:
    raw = b'{"paid":1,"format-hint":"simple","fees":[{"per-kw":3,"x":0}],"by_name":{"a":{"per-kw":4}},"new":1}'
    assert decode(PayAllResponse, raw) == PayAllResponse(
        paid=1,
        format_hint="simple",
        fees=[PayAllResponseFees(per_kw=3)],
        by_name={"a": PayAllResponseFees(per_kw=4)},
    )


def test_an_attribute_is_no_wire_name() -> None:
    assert decode(PayAllResponse, b'{"paid":1,"format_hint":"x"}').format_hint is None


def test_whole_numbers_beyond_int64_are_exact() -> None:
    assert decode(GreetResponse, b'{"greeting":"","amount_msat":18446744073709551615}').amount_msat == 2**64 - 1


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"greeting":"hi"}', "GreetResponse: Object missing required field `amount_msat`"),
        (b'{"greeting":1,"amount_msat":1}', "GreetResponse: Expected `str`, got `int` - at `$.greeting`"),
        (b"[]", "GreetResponse: Expected `object`, got `array`"),
        (b"{", "GreetResponse: Input data was truncated"),
    ],
)
def test_what_does_not_fit_is_told_with_class_and_place(raw: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as error:
        decode(GreetResponse, raw)
    assert str(error.value) == message
    assert isinstance(error.value, ClientError)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[]", "PayAllResponse: Expected `object`, got `array`"),
        (b'{"paid":1,"fees":{}}', "PayAllResponse: Expected `array | null`, got `object` - at `$.fees`"),
        (b'{"paid":1,"fees":[7]}', "PayAllResponse: Expected `object`, got `int` - at `$.fees[0]`"),
        (b'{"paid":1,"by_name":[]}', "PayAllResponse: Expected `object | null`, got `array` - at `$.by_name`"),
        (b'{"paid":', "PayAllResponse: Input data was truncated"),
    ],
)
def test_the_same_holds_for_classes_with_other_names(raw: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as error:
        decode(PayAllResponse, raw)
    assert str(error.value) == message


@given(
    st.builds(
        PayAllResponse,
        paid=st.integers(0, 2**64 - 1),
        format_hint=st.none() | st.text(),
        fees=st.none() | st.lists(st.builds(PayAllResponseFees, per_kw=st.integers(0, 9))),
    )
)
def test_what_was_encoded_is_decoded_the_same(response: PayAllResponse) -> None:
    assert decode(PayAllResponse, encode(response)) == response


def test_a_request_is_built_with_its_nested_classes() -> None:
    values = {"outputs": [{"pay-to": "x", "amount": 1}]}
    assert build(PayAllRequest, values) == PayAllRequest(outputs=[PayAllRequestOutputs(pay_to="x", amount=1)])
    assert values == {"outputs": [{"pay-to": "x", "amount": 1}]}
    assert build(GreetRequest, {"name": "a", "amount": 1}) == GreetRequest(name="a", amount=1)
    assert build(PayAllResponse, {"paid": 1, "fees": None}) == PayAllResponse(paid=1)


def test_a_request_whose_nested_parts_do_not_fit_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"^outputs: .*`pay_to`.*\$\[0\]"):
        build(PayAllRequest, {"outputs": [{"amount": 1}]})
