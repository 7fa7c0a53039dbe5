"""Answers become the generated dataclasses, wire names and all."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.errors import ClientError, DecodeError, MissingFieldError
from rpcschema.runtime.values.decode import build_request, decode
from rpcschema.runtime.values.encode import encode
from tests.runtime.demo.types.greet import GreetRequest, GreetResponse
from tests.runtime.demo.types.look import LookOtherResponse, LookResponse, LookRiverResponse, LookTreeResponse
from tests.runtime.demo.types.pay_all import PayAllFee, PayAllOutput, PayAllRequest, PayAllResponse

WHY = r"(an array|text|null), not a JSON object|invalid JSON: .*"


def test_members_that_the_class_does_not_know_are_passed_over() -> None:
    raw = b'{"new":[{"x":1}],"greeting":"hi","amount_msat":5}'
    assert decode(GreetResponse, raw) == GreetResponse(greeting="hi", amount_msat=5)


def test_wire_names_become_attributes_at_every_depth() -> None:
    raw = b'{"paid":1,"format-hint":"simple","fees":[{"per-kw":3,"x":0}],"by_name":{"a":{"per-kw":4}},"new":1}'
    assert decode(PayAllResponse, raw) == PayAllResponse(
        paid=1,
        format_hint="simple",
        fees=[PayAllFee(per_kw=3)],
        by_name={"a": PayAllFee(per_kw=4)},
    )


def test_an_attribute_is_no_wire_name() -> None:
    assert decode(PayAllResponse, b'{"paid":1,"format_hint":"x"}').format_hint is None


def test_whole_numbers_beyond_int64_are_exact() -> None:
    assert decode(GreetResponse, b'{"greeting":"","amount_msat":18446744073709551615}').amount_msat == 2**64 - 1


@pytest.mark.parametrize("cls", [GreetResponse, PayAllResponse])
@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"null", b"{", b'{"paid":', b'{"greeting":"\xff"}'])
def test_an_answer_that_is_no_json_object_is_an_error_that_names_the_command(cls: Any, raw: bytes) -> None:
    with pytest.raises(DecodeError) as error:
        decode(cls, raw)
    assert re.fullmatch(f"{cls.__source__}: the node sent ({WHY})", str(error.value))
    assert isinstance(error.value, ClientError)


@pytest.mark.parametrize("cls", [GreetResponse, PayAllResponse])
@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"new":' * 100_000], ids=["arrays", "objects"])
def test_an_answer_that_is_nested_too_deeply_is_an_error(cls: Any, raw: bytes) -> None:
    with pytest.raises(DecodeError, match=f"^{cls.__source__}: the node sent JSON that is nested too deeply$"):
        decode(cls, raw)


def test_the_discriminator_tells_which_class_of_a_union_it_is() -> None:
    tree = decode(LookResponse, b'{"near":true,"class":"tree","height":7}')
    assert tree == LookTreeResponse(class_="tree", near=True, height=7)
    river = decode(LookResponse, b'{"width":7,"class":"river","near":true}')
    assert river == LookRiverResponse(class_="river", near=True, width=7)


@pytest.mark.parametrize(
    ("raw", "value"),
    [(b'{"class":"cave","near":true,"depth":1}', "cave"), (b'{"class":["tree"],"near":true}', ["tree"])],
)
def test_a_discriminator_that_no_class_knows_is_passed_on(raw: bytes, value: Any) -> None:
    other = decode(LookResponse, raw)
    assert other.__class__ is LookOtherResponse
    assert (other.class_, other.near) == (value, True)


def test_without_a_discriminator_the_rest_can_still_be_read() -> None:
    other = decode(LookResponse, b'{"near":false}')
    assert other.near is False
    with pytest.raises(MissingFieldError, match=r"^look: the node did not send class;"):
        other.class_  # noqa: B018


@pytest.mark.parametrize("raw", [b"[]", b"{", b"7"])
def test_a_union_is_an_object_too(raw: bytes) -> None:
    with pytest.raises(DecodeError, match=r"^look: the node sent "):
        decode(LookResponse, raw)


@given(
    st.builds(
        PayAllResponse,
        paid=st.integers(0, 2**64 - 1),
        format_hint=st.none() | st.text(),
        fees=st.none() | st.lists(st.builds(PayAllFee, per_kw=st.integers(0, 9))),
    )
)
def test_what_was_encoded_is_decoded_the_same(response: PayAllResponse) -> None:
    assert decode(PayAllResponse, encode(response)) == response


def test_a_request_is_built_with_its_nested_classes() -> None:
    values = {"outputs": [{"pay-to": "x", "amount": 1}]}
    assert build_request(PayAllRequest, values) == PayAllRequest(outputs=[PayAllOutput(pay_to="x", amount=1)])
    assert values == {"outputs": [{"pay-to": "x", "amount": 1}]}
    assert build_request(GreetRequest, {"name": "a", "amount": 1}) == GreetRequest(name="a", amount=1)
    assert build_request(PayAllResponse, {"paid": 1, "fees": None}) == PayAllResponse(paid=1)


def test_a_request_whose_nested_parts_do_not_fit_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"^outputs\[0\]: missing required member: pay-to$"):
        build_request(PayAllRequest, {"outputs": [{"amount": 1}]})
