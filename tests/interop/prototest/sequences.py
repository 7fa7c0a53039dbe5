"""Sequences for lnprototest that it does not have: pings and pongs, and what follows an unknown message.

Run like its own tests; see `runner`.
"""

from typing import Any

import lnprototest
import pyln.spec.bolt1
import pytest
from lnprototest import Connect, ExpectMsg, Msg, RawMsg
from lnprototest.event import ExpectDisconnect
from lnprototest.utils import run_runner
from runner import Runner

NO_PONG = 65_532


@pytest.fixture
def runner(pytestconfig: Any) -> Any:
    """Return a runner for one test."""
    found = Runner(pytestconfig)
    yield found
    found.teardown()


@pytest.fixture(autouse=True)
def only_bolt_1() -> Any:
    """Read messages by BOLT 1 alone."""
    lnprototest.assign_namespace(pyln.spec.bolt1.namespace)
    yield
    lnprototest.assign_namespace(lnprototest.peer_message_namespace())


def opened() -> list[Any]:
    """Connect and exchange init."""
    return [Connect(connprivkey="03"), ExpectMsg("init"), Msg("init", globalfeatures="", features="")]


def ping(pong_length: int, length: int = 0) -> Msg:
    """Return a ping of `length` bytes."""
    return Msg("ping", num_pong_bytes=pong_length, ignored="00" * length)


@pytest.mark.parametrize("length", [0, 1, 255, 1_000, NO_PONG - 1])
def test_a_ping_gets_a_pong_of_the_length_that_it_asks_for(runner: Any, length: int) -> None:
    run_runner(runner, [*opened(), ping(length, 3), ExpectMsg("pong", ignored="00" * length)])


@pytest.mark.parametrize("length", [NO_PONG, 65_535])
def test_a_ping_for_a_pong_that_fits_no_message_is_ignored(runner: Any, length: int) -> None:
    run_runner(runner, [*opened(), ping(length), ping(7), ExpectMsg("pong", ignored="00" * 7)])


def test_an_unknown_odd_message_is_ignored(runner: Any) -> None:
    run_runner(runner, [*opened(), RawMsg(bytes.fromhex("270F")), ping(7), ExpectMsg("pong", ignored="00" * 7)])


def test_an_unknown_even_message_ends_the_connection(runner: Any) -> None:
    run_runner(runner, [*opened(), RawMsg(bytes.fromhex("2710")), ExpectDisconnect()])
