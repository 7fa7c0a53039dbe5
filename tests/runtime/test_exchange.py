"""What a node sends becomes replies, whole or in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.client.exchange import ResponseObject, ResponseReader
from rpcschema.runtime.errors import ClientError, ProtocolError
from rpcschema.runtime.values.decode import decode_plain

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


def replies(*pieces: bytes) -> list[ResponseObject]:
    reader = ResponseReader()
    return [reply for piece in pieces for reply in reader.feed(piece)]


@given(st.lists(VALUES, max_size=3), st.booleans(), st.integers(1, 40))
def test_replies_are_the_same_however_they_arrive(values: list[Any], ascii_only: bool, size: int) -> None:
    texts = [json.dumps(value, ensure_ascii=ascii_only).encode() for value in values]
    sent = [b'{"jsonrpc":"2.0","id":"%d","result":%b}\n\n' % each for each in enumerate(texts)]
    expected = [ResponseObject(str(number), text) for number, text in enumerate(texts)]
    stream = b"".join(sent)
    assert replies(stream) == expected
    assert replies(*sent) == expected
    assert replies(*(stream[at : at + size] for at in range(0, len(stream), size))) == expected


@pytest.mark.parametrize(
    "text",
    [b'{"id":"a","result":"\xff"}', b'{"id":"a","result":1,"\xff":2}', b'{"id":"\xed\xa0\x80","result":1}', b"[1]"],
)
def test_what_is_no_answer_is_told_however_it_arrives(text: bytes) -> None:
    for pieces in ([text], [text[:10], text[10:]]):
        with pytest.raises(ProtocolError, match=r"^the response is not JSON-RPC: "):
            replies(*pieces)


def test_brackets_and_quotes_inside_of_text_end_nothing() -> None:
    text = b'{"id":"a","result":["}{][\\\\\\"","\\\\",{"\\"}":{}}]}'
    for at in range(len(text)):
        assert replies(text[:at], text[at:] + b" ") == [ResponseObject("a", text[19:-1])]


def test_the_work_is_linear_in_what_arrives() -> None:
    """In small pieces, each byte of a text or of many objects is looked at once: else this would take hours."""
    for result in (b'"%b"' % (b'\\"}' * 700_000), b"[%b1]" % (b'{"a":[]},' * 250_000)):
        text = b'{"id":"a","result":%b}' % result
        assert replies(*(text[at : at + 64] for at in range(0, len(text), 64))) == [ResponseObject("a", result)]


@pytest.mark.parametrize("member", [b'"result":%b%b', b'"error":{"code":1,"message":"x","data":%b%b}'])
def test_an_answer_of_any_depth_is_read_or_is_a_client_error(member: bytes) -> None:
    for depth in [*range(0, 1100, 3), 100_000]:
        try:
            for reply in replies(b'{"id":"a",' + member % (b"[" * depth, b"1" + b"]" * depth) + b"}"):
                decode_plain("a", reply.result("a") if isinstance(reply.outcome, bytes) else b"1")
        except ClientError:
            assert depth > 150
