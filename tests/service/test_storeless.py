"""Calls that need no store run in the event loop: none of them waits for a call that does."""

from __future__ import annotations

import json
import socket

import pytest

from clnrpc import types
from lnoffers.service import OffersService
from lnoffers.service.dispatching import STORELESS
from lnoffers.service.serving.connection import CALLS_AT_ONCE
from lnoffers.service.serving.decoder import LONG_BYTES
from tests.bolt12.samples import offer
from tests.service.entropies import HeldEntropy
from tests.service.program import Program, Wire, request, while_served

MAKE = request("invoicerequest", [1000, "x"], "made")
"""A call that draws entropy, so that a test decides how long it takes."""
NOBODY = "02" + "11" * 32
PARAMS = {
    "decode": [offer().encode()],
    "getinfo": [],
    "help": [],
    "notifications": [True],
    "listpeers": [],
    "connect": [NOBODY],
    "disconnect": [NOBODY],
    "ping": [NOBODY],
}


def test_they_are_answered_while_another_clients_call_runs(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with Wire(program.socket) as busy, Wire(program.socket) as other:
            busy.send(MAKE)
            assert entropy.has_begun()
            for name in STORELESS:
                method = json.loads(name)
                assert other.ask(method, PARAMS[method]).get("error", {}).get("code") in (None, -1, 400, -32602)
            entropy.allowed.release()
            assert "result" in json.loads(busy.answer())

    while_served(program, ask, entropy=entropy)


def test_they_keep_their_place_among_the_calls_of_a_connection(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with Wire(program.socket) as wire:
            wire.send(request("getinfo", [], 1) + MAKE + request("getinfo", [], 2))
            assert json.loads(wire.answer())["id"] == 1
            assert entropy.has_begun()
            assert wire.is_silent(0.1)
            entropy.allowed.release()
            assert [json.loads(wire.answer())["id"] for _ in range(2)] == ["made", 2]

    while_served(program, ask, entropy=entropy)


def test_any_number_can_be_sent_at_once(program: Program) -> None:
    count = 40 * CALLS_AT_ONCE

    def ask() -> None:
        with Wire(program.socket) as wire:
            wire.send(b"".join(request("notifications", [True], number) for number in range(count)))
            assert [json.loads(wire.answer())["id"] for _ in range(count)] == [*range(count)]

    while_served(program, ask)


def test_a_connection_ends_after_the_last_of_them(program: Program) -> None:
    def ask() -> None:
        with Wire(program.socket) as wire:
            wire.send(b"".join(request("notifications", [True], number) for number in range(3)))
            wire.socket.shutdown(socket.SHUT_WR)
            assert [json.loads(wire.answer())["id"] for _ in range(3)] == [0, 1, 2]
            assert wire.socket.recv(1) == b""

    while_served(program, ask)


def test_a_name_in_a_parameter_does_not_make_a_call_storeless(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with Wire(program.socket) as busy, Wire(program.socket) as other:
            busy.send(request("invoicerequest", [1000, "decode"]))
            assert entropy.has_begun()  # which would hold the event loop
            assert "result" in other.ask("getinfo")
            entropy.allowed.release()
            assert "result" in json.loads(busy.answer())

    while_served(program, ask, entropy=entropy)


def test_a_bug_in_one_is_an_error_answer_and_harms_no_other_call(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_service: OffersService, _request: types.GetinfoRequest) -> types.GetinfoResponse:
        raise ZeroDivisionError

    monkeypatch.setattr(OffersService, "getinfo", broken)

    def ask() -> None:
        with Wire(program.socket) as wire:
            assert wire.ask("getinfo")["error"] == {"code": -1, "message": "Internal error"}
            assert "result" in wire.ask("help")

    while_served(program, ask)
    assert "ZeroDivisionError" in caplog.text


def test_a_long_message_does_not_run_in_the_event_loop(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with Wire(program.socket) as busy, Wire(program.socket) as other:
            busy.send(MAKE)
            assert entropy.has_begun()
            other.send(request("help", ["x" * LONG_BYTES]))
            assert other.is_silent(0.1), "it waits for the thread, which is busy"
            entropy.allowed.release()
            assert "error" in json.loads(other.answer())
            assert "result" in json.loads(busy.answer())

    while_served(program, ask, entropy=entropy)
