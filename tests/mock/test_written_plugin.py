"""A plugin on clnrpc under the mock: what tests/interop/test_plugins.py shows under lightningd."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnstandin.mock import Mock, PluginError
from lnstandin.mock.plugins.host import Plugin
from tests.interop.nodes import until
from tests.mock.calling import POINT
from tests.mock.talking import Talker
from tests.plugins import EVENTS
from tests.plugins.program import write_greeter

SECONDS = 60


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_greeter(tmp_path_factory.mktemp("greeter"))


@pytest.fixture
def plugin(mock: Mock, program: Path) -> Plugin:
    mock.configure({"greeter-word": ["hey"], "greeter-most": ["3"]})
    return mock.start_plugin(program)


def greet(client: Client, name: str, **more: Any) -> Any:
    return client.rpc_call("greet", {"name": name, **more})


def seen(client: Client) -> list[str]:
    found: list[str] = greet(client, "you")["seen"]
    return found


def refusal(client: Client, method: str, params: Any) -> tuple[int, str]:
    with pytest.raises(RpcError) as error:
        client.rpc_call(method, params)
    return error.value.code, error.value.message


def test_command_has_the_options_of_the_command_line(plugin: Plugin, client: Client) -> None:
    assert greet(client, "you")["greeting"] == "hey you"
    assert refusal(client, "greet", {"name": "you", "times": 4}) == (-32602, "times: at most 3")
    assert client.help(command="greet").help[0].command == "greet name [times]"


@pytest.mark.parametrize("method", ["greet", "check"])
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "missing required parameter: name"),
        ({"name": "you", "tmies": 1}, "unknown parameter: tmies"),
        ({"name": "you", "times": 256}, "times: should be an unsigned 8 bit integer"),
    ],
)
def test_wrong_parameters_are_refused(
    plugin: Plugin, client: Client, method: str, params: dict[str, Any], message: str
) -> None:
    checked = {"command_to_check": "greet", **params} if method == "check" else params
    code, text = refusal(client, method, checked)
    assert (code, text[: len(message)]) == (-32602, message)


def test_setconfig_changes_a_dynamic_option(plugin: Plugin, client: Client) -> None:
    changed = client.setconfig(config="greeter-word", val="hullo").config
    assert (changed.config, changed.value_str) == ("greeter-word", "hullo")
    assert greet(client, "you")["greeting"] == "hullo you"
    for params in ({}, {"command_to_check": "setconfig"}):
        method = "check" if params else "setconfig"
        wrong = refusal(client, method, {**params, "config": "greeter-word", "val": ""})
        assert wrong == (-32602, "greeter-word must not be empty")
    assert client.rpc_call("check", {"command_to_check": "setconfig", "config": "greeter-word", "val": "x"})
    assert greet(client, "you")["greeting"] == "hullo you"


def test_notifications_reach_typed_methods_and_subscribers(mock: Mock, plugin: Plugin, client: Client) -> None:
    assert mock.notify("invoice_creation", {"label": "tea", "preimage": "00" * 32, "msat": 5}) == 1
    greet(client, "somebody")
    until(lambda: {"invoice tea", "greeted somebody"} <= set(seen(client)), "the plugin has heard of both")


def test_hook_gets_only_calls_of_its_filter(plugin: Plugin, client: Client) -> None:
    client.getinfo()
    client.listpeers()
    assert "getinfo" in seen(client)
    assert "listpeers" not in seen(client)
    assert refusal(client, "ping", {"id": POINT}) == (401, "Not now")


def test_slow_async_command_blocks_neither_other_commands_nor_hooks(mock: Mock, plugin: Plugin, client: Client) -> None:
    with Talker(mock.socket) as talker:
        talker.call(1, "notifications", [True])
        talker.ask(2, "greet", ["slowly"])
        assert talker.read()["params"]["message"] == "waiting"
        assert greet(client, "node")["greeting"] == "hey node"
        greet(client, "all")
        assert talker.read()["result"]["greeting"] == "hey slowly"


def test_ten_thousand_events_are_received(plugin: Plugin, client: Client) -> None:
    greet(client, "many")
    until(lambda: seen(client).count("greeted many") == EVENTS, "the plugin has received all")


def test_killed_plugin_fails_its_calls_and_starts_again(
    mock: Mock, plugin: Plugin, client: Client, program: Path
) -> None:
    failed: list[tuple[int, str]] = []

    def call() -> None:
        with Client(mock.socket, timeout=SECONDS) as other:
            failed.append(refusal(other, "greet", ["slowly"]))

    waiting = Thread(target=call)
    waiting.start()
    greet(client, "you")
    os.kill(plugin.process.pid, signal.SIGKILL)
    waiting.join()
    assert failed[0][0] == -4
    mock.stop_plugin(plugin)
    mock.start_plugin(program)
    assert greet(client, "you")["greeting"] == "hey you"


def test_option_that_no_plugin_has_is_refused(mock: Mock, plugin: Plugin) -> None:
    mock.configure({"greeter-wrod": ["hey"]})
    with pytest.raises(PluginError, match="no plugin has the option greeter-wrod; there are greeter-most"):
        mock.check_configured()


def test_option_of_another_type_is_refused(mock: Mock, program: Path) -> None:
    mock.configure({"greeter-most": ["many"]})
    with pytest.raises(PluginError, match="takes values of the type int, not 'many'"):
        mock.start_plugin(program)


def test_program_passes_options_on(program: Path, tmp_path: Path) -> None:
    socket = tmp_path / "rpc"
    command = [sys.executable, "-m", "lnstandin", "mock", "--socket", str(socket), "--plugin", str(program)]
    with subprocess.Popen([*command, "--option", "greeter-word=hullo"], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"lnstandin: ")
            with Client(socket, timeout=SECONDS) as client:
                assert greet(client, "you")["greeting"] == "hullo you"
        finally:
            process.terminate()
    wrong = subprocess.run([*command, "--option", "nosuch=1"], capture_output=True, timeout=SECONDS, check=False)
    assert (wrong.returncode, b"no plugin has the option nosuch" in wrong.stderr) == (2, True)
