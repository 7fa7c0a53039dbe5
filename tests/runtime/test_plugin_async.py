"""Methods of a plugin that are async run beside all others."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.runtime.talking import Talk, talking

GREETER = ("-m", "tests.runtime.demo.greeter")
TO_WAIT = [[{"pay-to": "you", "amount": 5}]]
TO_OPEN: list[list[object]] = [[]]


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talking(GREETER) as running:
        running.init()
        yield running


def test_slow_async_command_blocks_neither_commands_nor_hooks_nor_notifications(talk: Talk) -> None:
    slow = talk.ask("pay-all", TO_WAIT)
    talk.tell("custommsg", {"do": "news"})
    assert talk.call("custommsg", {"do": "asked"}) == {"result": "asked"}
    assert talk.call("greet", ["you", 1])["greeting"] == "hello you"
    assert talk.logs == [("info", "heard news")]
    assert talk.refused("pay-all", TO_OPEN) == {"code": 301, "message": "nothing to pay"}
    assert talk.response(slow)["result"] == {"paid": 5, "fees": [{"per-kw": 1}]}


def test_thousand_calls_wait_at_the_same_time(talk: Talk) -> None:
    slow = [talk.ask("pay-all", [[{"pay-to": "you", "amount": number}]]) for number in range(1000)]
    talk.refused("pay-all", TO_OPEN)
    assert [talk.response(each)["result"]["paid"] for each in slow] == list(range(1000))


def test_message_and_progress_name_the_call_that_runs(talk: Talk) -> None:
    slow = [talk.ask("pay-all", TO_WAIT) for _ in range(2)]
    talk.refused("pay-all", TO_OPEN)
    assert talk.emitted == [
        message
        for identity in slow
        for message in (
            {
                "jsonrpc": "2.0",
                "method": "message",
                "params": {"id": identity, "level": "info", "message": "waiting"},
            },
            {
                "jsonrpc": "2.0",
                "method": "progress",
                "params": {"id": identity, "num": 0, "total": 2, "stage": {"num": 0, "total": 1}},
            },
        )
    ]


def test_async_hook_that_fails_is_answered_as_is_safe(talk: Talk) -> None:
    assert talk.call("custommsg", {"do": "fail"}) == {"result": "continue"}
    assert talk.logs == [("error", "hook_custommsg failed:")]


def test_async_hook_that_returns_something_else_is_answered_as_is_safe(talk: Talk) -> None:
    assert talk.call("custommsg", {"do": "nothing"}) == {"result": "continue"}
    assert talk.logs == [("error", "hook_custommsg failed:")]


def test_async_notification_that_fails_is_logged(talk: Talk) -> None:
    talk.tell("custommsg", {"do": "fail"})
    talk.call("greet", ["you", 1])
    talk.call("greet", ["you", 1])
    assert talk.logs == [("error", "on_custommsg failed:")]


def test_what_runs_at_the_end_is_cancelled(talk: Talk) -> None:
    talk.ask("pay-all", TO_WAIT)
    talk.call("greet", ["you", 1])
    assert talk.end() == 0
    assert talk.logs == [("info", "cancelled")]


def test_after_shutdown_what_runs_is_cancelled(talk: Talk) -> None:
    talk.ask("pay-all", TO_WAIT)
    talk.tell("shutdown", {"do": "end"})
    assert talk.process.wait() == 0


def test_interrupt_ends_the_plugin_without_a_traceback(talk: Talk, capfd: pytest.CaptureFixture[str]) -> None:
    talk.ask("pay-all", TO_WAIT)
    talk.call("greet", ["you", 1])
    os.kill(talk.process.pid, signal.SIGINT)
    assert talk.process.wait() == 0
    assert capfd.readouterr().err == ""


def test_async_method_may_end_the_program(talk: Talk) -> None:
    talk.tell("custommsg", {"do": "leave"})
    assert talk.process.wait() == 7


def test_ten_thousand_events_are_handled_in_their_order(talk: Talk) -> None:
    for number in range(10_000):
        talk.tell("custommsg", {"do": f"{number}"})
    waiting = talk.ask("custommsg", {"do": "last"})
    assert talk.response(waiting)["result"] == {"result": "last"}
    assert [text for _, text in talk.logs] == [f"heard {number}" for number in range(10_000)]


@pytest.mark.parametrize("allowed", [True, False])
def test_deprecations_are_those_of_the_caller(talk: Talk, allowed: bool) -> None:
    talk.call("old", {})
    talk.tell("deprecated_oneshot", {"deprecated_ok": allowed})
    talk.call("old", {})
    talk.call("old", {})
    assert [text for _, text in talk.logs] == [f"deprecated: {each}" for each in (True, allowed, True)]


def test_plugin_that_cannot_prepare_in_time_disables_itself() -> None:
    code = """
import asyncio
from tests.runtime.demo.plugin import Plugin
class Failing(Plugin):
    async def rpc_init(self):
        await asyncio.sleep(0)
        raise LookupError("not this time")
Failing().rpc_run()
"""
    with talking(["-c", code]) as talk:
        assert talk.init() == {"disable": "rpc_init failed: not this time"}
        assert talk.logs == [("error", "rpc_init failed:")]
