"""What the classes do not know is kept: it can be looked up, and an answer that is encoded again still has it."""

from __future__ import annotations

import copy
import json
import pickle
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.errors import DecodeError, EncodeError
from rpcschema.runtime.values.decode import decode
from rpcschema.runtime.values.encode import encode, to_dict, to_json
from rpcschema.runtime.values.reread import paired
from rpcschema.runtime.values.unknown import unknown_fields
from tests.runtime.demo.types.greet import GreetResponse
from tests.runtime.demo.types.look import LookResponse
from tests.runtime.demo.types.pay_all import PayAllFee, PayAllResponse

ANSWER = {
    "new": [{"x": 1}],
    "paid": 1,
    "format-hint": None,
    "format_hint": "no wire name",
    "fees": [{"per-kw": 3, "a b": 0}, {"per-kw": 4}, {"x": None, "per-kw": 5}],
    "by_name": {"z.y": {"per-kw": 6, "x": "y"}},
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
FEES = st.dictionaries(st.sampled_from(["per-kw", "per_kw", "x"]), JSON) | JSON
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "paid": JSON,
        "format-hint": JSON,
        "fees": st.lists(FEES, max_size=4) | JSON,
        "by_name": st.dictionaries(st.text(), FEES, max_size=3) | JSON,
        "new": JSON,
    },
)


def answered(value: Any = ANSWER) -> Any:
    return decode(PayAllResponse, json.dumps(value).encode())


def again(value: Any) -> Any:
    return json.loads(encode(value))


def test_the_unknown_fields_of_a_whole_answer_come_by_path() -> None:
    assert unknown_fields(answered()) == {
        "new": [{"x": 1}],
        "format_hint": "no wire name",
        "fees[0]['a b']": 0,
        "fees[2].x": None,
        "by_name['z.y'].x": "y",
    }


def test_the_unknown_fields_of_a_part_come_by_name() -> None:
    answer = answered()
    assert unknown_fields(answer, answer.fees[0]) == {"a b": 0}
    assert unknown_fields(answer, answer.fees[1]) == {}
    assert unknown_fields(answer, answer.by_name["z.y"]) == {"x": "y"}
    assert unknown_fields(answer, answer) == {"new": [{"x": 1}], "format_hint": "no wire name"}


def test_a_part_keeps_its_unknown_fields_wherever_it_is_moved() -> None:
    answer = answered()
    first, second, third = answer.fees
    answer.fees.reverse()
    assert unknown_fields(answer, first) == {"a b": 0}
    del answer.fees[1]
    assert unknown_fields(answer, third) == {"x": None}
    with pytest.raises(ValueError, match="not inside this response"):
        unknown_fields(answer, second)


@pytest.mark.parametrize("value", [PayAllResponse(paid=1), answered().fees[0]])
def test_only_a_whole_answer_knows_what_came(value: Any) -> None:
    with pytest.raises(ValueError, match="this is not a whole response"):
        unknown_fields(value)


def test_an_answer_of_which_nothing_fits_is_all_there_too() -> None:
    answer = answered({"paid": [], "fees": {"x": 1}, "by_name": {"a": 1}, "new": 2})
    assert unknown_fields(answer) == {"new": 2}
    other = decode(LookResponse, b'{"class":"cave","near":true,"depth":1}')
    assert unknown_fields(other) == {"depth": 1}


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_and_pickles_keep_what_is_unknown(duplicate: Any) -> None:
    made = duplicate(answered())
    assert made == answered()
    assert again(made) == ANSWER
    assert unknown_fields(made) == unknown_fields(answered())


def test_an_answer_is_encoded_as_it_came_nulls_and_order_included() -> None:
    raw = b'{"fees":[{"x":null,"per-kw":1}],"returned":null,"new":{"b":1,"a":2},"paid":1}'
    assert encode(decode(PayAllResponse, raw)) == raw
    assert again({"within": [answered()]}) == {"within": [ANSWER]}


