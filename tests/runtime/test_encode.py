"""Values are written compactly, in declared order, under their wire names, as the node writes them."""

from __future__ import annotations

import datetime
import decimal
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.errors import EncodeError
from rpcschema.runtime.values.encode import encode, finish, to_wire
from rpcschema.runtime.values.written import Written
from tests.runtime.demo.types.greet import GreetRequest, GreetResponse
from tests.runtime.demo.types.pay_all import PayAllFee, PayAllOutput, PayAllRequest, PayAllResponse


def test_members_that_are_none_are_left_out_and_the_order_is_the_declared_one() -> None:
    assert encode(GreetResponse(amount_msat=5, greeting="hi")) == b'{"greeting":"hi","amount_msat":5}'
    assert encode(GreetResponse(amount_msat=5, greeting="", returned=False)).endswith(b'5,"returned":false}')


def test_wire_names_are_restored_at_every_depth() -> None:
    fees = PayAllFee(per_kw=3)
    response = PayAllResponse(paid=1, format_hint="simple", fees=[fees], by_name={"per_kw": fees})
    assert (
        encode(response) == b'{"paid":1,"format-hint":"simple","fees":[{"per-kw":3}],"by_name":{"per_kw":{"per-kw":3}}}'
    )
    assert encode(GreetRequest(name="a", amount=1, return_=True)) == b'{"name":"a","amount":1,"return":true}'


def test_a_parameter_may_be_a_dataclass() -> None:
    request = PayAllRequest(outputs=[PayAllOutput(pay_to="x", amount=1)])
    assert to_wire({"outputs": request.outputs}) == to_wire(request) == {"outputs": [{"pay-to": "x", "amount": 1}]}


def test_finished_json_is_not_encoded_again_and_still_has_its_value() -> None:
    response = PayAllResponse(paid=1, fees=[PayAllFee(per_kw=3)])
    finished = finish(to_wire(response))
    assert finished == encode(response)
    assert encode(finished) is finished
    assert to_wire(finished) == to_wire(response)
    assert encode({"inside": [finished]}) == b'{"inside":[%b]}' % finished


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('a"b\\c/d', rb'"a\"b\\c/d"'),
        ("\n\t\r\b\f", rb'"\n\t\r\b\f"'),
        ("\x00\x1f", rb'"\u0000\u001F"'),
        ("a\x7fb", rb'"a\u007Fb"'),
        ("\\u001f\x1f", rb'"\\u001f\u001F"'),
        ("₿ 🎉", '"₿ 🎉"'.encode()),
    ],
)
def test_text_is_escaped_as_the_node_does(text: str, written: bytes) -> None:
    assert encode(text) == written
    assert encode({text: [text]}) == b"{" + written + b":[" + written + b"]}"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(string.printable + "\x00\x1f\x7f\\é🎉"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_another_reader_finds_the_same_value(value: Any) -> None:
    assert json.loads(encode(value)) == value


def endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("\ud800", "surrogates"),
        ({"\udfff": 1}, "surrogates"),
        (float("nan"), "nan"),
        ([float("-inf")], "-inf"),
        ({None: 1}, "keys"),
        ({b"name": 1}, "keys"),
        (object(), "object"),
        (b"\x00", "bytes"),
        ([{"at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)}], "datetime"),
        ({"sats": decimal.Decimal("1.5")}, "Decimal"),
        (GreetRequest(name=b"a", amount=1), "bytes"),  # type: ignore[arg-type]
        (endless(), "contains itself"),
        ([10**5000], "too many digits"),
    ],
)
def test_what_json_cannot_say_is_an_error_of_one_kind(value: Any, why: str) -> None:
    with pytest.raises(EncodeError, match=f"^JSON cannot represent (?!.*JSON cannot represent).*{why}"):
        encode(value)


@pytest.mark.parametrize("spelling", ["plain", r"caf\u00e9", "café", r"\/\"\n", r"\ud83c\udf89"])
def test_written_text_keeps_its_spelling(spelling: str) -> None:
    text = Written.read(spelling)
    assert text == json.loads(f'"{spelling}"')
    assert encode({"label": text, "labels": [text]}) == f'{{"label":"{spelling}","labels":["{spelling}"]}}'.encode()


def test_written_text_that_is_not_unicode_is_read_with_replacements() -> None:
    assert Written.read(r"a\ud800b") == "a\N{REPLACEMENT CHARACTER}b"
    assert encode(Written.read(r"a\ud800b")) == rb'"a\ud800b"'


def test_other_kinds_of_text_are_refused() -> None:
    class Text(str):
        __slots__ = ()

    with pytest.raises(EncodeError, match="Text"):
        encode(Text("x"))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.booleans())
def test_any_spelling_is_read_and_repeated(text: str, ascii_only: bool) -> None:
    written = json.dumps(text, ensure_ascii=ascii_only)
    assert Written.read(written[1:-1]) == text
    assert encode(Written.read(written[1:-1])) == written.encode()
