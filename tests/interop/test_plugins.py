"""A plugin on clnrpc under real lightningd: its command, options, hooks and notifications, and its end."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clnrpc import Client, RpcError
from tests.interop.chain.folder import Chain
from tests.interop.nodes import SECONDS, Node, running, until
from tests.mock.talking import Talker
from tests.plugins import EVENTS
from tests.plugins.program import write_greeter

HOOKS = 200


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_greeter(tmp_path_factory.mktemp("greeter"))


@pytest.fixture(scope="module")
def node(chain: Chain, work: Path, program: Path) -> Iterator[Node]:
    options = (f"--plugin={program}", "--greeter-word=hey", "--greeter-most=3")
    with running(chain, work / "plugins", *options) as started:
        yield started


@pytest.fixture
def restarted(node: Node, program: Path) -> Node:
    """A node whose plugin was started again, with one option of that call."""
    node.client.plugin(subcommand="stop", plugin=program.name)
    node.client.rpc_call("plugin", {"subcommand": "start", "plugin": str(program), "greeter-word": "hi"})
    return node


def greet(client: Client, name: str, **more: Any) -> Any:
    return client.rpc_call("greet", {"name": name, **more})


def seen(node: Node) -> list[str]:
    found: list[str] = greet(node.client, "you")["seen"]
    return found


def refusal(client: Client, method: str, params: Any) -> tuple[int, str]:
    with pytest.raises(RpcError) as error:
        client.rpc_call(method, params)
    return error.value.code, error.value.message


def test_command_has_the_options_of_the_command_line(node: Node) -> None:
    assert greet(node.client, "you")["greeting"] == "hey you"
    assert refusal(node.client, "greet", {"name": "you", "times": 4}) == (-32602, "times: at most 3")


def test_help_shows_the_usage(node: Node) -> None:
    assert node.client.help(command="greet").help[0].command == "greet name [times]"


@pytest.mark.parametrize("method", ["greet", "check"])
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "missing required parameter: name"),
        ({"name": "you", "tmies": 1}, "unknown parameter: tmies"),
        ({"name": "you", "times": 256}, "times: should be an unsigned 8 bit integer"),
    ],
)
def test_wrong_parameters_are_refused(node: Node, method: str, params: dict[str, Any], message: str) -> None:
    checked = {"command_to_check": "greet", **params} if method == "check" else params
    code, text = refusal(node.client, method, checked)
    assert (code, text[: len(message)]) == (-32602, message)


def test_filter_of_a_call_limits_the_result(node: Node) -> None:
    assert node.client.rpc_filtered({"greeting": True}).rpc_call("greet", ["you"]) == {"greeting": "hey you"}


def test_setconfig_changes_a_dynamic_option(node: Node) -> None:
    client = node.client
    assert client.setconfig(config="greeter-word", val="hullo", transient=True).config.config == "greeter-word"
    assert greet(client, "you")["greeting"] == "hullo you"
    assert refusal(client, "setconfig", {"config": "greeter-word", "val": "", "transient": True}) == (
        -32602,
        "greeter-word must not be empty",
    )
    check = {"command_to_check": "setconfig", "config": "greeter-word", "val": "", "transient": True}
    assert refusal(client, "check", check) == (-32602, "greeter-word must not be empty")
    assert greet(client, "you")["greeting"] == "hullo you"
    client.setconfig(config="greeter-word", val="hey", transient=True)


def test_notifications_reach_typed_methods_and_subscribers(node: Node) -> None:
    node.client.invoice(amount_msat="any", label="tea", description="tea")
    greet(node.client, "somebody")
    until(lambda: {"invoice tea", "greeted somebody"} <= set(seen(node)), "the plugin has heard of both")


def test_hook_gets_only_calls_of_its_filter(node: Node) -> None:
    node.client.getinfo()
    node.client.listpeers()
    assert "getinfo" in seen(node)
    assert "listpeers" not in seen(node)


def test_hook_answers_a_call(node: Node) -> None:
    assert refusal(node.client, "ping", {"id": node.id}) == (401, "Not now")


def test_async_command_may_cause_the_plugins_own_hook(node: Node) -> None:
    assert greet(node.client, "node")["greeting"] == "hey node"


def test_slow_async_command_blocks_neither_other_commands_nor_hooks(node: Node) -> None:
    answers: list[Any] = []
    with Talker(node.socket) as talker:
        talker.call(1, "notifications", [True])
        talker.ask(2, "greet", ["slowly"])
        message = talker.read()
        assert (message["method"], message["params"]["message"]) == ("message", "waiting")
        assert greet(node.client, "you")["greeting"] == "hey you"
        node.client.getinfo()
        greet(node.client, "all")
        answers.append(talker.read())
    assert answers[0]["result"]["greeting"] == "hey slowly"


def test_plugin_stops_and_starts_with_another_option(restarted: Node) -> None:
    assert greet(restarted.client, "you", times=2)["greeting"] == "hi hi you"


def test_wrong_option_keeps_the_plugin_from_starting(restarted: Node, program: Path) -> None:
    restarted.client.plugin(subcommand="stop", plugin=program.name)
    start = {"subcommand": "start", "plugin": str(program)}
    code, message = refusal(restarted.client, "plugin", {**start, "greeter-word": ""})
    assert (code, "greeter-word must not be empty" in message) == (-3, True)
    restarted.client.rpc_call("plugin", start)


def test_killed_plugin_fails_its_calls_and_starts_again(restarted: Node, program: Path) -> None:
    failed: list[tuple[int, str]] = []

    def call() -> None:
        with Client(restarted.socket, timeout=SECONDS) as client:
            failed.append(refusal(client, "greet", ["slowly"]))

    waiting = Thread(target=call)
    waiting.start()
    number = until(lambda: pid(restarted, program), "the plugin runs")
    greet(restarted.client, "you")
    os.kill(number, signal.SIGKILL)
    waiting.join()
    assert failed[0][0] == -4
    assert refusal(restarted.client, "greet", ["you"])[0] == -32601
    restarted.client.rpc_call("plugin", {"subcommand": "start", "plugin": str(program)})
    assert greet(restarted.client, "you")["greeting"] == "hey you"


def test_ten_thousand_events_are_received(restarted: Node) -> None:
    greet(restarted.client, "many")
    until(lambda: seen(restarted).count("greeted many") == EVENTS, "the plugin has received all")


def test_hook_of_each_of_many_calls_is_answered(restarted: Node) -> None:
    for _ in range(HOOKS):
        restarted.client.getinfo()
    assert seen(restarted).count("getinfo") >= HOOKS


def pid(node: Node, program: Path) -> int | None:
    """Return the process id of the plugin, which the node logs when it starts it."""
    started = re.findall(rf"plugin-manager: started\((\d+)\) {re.escape(str(program))}", node.log())
    return int(started[-1]) if started else None
