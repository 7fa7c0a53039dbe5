"""Commands that the mock carries out unless a rule answers them: those about the node itself and its commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from clnrpc.runtime.errors import INVALID_PARAMS, RpcError, unknown_command
from clnrpc.runtime.server.bind import without_first
from lnstandin.mock.plugins.manifest import PluginError
from lnstandin.mock.rules import Params

if TYPE_CHECKING:
    from lnstandin.mock.core import Caller, Standin

Answer: TypeAlias = "dict[str, Any] | Awaitable[dict[str, Any]]"
Command: TypeAlias = "Callable[[Standin, Params, bytes, Caller], Answer]"
PLUGIN_ERROR: Final = -3
"""The code of the error for a plugin that cannot be started (common/jsonrpc_errors.h)."""
RUNE_COMMANDS: Final = ("blacklistrune", "checkrune", "createrune", "showrunes")
_OF_PLUGIN: Final = frozenset({"subcommand", "plugin", "directory", "options"})
"""The parameters of `plugin`; all others are options of the plugin."""


def _getinfo(mock: Standin, given: Params, _: bytes, __: Caller) -> dict[str, Any]:
    """Answer getinfo: the id is always the same, and the version that of the release."""
    own = {"id": mock.node_id, "version": mock.release, "network": "regtest", "lightning-dir": str(mock.folder)}
    return mock.default("getinfo", given) | own


def _help(mock: Standin, given: Params, _: bytes, __: Caller) -> dict[str, Any]:
    """Answer help: the usage of one command, or of all, those of plugins included."""
    names = [*mock.documents.commands, *mock.undocumented]
    asked = given.get("command")
    if asked is not None and asked not in names:
        raise RpcError(unknown_command(str(asked)).code, f"Unknown command {str(asked)!r}")
    usages = [_usage(mock, name) for name in sorted(names) if asked in (None, name)]
    return {"help": [{"command": usage} for usage in usages], "format-hint": "simple"}


def _usage(mock: Standin, name: str) -> str:
    known = mock.undocumented.get(name)
    return mock.command(name).usage if known is None else f"{name} {known}"


async def _check(mock: Standin, given: Params, params: bytes, _: Caller) -> dict[str, Any]:
    """Answer check: read the parameters of the other command; a plugin checks those of its own."""
    checked = str(given["command_to_check"])
    read = mock.read(checked, without_first(params, "command_to_check"))
    if mock.plugins is not None and checked in mock.undocumented:
        await mock.plugins.check(checked, params)
    if mock.plugins is not None and checked == "setconfig":
        await mock.plugins.set_option(read["config"], read.get("val"), check=True)
    return {"command_to_check": checked}


async def _setconfig(mock: Standin, given: Params, _: bytes, __: Caller) -> dict[str, Any]:
    """Answer setconfig: a plugin changes its dynamic option."""
    host = mock.plugins
    changed = None if host is None else await host.set_option(given["config"], given.get("val"))
    return mock.default("setconfig", given) if changed is None else changed


def _rune_command(name: str) -> Command:
    """Return what carries out a command about runes; a document may lack parameters that it knows."""

    def carry_out(mock: Standin, _: Params, params: bytes, __: Caller) -> dict[str, Any]:
        return mock.runes.carry_out(name, params)

    return carry_out


def _notifications(_: Standin, given: Params, __: bytes, caller: Caller) -> dict[str, Any]:
    """Answer notifications: from now on the connection gets those about its own calls, or not."""
    caller.enable(bool(given["enable"]))
    return {}


async def _plugin(mock: Standin, given: Params, _: bytes, __: Caller) -> dict[str, Any]:
    """Answer plugin: start, stop and list the plugins of the mock."""
    host, subcommand = mock.plugins, given["subcommand"]
    if host is None or subcommand not in ("list", "start", "stop"):
        return mock.default("plugin", given)
    path = Path(str(given.get("plugin", "")))
    if subcommand == "stop":
        plugin = next((each for each in host.plugins if path in (each.path, Path(each.name))), None)
        if plugin is None:
            raise RpcError(INVALID_PARAMS, f"Could not find plugin {path}")
        await host.stop(plugin)
        return {"command": "stop", "result": f"Successfully stopped {plugin.name}."}
    if subcommand == "start":
        options = {name: value for name, value in given.items() if name not in _OF_PLUGIN}
        try:
            await host.start(path, options, startup=False)
        except PluginError as error:
            raise RpcError(PLUGIN_ERROR, str(error)) from error
    running = [{"name": str(each.path), "active": True, "dynamic": True} for each in host.plugins]
    return {"command": subcommand, "plugins": running}


ANSWERS: Final[Mapping[str, Command]] = {
    "check": _check,
    "getinfo": _getinfo,
    "help": _help,
    "notifications": _notifications,
    "plugin": _plugin,
    "setconfig": _setconfig,
    **{name: _rune_command(name) for name in RUNE_COMMANDS},
}
