"""HTTP responses: what is read, in pieces of any size, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.client.httpwire import MAX_HEAD_BYTES, HttpError, HttpReader, HttpResponse

HEAD = b"HTTP/1.1 201 Created\r\n"


def read(data: bytes, max_bytes: int = 1000) -> HttpResponse | None:
    return HttpReader(max_bytes).feed(data)


def chunked(*chunks: bytes) -> bytes:
    return HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"".join(b"%x;a=b\r\n%b\r\n" % (len(c), c) for c in chunks)


@given(
    bodies=st.lists(st.binary(max_size=50), min_size=1, max_size=3),
    in_chunks=st.booleans(),
    cuts=st.lists(st.integers(1, 40), max_size=60),
)
def test_responses_are_the_same_in_pieces_of_any_size(bodies: list[bytes], in_chunks: bool, cuts: list[int]) -> None:
    reader, found = HttpReader(1000), []
    for body in bodies:
        data = HEAD + b"content-length: %d\r\n\r\n%b" % (len(body), body)
        if in_chunks:
            data = chunked(*(body[at : at + 7] for at in range(0, len(body), 7))) + b"0\r\nx: y\r\n\r\n"
        at = 0
        for cut in (*cuts, len(data)):
            if piece := data[at : at + cut]:
                found.append(reader.feed(piece))
            at += cut
        assert [each for each in found if each is not None][-1].body == body
    assert len([each for each in found if each is not None]) == len(bodies)


def test_fields_are_found_by_name_in_any_case() -> None:
    found = read(HEAD + b"X-A: 1\r\nx-a:2 \r\nContent-Length: 0\r\n\r\n")
    assert found == HttpResponse(201, {"x-a": "1, 2", "content-length": "0"}, b"", is_last=False)


def test_a_response_that_is_only_announced_is_awaited() -> None:
    reader = HttpReader(10)
    assert reader.feed(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 X\r\n\r\n") is None
    assert reader.feed(HEAD + b"content-length: 1\r\n\r\nx") == HttpResponse(201, {"content-length": "1"}, b"x", False)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
        HEAD + b"connection: keep-alive, Close\r\ncontent-length: 1\r\n\r\nx",
        HEAD + b"content-length: 1\r\n\r\nxHTTP",
    ],
    ids=["of HTTP/1.0", "that announces the end", "with more behind it"],
)
def test_a_connection_takes_no_request_after_a_response(data: bytes) -> None:
    found = read(data)
    assert found is not None
    assert (found.is_last, found.body) == (True, b"x")


@pytest.mark.parametrize("status", [204, 304])
def test_some_responses_have_no_body(status: int) -> None:
    found = read(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert found is not None
    assert found.body == b""


REFUSED = {
    "another protocol": (b"SSH-2.0-x\r\n\r\n", "does not begin as HTTP/1.1"),
    "another version": (b"HTTP/2 200 OK\r\n\r\n", "does not begin as HTTP/1.1"),
    "an upgrade": (b"HTTP/1.1 101 X\r\n\r\n", "does not state its length"),
    "a folded field": (HEAD + b"a: b\r\n c\r\n\r\n", "malformed header field"),
    "a field without a colon": (HEAD + b"ab\r\n\r\n", "malformed header field"),
    "a bare line feed": (HEAD + b"a: b\nc: d\r\n\r\n", "malformed header field"),
    "no length": (HEAD + b"a: b\r\n\r\n", "does not state its length"),
    "two lengths": (HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n", "does not state its length"),
    "a negative length": (HEAD + b"content-length: -1\r\n\r\n", "does not state its length"),
    "length and chunks": (HEAD + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "ambiguous"),
    "another coding": (HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n", "transfer coding unknown"),
    "a wrong chunk size": (HEAD + b"transfer-encoding: chunked\r\n\r\nx\r\n", "malformed chunk"),
    "a chunk that goes on": (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\nabc", "malformed chunk"),
    "a length over the limit": (HEAD + b"content-length: 1001\r\n\r\n", "longer than 1000 bytes"),
    "chunks over the limit": (chunked(b"x" * 600, b"x" * 600), "longer than 1000 bytes"),
    "a head over the limit": (HEAD + b"a: b\r\n" * MAX_HEAD_BYTES, f"longer than {MAX_HEAD_BYTES} bytes"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_refuses(data: bytes, reason: str) -> None:
    with pytest.raises(HttpError, match=reason):
        read(data)
