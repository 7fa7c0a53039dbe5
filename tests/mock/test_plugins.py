"""Plugins under the mock: started, called, told and stopped as by lightningd."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnstandin.mock import Mock, Plugin, PluginError, ScriptError
from tests.mock import echo_plugin
from tests.mock.calling import POINT
from tests.mock.talking import Talker


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The plugin as an executable file."""
    file = tmp_path / "echo.py"
    file.write_text(f"#!{sys.executable}\n{Path(echo_plugin.__file__).read_text()}")
    file.chmod(0o755)
    return file


@pytest.fixture
def plugin(mock: Mock, program: Path) -> Plugin:
    return mock.start_plugin(program, {"greeting": "good day"})


def heard(client: Client) -> list[Any]:
    found: list[Any] = client.rpc_call("heard")["heard"]
    return found


def test_plugin_gets_its_options_and_the_configuration(mock: Mock, plugin: Plugin, client: Client) -> None:
    environment, init = heard(client)
    assert environment == {"plugin": "1"}
    assert init["options"] == {"greeting": "good day", "loud": False}
    configuration = init["configuration"]
    assert Path(configuration["lightning-dir"], configuration["rpc-file"]) == mock.socket
    assert configuration["network"] == "regtest"


@pytest.mark.parametrize("params", [["a"], {"text": "a"}], ids=["positions", "names"])
def test_command_of_a_plugin_gets_its_parameters_as_they_are(plugin: Plugin, client: Client, params: Any) -> None:
    assert client.rpc_call("echo", params) == {"params": params}


def test_help_lists_the_commands_of_plugins(plugin: Plugin, client: Client) -> None:
    assert client.help(command="echo").help[0].command == "echo [text]"


def test_rule_has_precedence_over_a_plugin(mock: Mock, plugin: Plugin, client: Client) -> None:
    mock.on("echo", text="a").fail(-1, "Not you")
    with pytest.raises(RpcError, match="Not you"):
        client.rpc_call("echo", {"text": "a"})
    assert mock.calls.of("echo", text="a")[0].error is not None


def test_error_of_a_plugin_reaches_the_caller(plugin: Plugin, client: Client) -> None:
    with pytest.raises(RpcError) as error:
        client.rpc_call("refuse")
    assert (error.value.code, error.value.message, error.value.data) == (7, "refused", {"method": "refuse"})


def test_call_of_a_plugin_that_dies_gets_an_error(plugin: Plugin, client: Client) -> None:
    with pytest.raises(RpcError, match="Plugin terminated") as error:
        client.rpc_call("die")
    assert error.value.code == -4


def test_messages_of_a_plugin_reach_connections_that_enabled_them(mock: Mock, plugin: Plugin) -> None:
    with Talker(mock.socket) as talker:
        assert talker.call(1, "echo", ["a"]) == [{"id": 1, "result": {"params": ["a"]}}]
        talker.call(2, "notifications", [True])
        message, response = talker.call(3, "echo", ["a"])
    assert message["method"] == "message"
    assert message["params"] == {"id": 3, "level": "info", "message": "echoing"}
    assert response["id"] == 3


def test_notification_reaches_plugins_that_subscribe(mock: Mock, plugin: Plugin, client: Client) -> None:
    payload = {"id": POINT, "direction": "in", "address": {"type": "ipv4", "address": "127.0.0.1", "port": 9735}}
    assert mock.notify("connect", payload) == 1
    assert mock.notify("disconnect") == 0
    assert heard(client)[-1] == {"method": "connect", "params": {"connect": payload}}


def test_hook_returns_the_response_of_the_plugin(mock: Mock, plugin: Plugin) -> None:
    peer = {"id": POINT, "direction": "in", "addr": "127.0.0.1:9735", "features": ""}
    assert mock.call_hook("peer_connected", {"peer": peer}) == {"result": "disconnect", "error_message": POINT}


def test_hook_that_no_plugin_registered_continues(mock: Mock, plugin: Plugin) -> None:
    assert mock.call_hook("custommsg") == {"result": "continue"}


def test_hook_rpc_command_replaces_calls_and_answers_them(plugin: Plugin, client: Client) -> None:
    assert client.rpc_call("ping", {"id": POINT}) == {"params": ["instead"]}
    with pytest.raises(RpcError, match="Not you"):
        client.stop()


@pytest.mark.parametrize("name", ["connect", "coin_movement", "invoice_payment"])
def test_generated_payload_of_a_notification_is_valid(mock: Mock, name: str) -> None:
    assert mock.notify(name) == 0


def test_payload_that_contradicts_the_document_is_refused(mock: Mock) -> None:
    with pytest.raises(ScriptError, match="the payload contradicts the document"):
        mock.notify("connect", {"id": "me"})
    with pytest.raises(ScriptError, match="no notification 'conect'; did you mean 'connect'"):
        mock.notify("conect")
    with pytest.raises(ScriptError, match="no hook 'peer_conected'"):
        mock.call_hook("peer_conected")


def test_what_a_plugin_logs_and_prints_is_kept(mock: Mock, plugin: Plugin, client: Client) -> None:
    client.rpc_call("tell")
    assert {"method": "gossip", "origin": "echo.py", "params": {"news": 1}} in heard(client)
    mock.stop_plugin(plugin)
    assert ("echo.py", "warn", "telling") in mock.plugin_log
    assert ("echo.py", "stderr", "printed") in mock.plugin_log


def test_stopped_plugin_hears_of_it_and_its_commands_are_gone(mock: Mock, plugin: Plugin, client: Client) -> None:
    mock.stop_plugin(plugin)
    assert ("echo.py", "stderr", "goodbye") in mock.plugin_log
    with pytest.raises(RpcError) as error:
        client.rpc_call("echo")
    assert error.value.code == -32601


def test_command_plugin_starts_lists_and_stops(program: Path, client: Client) -> None:
    started = client.rpc_call("plugin", {"subcommand": "start", "plugin": str(program), "greeting": "hi"})
    assert started["plugins"] == client.rpc_call("plugin", ["list"])["plugins"]
    assert heard(client)[1]["options"]["greeting"] == "hi"
    assert client.rpc_call("plugin", ["stop", "echo.py"])["command"] == "stop"
    assert client.rpc_call("plugin", ["list"])["plugins"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"greetings": "hi"}, "has no option greetings; it has greeting, loud, count"),
        ({"count": "three"}, "the option count takes values of the type int, not 'three'"),
        ({"greeting": "disable"}, "disables itself: no greeting"),
    ],
)
def test_plugin_that_cannot_start_says_why(mock: Mock, program: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        mock.start_plugin(program, options)


def test_second_plugin_with_the_same_command_is_refused(mock: Mock, plugin: Plugin, program: Path) -> None:
    with pytest.raises(PluginError, match="has the command die, echo, heard, refuse, tell already"):
        mock.start_plugin(program)


def test_program_that_is_no_plugin_is_refused(mock: Mock, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="cannot be started"):
        mock.start_plugin(tmp_path / "missing")
    with pytest.raises(PluginError, match="Plugin terminated"):
        mock.start_plugin("/bin/true")