def test_changes_show_in_what_is_encoded() -> None:
    answer = answered()
    answer.paid = 2
    answer.format_hint = "x"
    answer.fees[0].per_kw = 30
    answer.fees[1] = PayAllFee(per_kw=9)
    answer.fees.append(PayAllFee(per_kw=8))
    answer.by_name = None
    assert again(answer) == {
        "new": [{"x": 1}],
        "paid": 2,
        "format-hint": "x",
        "format_hint": "no wire name",
        "fees": [{"per-kw": 30, "a b": 0}, {"per-kw": 9}, {"x": None, "per-kw": 5}, {"per-kw": 8}],
    }


def test_a_changed_element_gets_no_unknown_fields_of_a_removed_one() -> None:
    answer = answered({"fees": [{"per-kw": number, "was": number} for number in range(5)]})
    del answer.fees[:2]
    answer.fees[0].per_kw = 20
    assert again(answer) == {"fees": [{"per-kw": 20}, {"per-kw": 3, "was": 3}, {"per-kw": 4, "was": 4}]}
    with pytest.raises(ValueError, match="both have changed too much"):
        unknown_fields(answer, answer.fees[0])


def test_changed_elements_between_the_same_neighbours_keep_their_unknown_fields() -> None:
    answer = answered({"fees": [{"per-kw": number, "was": number} for number in range(5)]})
    del answer.fees[0]
    for fee in answer.fees[1:3]:
        fee.per_kw += 20
    answer.fees.append(PayAllFee(per_kw=5))
    assert [(fee["per-kw"], fee.get("was")) for fee in again(answer)["fees"]] == [
        (1, 1),
        (22, 2),
        (23, 3),
        (4, 4),
        (5, None),
    ]


def test_a_part_of_another_answer_brings_only_what_its_class_knows() -> None:
    answer = answered({"paid": 1})
    answer.fees = answered().fees
    assert again(answer) == {"paid": 1, "fees": [{"per-kw": 3}, {"per-kw": 4}, {"per-kw": 5}]}


@given(ANSWERS)
def test_whatever_came_is_encoded_again(value: dict[str, Any]) -> None:
    assert again(answered(value)) == value
    assert "new" not in value or unknown_fields(answered(value))["new"] == value["new"]


@given(st.lists(st.integers(0, 5), unique=True), st.randoms(use_true_random=False))
def test_elements_are_found_again_after_sorting_and_removing(before: list[int], chance: random.Random) -> None:
    now = chance.sample(before, chance.randint(0, len(before)))
    assert [before[index] for index in paired(now, before) if index is not None] == now


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_no_element_is_found_twice(now: list[int], before: list[int]) -> None:
    pairs = [index for index in paired(now, before) if index is not None]
    assert len(pairs) == len(set(pairs))
    assert len(pairs) == len(now) or len(now) != len(before) or set(now) & set(before)


@pytest.mark.parametrize(
    "raw", [b'{"greeting":"","amount_msat":1,"new":1e999}', b'{"greeting":"","amount_msat":1,"new":"\xff"}']
)
def test_what_nobody_can_read_is_an_error_only_for_who_asks(raw: bytes) -> None:
    answer = decode(GreetResponse, raw)
    assert answer.amount_msat == 1
    with pytest.raises(DecodeError, match=r"^greet: "):
        unknown_fields(answer)
    with pytest.raises(DecodeError, match=r"^greet: "):
        encode(answer)


@pytest.mark.parametrize("depth", [200, 400, 600, 800, 100_000])
@pytest.mark.parametrize("work", [encode, to_dict, to_json, unknown_fields])
def test_nesting_of_any_depth_is_no_worse_than_an_error_of_ours(work: Any, depth: int) -> None:
    raw = b'{"greeting":"hi","amount_msat":%b1%b}' % (b"[" * depth, b"]" * depth)
    with suppress(DecodeError, EncodeError):
        work(decode(GreetResponse, raw))
