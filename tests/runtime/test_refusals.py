"""Parameters that are refused: who is shown the bad token, and what whoever keeps the log is told instead."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

from rpcschema.runtime.server.bind import BadParameter
from rpcschema.runtime.server.convert import BadToken, raw_text
from rpcschema.runtime.server.dispatch import Answer, Dispatcher
from tests.runtime import demo
from tests.runtime.demo.types.check import CheckRequest
from tests.runtime.demo.types.greet import GreetRequest
from tests.runtime.demo.types.pay_all import PayAllRequest

HIDDEN = "invalid token (see logs for details)"


class Service:
    """Refuses by its methods what the conversions let pass: `greet` at once, `pay-all` later."""

    def greet(self, _request: GreetRequest) -> None:
        raise BadParameter("name", BadToken("is taken", token=b'"you"'))

    rpc_check_greet = greet

    async def pay_all(self, _request: PayAllRequest) -> None:
        raise BadParameter("outputs", BadToken("do not go with fees"))

    def travel(self, _request: object) -> None:
        raise NotImplementedError

    def check(self, _request: CheckRequest) -> None:
        raise NotImplementedError


def refused(method: str, params: str, *, only: str = "{}", developer: bool = False) -> tuple[str, list[Any]]:
    """Return the message of the answer, and what was logged about hidden tokens."""
    hidden: list[tuple[str, str, bytes]] = []
    through = Dispatcher(
        Service(),
        {**demo.COMMANDS, "check": demo.CHECK},
        developer=developer,
        hidden=lambda name, error: hidden.append((name, error.place, error.token)),
        converters={"check": {"command_to_check": raw_text}},
        package=demo.NAME,
    )
    message = f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params},"filter":{only}}}'
    found = through.answer(message.encode())

    async def awaited(pending: Awaitable[Answer]) -> Answer:
        return await pending

    answered = found if isinstance(found, Answer) else asyncio.run(awaited(found))
    return json.loads(answered.data)["error"]["message"], hidden


def test_a_hidden_token_is_told_with_its_place_to_whoever_keeps_the_log() -> None:
    assert refused("travel", '[[[{"from":"a","fare":"x"}]]]') == (
        f"routes[0][0].fare: should be a millisatoshi amount: {HIDDEN}",
        [("travel", "routes[0][0].fare", b'"x"')],
    )
    assert refused("greet", '["you","x"]') == (
        f"amount: should be a millisatoshi amount: {HIDDEN}",
        [("greet", "amount", b'"x"')],
    )


def test_what_a_method_refuses_is_hidden_and_told_too() -> None:
    assert refused("greet", '["you",1]') == (f"name: is taken: {HIDDEN}", [("greet", "name", b'"you"')])
    assert refused("pay-all", "[[]]") == (f"outputs: do not go with fees: {HIDDEN}", [("pay-all", "outputs", b"")])


def test_the_place_in_a_filter_is_told_though_the_error_does_not_name_it() -> None:
    assert refused("greet", '["you",1]', only='{"a":[{"b":"x"}]}') == (
        f"filter: value must be true: {HIDDEN}",
        [("greet", "filter.a[0].b", b'"x"')],
    )


def test_a_developer_is_shown_the_token_and_nothing_is_hidden() -> None:
    shown = "amount: should be a millisatoshi amount: invalid token '\"zz\"'"
    assert refused("greet", '["you", "zz"]', developer=True) == (shown, [])
    assert refused("greet", '["you", 1]', developer=True) == ("name: is taken: invalid token '\"you\"'", [])


def test_whoever_has_a_call_checked_is_shown_the_token() -> None:
    assert refused("check", '["greet","you",1]') == ("name: is taken: invalid token '\"you\"'", [])


def test_where_parameters_do_not_go_together_all_are_shown_as_written() -> None:
    assert refused("pay-all", '{ "outputs":[] }', developer=True) == (
        "outputs: do not go with fees: invalid token '{ \"outputs\":[] }'",
        [],
    )
