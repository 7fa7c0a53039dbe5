"""Whatever a client sends, it gets an answer that names its own mistake, and the command gets what the rune allowed."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lnoffers.rest.request import MAX_HEAD_BYTES, RefusedError, read_head, read_parameters
from tests.rest.running import RUNE, Node, Site

TEXTS = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=5)
OVER_THE_WIRE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NAMES = st.sampled_from(["Rune", "Content-Type", "Accept", "X", "Content-Encoding", "Expect", "Connection", "Origin"])
HEADERS = st.dictionaries(NAMES, st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=30), max_size=4)


def present(params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that are not null."""
    return {name: value for name, value in params.items() if value is not None}


def parameters(body: bytes, *, is_form: bool = False) -> bytes | None:
    """Return what the command would get; None if the body is refused as the client's mistake."""
    try:
        return read_parameters(body, is_form=is_form)
    except RefusedError as refused:
        status = refused.status
    assert 400 <= status < 500
    return None


@given(OBJECTS)
def test_a_command_gets_the_parameters_that_were_sent(params: dict[str, Any]) -> None:
    assert json.loads(parameters(json.dumps(params).encode()) or b"") == present(params)


@given(OBJECTS)
def test_every_spelling_of_the_parameters_becomes_the_same_bytes(params: dict[str, Any]) -> None:
    spellings = [json.dumps(params, ensure_ascii=escapes).encode() for escapes in (True, False)]
    first, second = map(parameters, spellings)
    assert first is not None
    assert first == second == parameters(first)


@given(st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_a_form_gives_the_parameters_that_json_gives(params: dict[str, str]) -> None:
    as_json = json.dumps(params, separators=(",", ":")).encode()
    assert parameters(urlencode(params).encode(), is_form=True) == parameters(as_json)


@given(st.binary(max_size=200) | OBJECTS.map(lambda params: json.dumps(params).encode()[:-1] + b',"a":1,"a":2}'))
def test_any_body_is_refused_or_is_an_object_with_each_name_once(body: bytes) -> None:
    for is_form in (False, True):
        found = parameters(body, is_form=is_form)
        if found is not None:
            pairs = json.loads(found, object_pairs_hook=list)
            assert len({name for name, _ in pairs}) == len(pairs)


@given(TEXTS, TEXTS, HEADERS)
def test_any_head_is_refused_or_has_a_rune_and_a_plain_method(verb: str, path: str, headers: dict[str, str]) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    for each in (path, f"/v1/{path}", "/v1/getinfo"):
        with suppress(RefusedError):
            head = read_head(verb if each == path else "POST", each, raw)
            assert head.rune
            assert head.method.isascii()
            assert not set(head.method) & set('/\\"\0')


def test_refuses_a_head_that_is_too_long_however_it_arrives() -> None:
    headers = [(b"rune", b"x"), (b"x", b"y" * MAX_HEAD_BYTES)]
    with pytest.raises(RefusedError) as refused:
        read_head("POST", "/v1/getinfo", headers)
    assert refused.value.status == 431


@OVER_THE_WIRE
@given(params=st.binary(max_size=100) | OBJECTS.map(lambda params: json.dumps(params).encode()), headers=HEADERS)
def test_the_command_runs_only_with_the_bytes_that_its_rune_was_checked_with(
    site: Site, node: Node, params: bytes, headers: dict[str, str]
) -> None:
    node.called.clear()
    answer = site.request("POST", "/v1/getinfo", params, {"Rune": RUNE} | headers)
    assert answer.status in {200, 201, 400, 401, 403, 406, 415}
    match node.called:
        case [("checkrune", checked), ("getinfo", called)]:
            assert checked == b'{"rune":"a-rune","method":"getinfo","params":%b}' % called
            assert answer.status == 201
        case others:
            assert [method for method, _ in others] in ([], ["checkrune"])
            assert answer.status != 201


@OVER_THE_WIRE
@given(st.binary(max_size=300) | st.binary(max_size=100).map(b"POST /v1/getinfo HTTP/1.1\r\nHost: x\r\n".__add__))
def test_any_bytes_get_an_error_of_the_client_or_none(
    site: Site, node: Node, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    with site.socket() as raw:
        raw.sendall(data + b"\r\n\r\n")
        assert raw.recv(1 << 16)[:10] in (b"", b"HTTP/1.1 4")
    assert node.called == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
