"""Messages are cut from a stream by strict JSON syntax, however it is chopped, and taken apart as they were written."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.jsontext import (
    MAX_NUMBER,
    Framer,
    FramingError,
    JsonType,
    LimitExceeded,
    MalformedInput,
    elements,
    json_type,
    members,
)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=25
)
objects = st.dictionaries(st.text(), values, max_size=5)


@st.composite
def texts(draw: st.DrawFn, of: st.SearchStrategy[Any] = objects) -> bytes:
    """Return a value as JSON text in one of its many spellings."""
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n\t", " :\r ")]))
    text = json.dumps(
        draw(of), ensure_ascii=draw(st.booleans()), indent=draw(st.none() | st.integers(0, 2)), separators=separators
    )
    return text.encode(errors="strict")


@st.composite
def chopped(draw: st.DrawFn, of: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    """Return a text, and the same in pieces."""
    text = draw(of)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return text, [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return an object's text in which a few bytes were replaced, removed or inserted."""
    text = bytearray(draw(texts()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        drop = draw(st.integers(0, 1))
        text[at : at + drop] = draw(
            st.sampled_from([b"", *(bytes([c]) for c in b'{}[]",:\\ 0-.eE+1tnu\n\x00\x7f\xff\xc3')])
        )
    return bytes(text)


def framed(pieces: list[bytes], framer: Framer | None = None) -> list[bytes]:
    framer = framer or Framer()
    found = []
    for piece in pieces:
        framer.feed(piece)
        found += list(framer)
    return found


def refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def is_object(text: bytes) -> bool:
    """Return the verdict of another strict JSON reader."""
    try:
        return isinstance(json.loads(text.decode(), parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


@given(st.data())
def test_gives_each_object_as_written_however_the_stream_is_chopped(data: st.DataObject) -> None:
    messages = data.draw(st.lists(texts(), max_size=4))
    blanks = st.text(" \t\r\n", max_size=2).map(str.encode)
    stream = b"".join(data.draw(blanks) + message for message in messages)
    _, pieces = data.draw(chopped(st.just(stream)))
    assert framed(pieces) == messages


@given(chopped(damaged()))
def test_agrees_with_another_strict_reader_on_damaged_text(case: tuple[bytes, list[bytes]]) -> None:
    text, pieces = case
    try:
        found = framed(pieces)
    except FramingError:
        found = None
    assert (found == [text.strip(b" \t\r\n")]) == is_object(text)


@given(chopped(damaged() | st.binary(max_size=40)))
def test_chopping_changes_nothing(case: tuple[bytes, list[bytes]]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[list[bytes], bool]:
        found: list[bytes] = []
        framer = Framer()
        try:
            for piece in pieces:
                framer.feed(piece)
                found.extend(framer)
        except MalformedInput:
            return found, True
        return found, False

    text, pieces = case
    assert outcome(pieces) == outcome([text])


@pytest.mark.parametrize(
    "text",
    [
        b"h",
        b"1",
        b'"',
        b"[",
        b"}",
        b"\xff",
        b"\xef",
        b"{,",
        b"{]",
        b"{a",
        b"{'",
        b'{"a"}',
        b'{"a",',
        b'{"a":}',
        b'{"a"::',
        b'{"a":,',
        b'{"a":1,}',
        b'{"a":1 2',
        b'{"a":1]',
        b'{"a":[1}',
        b'{"a":[,',
        b'{"a":[1,]',
        b'{"a":[1 1',
        b'{"a":01',
        b'{"a":-a',
        b'{"a":--',
        b'{"a":+',
        b'{"a":.',
        b'{"a":1.e',
        b'{"a":1.,',
        b'{"a":1e}',
        b'{"a":1e+-',
        b'{"a":0x',
        b'{"a":tx',
        b'{"a":trux',
        b'{"a":T',
        b'{"a":N',
        b'{"a":nulll',
        b'{"a":"\n',
        b'{"a":"\x00',
        b'{"a":"\\x',
        b'{"a":"\\u00g',
        b'{"a":"\xc3"',
        b'{"a":"\xc0',
        b'{"a":"\xed\xa0\x80',
        b'{"a":\x0b',
        b'{"a":\xc2',
        b"{} x",
    ],
)
def test_refuses_at_the_first_byte_that_no_object_can_have_there(text: bytes) -> None:
    framer = Framer()
    for byte in text[:-1]:
        framer.feed(bytes([byte]))
        list(framer)
    framer.feed(text[-1:])
    with pytest.raises(MalformedInput) as refused:
        list(framer)
    assert refused.value.text == text.removeprefix(b"{} ")


def test_gives_the_messages_before_what_it_refuses() -> None:
    framer = Framer()
    framer.feed(b'{"a":1}\n{"b":2}{"c":\xff}')
    messages = iter(framer)
    assert [next(messages), next(messages)] == [b'{"a":1}', b'{"b":2}']
    with pytest.raises(MalformedInput) as refused:
        next(messages)
    assert refused.value.text == b'{"c":\xff}'


def test_feeding_goes_on_after_a_refusal_without_effect() -> None:
    framer = Framer()
    framer.feed(b"\xff")
    framer.feed(b"{}")
    with pytest.raises(MalformedInput):
        list(framer)
    with pytest.raises(MalformedInput):
        list(framer)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_ten_thousand_levels_are_refused_and_overflow_nothing(size: int) -> None:
    text = b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    with pytest.raises(LimitExceeded, match="nested deeper than 200 levels"):
        framed([text[at : at + size] for at in range(0, len(text), size)])


def test_ten_thousand_levels_are_read_where_they_are_allowed() -> None:
    text = b'{"a":' + b"[" * 9_999 + b"]" * 9_999 + b"}"
    (message,) = framed([text], Framer(max_depth=10_000))
    assert members(message) == ((b"a", text[5:-1]),)


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 40), st.booleans())
def test_the_depth_limit_does_not_depend_on_chopping(depth: int, limit: int, size: int, in_arrays: bool) -> None:
    opening, closing = (b"[0,", b"]") if in_arrays else (b'{"x":0,"a":', b"}")
    text = b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    if depth <= limit:
        assert framed(pieces, Framer(max_depth=limit)) == [text]
    else:
        with pytest.raises(LimitExceeded, match=f"deeper than {limit} levels"):
            framed(pieces, Framer(max_depth=limit))


@pytest.mark.parametrize("size", [1, 1000])
def test_a_message_may_be_as_long_as_the_limit_and_no_longer(size: int) -> None:
    text = b'{"a":"' + b"x" * 92 + b'"}'
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert framed([*pieces, b"  ", *pieces], Framer(max_bytes=100)) == [text, text]
    with pytest.raises(LimitExceeded, match="longer than 99 bytes"):
        framed(pieces, Framer(max_bytes=99))


def test_an_endless_message_is_refused_when_it_passes_the_limit() -> None:
    framer = Framer(max_bytes=1000)
    framer.feed(b'{"a":"' + b"x" * 994)
    assert list(framer) == []
    framer.feed(b"x")
    with pytest.raises(LimitExceeded):
        list(framer)


def test_white_space_between_messages_is_not_kept() -> None:
    framer = Framer(max_bytes=10)
    for _ in range(100):
        framer.feed(b" \n" * 10)
        assert list(framer) == []
    framer.feed(b'{"a":1}')
    assert list(framer) == [b'{"a":1}']


@pytest.mark.parametrize("size", [1, 5000])
def test_a_number_of_absurd_length_is_refused(size: int) -> None:
    good = b'{"a":' + b"1" * MAX_NUMBER + b"}"
    bad = b'{"a":' + b"1" * (MAX_NUMBER + 1) + b"}"
    assert framed([good[at : at + size] for at in range(0, len(good), size)]) == [good]
    with pytest.raises(LimitExceeded, match="number"):
        framed([bad[at : at + size] for at in range(0, len(bad), size)])


def test_a_message_not_taken_yet_waits() -> None:
    framer = Framer()
    framer.feed(b"{}{}{")
    for _ in framer:
        break
    framer.feed(b"}")
    assert list(framer) == [b"{}", b"{}"]


@given(texts())
def test_members_are_those_that_another_reader_finds(text: bytes) -> None:
    pairs = json.loads(text, object_pairs_hook=list)
    found = [
        (json.loads(b'"' + name + b'"'), json.loads(value, object_pairs_hook=list)) for name, value in members(text)
    ]
    assert found == pairs


@given(texts(st.lists(values, max_size=6)))
def test_elements_are_those_that_another_reader_finds(text: bytes) -> None:
    assert [json.loads(element) for element in elements(text)] == json.loads(text)


def test_members_keep_order_duplicates_and_spelling() -> None:
    text = rb'{ "b" : 1.0 , "a":[ 1 , {"x":"]"} ],"\u0061":"\u0041" ,"a":null}'
    assert members(text) == (
        (b"b", b"1.0"),
        (b"a", b'[ 1 , {"x":"]"} ]'),
        (rb"\u0061", rb'"\u0041"'),
        (b"a", b"null"),
    )


def test_half_a_surrogate_pair_is_text_like_any_other() -> None:
    assert elements(rb'["\ud800", "\udc00\ud800"]') == (rb'"\ud800"', rb'"\udc00\ud800"')
    assert members(rb'{"\ud800": "\udc00"}') == ((rb"\ud800", rb'"\udc00"'),)


def test_empty_ones_have_nothing() -> None:
    assert members(b"{ }") == ()
    assert elements(b"[ ]") == ()


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"{}", JsonType.OBJECT),
        (b"[]", JsonType.ARRAY),
        (b'""', JsonType.STRING),
        (b"-1", JsonType.NUMBER),
        (b"0", JsonType.NUMBER),
        (b"true", JsonType.BOOLEAN),
        (b"false", JsonType.BOOLEAN),
        (b"null", JsonType.NULL),
    ],
)
def test_the_type_shows_in_the_first_byte(raw: bytes, what: JsonType) -> None:
    assert json_type(raw) is what


def test_refuses_more_arrays_and_objects_than_allowed_in_one_message_whatever_came_before() -> None:
    text = b'{"a":[[[1]],[[2]]]}'  # six, of which the innermost need not count
    assert framed([text * 3], Framer(max_nested=6)) == [text] * 3
    with pytest.raises(LimitExceeded, match="more than 2 arrays and objects"):
        framed([b'{"a":[[[[[1]]]],[[[[2]]]]]}'], Framer(max_nested=2))
    assert len(framed([b'{"a":' + b"[" * 100 + b"]" * 100 + b"}"])) == 1


def test_tells_whether_a_message_has_begun() -> None:
    framer = Framer()
    for piece, begun in ((b" ", False), (b'{"a"', True), (b":[1]", True), (b"} ", False), (b"{}", False), (b"{", True)):
        framed([piece], framer)
        assert framer.has_begun == begun
