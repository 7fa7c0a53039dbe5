"""The commands of a plugin, in a process of its own, over pipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.runtime.talking import Talk, talking

GREETER = ("-m", "tests.runtime.demo.greeter")


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talking(GREETER) as running:
        running.init()
        yield running


def test_manifest_lists_overridden_commands_with_usage_and_help() -> None:
    with talking(GREETER) as talk:
        methods = talk.call("getmanifest", {})["rpcmethods"]
    assert methods == [
        {
            "name": "greet",
            "usage": "name amount [return] [times]",
            "description": "Greet somebody.",
            "long_description": "The **greet** command says hello.\n\nIt costs nothing.",
        },
        {"name": "pay-all", "usage": "outputs", "description": "Pay."},
        {"name": "old", "usage": "", "description": "Do what nobody needs.", "deprecated": ["v26.06"]},
    ]


@pytest.mark.parametrize("params", [["you", "1sat"], {"name": "you", "amount": 1000}])
def test_command_gets_typed_request_and_returns_typed_response(talk: Talk, params: Any) -> None:
    assert talk.call("greet", params) == {"greeting": "hello you", "amount_msat": 1000}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"name": "you"}, "missing required parameter: amount"),
        (["you", 1, True, 1, 1], "too many parameters: got 5, expected 4"),
        ({"name": "you", "amount": 1, "nmae": 2}, "unknown parameter: nmae, "),
        (["you", "much"], "amount: should be a millisatoshi amount: invalid token (see logs for details)"),
    ],
)
def test_wrong_parameters_are_refused(talk: Talk, params: Any, message: str) -> None:
    error = talk.refused("greet", params)
    assert (error["code"], error["message"].startswith(message)) == (-32602, True)


def test_hidden_token_is_logged(talk: Talk) -> None:
    talk.refused("greet", ["you", "much"])
    assert talk.logs[-1] == ("debug", 'greet: amount: invalid token "much"')


def test_rpc_error_of_a_command_reaches_its_caller(talk: Talk) -> None:
    expected = {"code": 7, "message": "nobody is there", "data": {"name": "nobody"}}
    assert talk.refused("greet", ["nobody", 1]) == expected
    assert not talk.logs


def test_bug_in_a_command_is_logged_and_the_next_call_answered(talk: Talk) -> None:
    error = talk.refused("greet", ["bug", 1])
    assert error == {"code": -1, "message": "Internal error of the plugin, see the log"}
    assert talk.logs == [("error", "greet failed:")]
    assert talk.call("greet", ["you", 1])["greeting"] == "hello you"


def test_unknown_command_is_refused(talk: Talk) -> None:
    assert talk.refused("nothing", {})["code"] == -32601


def test_filter_limits_the_result(talk: Talk) -> None:
    request = {"id": "a", "method": "greet", "params": ["you", 1], "filter": {"greeting": True}}
    talk.send(request)
    assert talk.response("a")["result"] == {"greeting": "hello you"}


@pytest.mark.parametrize("params", [["greet", "you", 1], {"command_to_check": "greet", "name": "you", "amount": 1}])
def test_check_accepts_right_parameters(talk: Talk, params: Any) -> None:
    assert talk.call("check", params) == {"command_to_check": "greet"}
    assert talk.emitted == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"command_to_check": "greet", "name": "you", "amount": "much"}, -32602),
        (["greet"], -32602),
        (["nothing"], -32601),
        ([], -32602),
        ({}, -32602),
    ],
)
def test_check_refuses_what_the_call_would_refuse(talk: Talk, params: Any, code: int) -> None:
    assert talk.refused("check", params)["code"] == code
