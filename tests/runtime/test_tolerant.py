"""An answer of another version's node stays readable: only what is missing, and only when it is read, is an error."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from rpcschema.runtime.errors import ClientError, DecodeError, MissingFieldError
from rpcschema.runtime.values.decode import build_request, decode
from rpcschema.runtime.values.encode import encode
from rpcschema.runtime.values.received import Received
from tests.runtime.demo.types.greet import GreetResponse
from tests.runtime.demo.types.look import LookResponse, LookTreeResponse
from tests.runtime.demo.types.pay_all import PayAllFee, PayAllRequest, PayAllResponse

INCOMPLETE = b'{"paid":1,"fees":[{"per-kw":3},{}],"by_name":{"a b":{},"c":{"per-kw":5}}}'


def incomplete() -> PayAllFee:
    answer = decode(PayAllResponse, INCOMPLETE)
    assert answer.fees
    return answer.fees[1]


def test_a_missing_field_is_an_error_only_when_it_is_read() -> None:
    answer = decode(PayAllResponse, INCOMPLETE)
    assert answer.paid == 1
    assert answer.format_hint is None
    assert answer.fees
    assert answer.fees[0].per_kw == 3
    with pytest.raises(MissingFieldError):
        answer.fees[1].per_kw  # noqa: B018


def test_the_error_names_command_path_release_and_what_to_do() -> None:
    with pytest.raises(MissingFieldError) as error:
        incomplete().per_kw  # noqa: B018
    assert str(error.value) == (
        "pay-all: the node did not send fees[1].per-kw (added in v24.02); "
        "where it may be missing, read it by getattr(..., 'per_kw', None)"
    )
    assert error.value.name == "per_kw"
    assert isinstance(error.value, ClientError)


def test_a_path_leads_through_names_of_any_kind() -> None:
    answer = decode(PayAllResponse, INCOMPLETE)
    assert answer.by_name
    with pytest.raises(MissingFieldError, match=r"send by_name\['a b'\]\.per-kw "):
        answer.by_name["a b"].per_kw  # noqa: B018


def test_the_release_is_told_only_if_the_document_knows_it() -> None:
    with pytest.raises(MissingFieldError, match=r"^greet: the node did not send amount_msat; "):
        decode(GreetResponse, b'{"greeting":"hi"}').amount_msat  # noqa: B018


def test_getattr_and_hasattr_can_ask_for_a_missing_field() -> None:
    assert not hasattr(incomplete(), "per_kw")
    assert getattr(incomplete(), "per_kw", 7) == 7


@pytest.mark.parametrize("part", [incomplete(), PayAllFee(per_kw=1)])
def test_a_misspelt_attribute_is_a_plain_error(part: Any) -> None:
    with pytest.raises(AttributeError, match="'PayAllFee' object has no attribute 'per_wk'") as error:
        part.per_wk  # noqa: B018
    assert type(error.value) is AttributeError


def test_incomplete_objects_have_a_repr_and_can_be_compared() -> None:
    assert repr(incomplete()) == "PayAllFee()"
    assert repr(PayAllFee(per_kw=1)) == "PayAllFee(per_kw=1)"
    assert incomplete() == incomplete()
    assert incomplete() != PayAllFee(per_kw=1)
    assert incomplete() != 7
    with pytest.raises(TypeError, match="unhashable"):
        hash(incomplete())


def test_answers_of_two_classes_differ_even_if_their_values_do_not() -> None:
    fields = [("per_kw", int)]
    tree, river = (dataclasses.make_dataclass(name, fields, bases=(Received,), eq=False) for name in ("Tree", "River"))
    assert tree(per_kw=1) == tree(per_kw=1)
    assert tree(per_kw=1) != river(per_kw=1)
    assert river(per_kw=1) != tree(per_kw=1)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_and_pickles_are_as_incomplete(duplicate: Any) -> None:
    made = duplicate(incomplete())
    assert made == incomplete()
    assert type(made) is PayAllFee
    with pytest.raises(MissingFieldError, match=r"fees\[1\]\.per-kw"):
        made.per_kw  # noqa: B018


def test_the_error_of_a_missing_field_survives_pickling() -> None:
    with pytest.raises(MissingFieldError) as caught:
        incomplete().per_kw  # noqa: B018
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.name) == (str(caught.value), "per_kw")


def test_a_missing_field_can_be_filled_in() -> None:
    part = incomplete()
    part.per_kw = 4
    assert part == PayAllFee(per_kw=4) == dataclasses.replace(incomplete(), per_kw=4)
    with pytest.raises(MissingFieldError):
        dataclasses.replace(incomplete())


@pytest.mark.parametrize(
    ("amount", "value"),
    [(b'"100sat"', "100sat"), (b'"100"', "100"), (b"1.5", 1.5), (b"null", None), (b"[1]", [1]), (b'{"a":1}', {"a": 1})],
)
def test_a_value_of_another_type_passes_as_it_is(amount: bytes, value: Any) -> None:
    answer = decode(GreetResponse, b'{"greeting":"hi","amount_msat":%b,"returned":true}' % amount)
    assert answer.amount_msat == value
    assert (answer.greeting, answer.returned) == ("hi", True)


def test_a_part_of_another_type_does_not_hide_what_is_beside_it() -> None:
    answer = decode(
        PayAllResponse, b'{"paid":"1","format-hint":"x","fees":[{"per-kw":2},7,null,[{"per-kw":1}]],"by_name":[]}'
    )
    assert (answer.paid, answer.format_hint, answer.by_name) == ("1", "x", [])
    assert answer.fees == [PayAllFee(per_kw=2), 7, None, [{"per-kw": 1}]]


def test_a_new_member_of_an_enum_passes() -> None:
    tree = decode(LookTreeResponse, b'{"class":"bush","near":true,"height":1}')
    assert (tree.class_, tree.height) == ("bush", 1)


def test_a_member_of_a_union_may_lack_a_field() -> None:
    river = decode(LookResponse, b'{"class":"river","near":true}')
    with pytest.raises(MissingFieldError, match=r"^look: the node did not send width \(added in v2\);"):
        river.width  # noqa: B018


def test_an_incomplete_answer_is_sent_as_it_came() -> None:
    assert encode(decode(PayAllResponse, INCOMPLETE)) == INCOMPLETE
    assert encode(incomplete()) == b"{}"


def test_what_a_service_gets_stays_strict() -> None:
    with pytest.raises(DecodeError, match="pay-to"):
        build_request(PayAllRequest, {"outputs": [{"amount": 1}]})
