"""Start the plugins of a mock, send them notifications, and call their hooks and commands."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from clnrpc.runtime.errors import RpcError
from clnrpc.runtime.server.convert import json_value
from clnrpc.runtime.values.encode import encode
from lnstandin.mock.plugins.manifest import ALL, Manifest, Option, PluginError
from lnstandin.mock.plugins.process import Message, PluginProcess, error_of

if TYPE_CHECKING:
    from lnstandin.mock.core import Caller, Standin

START_SECONDS: Final = 60.0
"""How long a plugin may take for `getmanifest`, and for `init`, as in lightningd."""
_MOST_LINES: Final = 10_000
_CONTINUE: Final = {"result": "continue"}
RPC_COMMAND: Final = "rpc_command"
"""The hook that plugins get for every call."""


class ReturnedByHookError(Exception):
    """A plugin answers a call in the hook `rpc_command`, so nothing else does."""

    def __init__(self, answer: Any, error: RpcError | None) -> None:
        super().__init__("answered by a plugin")
        self.answer = answer
        self.error = error


class LogLine(NamedTuple):
    """A line that a plugin logged, or printed on stderr (level "stderr")."""

    plugin: str
    level: str
    text: str


@dataclass(slots=True)
class Plugin:
    """A plugin that runs."""

    path: Path
    process: PluginProcess
    manifest: Manifest

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name

    def wants(self, topic: str) -> bool:
        """Return whether it subscribes to a notification."""
        return bool(self.manifest.subscriptions & {topic, ALL})


class PluginHost:
    """Runs plugins as lightningd does."""

    def __init__(self, standin: Standin, socket: Path) -> None:
        """Create a host; plugins run in the folder of `socket`, and call the node there."""
        self.log: deque[LogLine] = deque(maxlen=_MOST_LINES)
        """What plugins logged, oldest first."""
        self.configured: Mapping[str, Sequence[str]] = {}
        """The options of the node's command line: a plugin that is started takes those that it has."""
        self._standin = standin
        self._socket = socket
        self._plugins: list[Plugin] = []

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins that run, in the order of their start."""
        return tuple(self._plugins)

    async def start(self, path: Path, options: Mapping[str, Any], *, startup: bool) -> Plugin:
        """Start a plugin: ask for its manifest, and initialise it with options.

        Raises:
            PluginError: if that fails, it disables itself, an option is wrong, or a command exists already.
        """
        try:
            async with asyncio.timeout(2 * START_SECONDS):
                return await self._start(path, options, startup=startup)
        except TimeoutError:
            raise PluginError(f"{path}: it did not answer getmanifest or init in time") from None
        except (RpcError, PluginError) as error:
            raise PluginError(f"{path}: {error}") from error

    async def _start(self, path: Path, options: Mapping[str, Any], *, startup: bool) -> Plugin:
        name = path.name
        process = await PluginProcess.start(
            path,
            self._socket.parent,
            self._standin.release,
            lambda message: self._take(name, message),
            lambda text: self.log.append(LogLine(name, "stderr", text)),
        )
        try:
            manifest = Manifest.parse(await process.request("getmanifest", b'{"allow-deprecated-apis":false}'))
            process.has_text_ids = manifest.has_text_ids
            plugin = Plugin(path, process, manifest)
            self._check_names(plugin)
            settings = manifest.settings(options, self.configured)
            init = {"options": settings, "configuration": self._configuration(startup=startup)}
            _check_init(await process.request("init", encode(init)))
        except BaseException:
            await process.end()
            raise
        self._plugins.append(plugin)
        for command, usage in manifest.commands.items():
            self._standin.add_carrier(command, usage, self._carrier(plugin, command))
        return plugin

    async def stop(self, plugin: Plugin) -> None:
        """Stop a plugin: tell it, if it subscribes to that, and wait for its end. Its commands are gone."""
        self._plugins.remove(plugin)
        for command in plugin.manifest.commands:
            self._standin.remove_carrier(command)
        if plugin.wants("shutdown"):
            plugin.process.notify("shutdown", {"shutdown": {}})
        await plugin.process.end()

    async def close(self) -> None:
        """Stop all plugins."""
        await asyncio.gather(*(self.stop(plugin) for plugin in self.plugins))

    def notify(self, topic: str, payload: Mapping[str, Any]) -> int:
        """Send a notification to the plugins that subscribe to it; return their number."""
        listening = [plugin for plugin in self._plugins if plugin.wants(topic)]
        for plugin in listening:
            plugin.process.notify(topic, {topic: payload})
        return len(listening)

    async def hook(self, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Call a hook: one plugin after the other, until one does not continue; return the last response.

        Without a plugin that registered the hook, the response is to continue. Raises RpcError if a plugin fails,
        where lightningd would end.
        """
        response: dict[str, Any] = dict(_CONTINUE)
        for plugin in [each for each in self._plugins if _wants_event(each, name, payload)]:
            response = await plugin.process.request(name, encode(payload))
            if response.get("result") != "continue":
                return response
            payload = {**payload, **{key: value for key, value in response.items() if key in payload}}
        return response

    async def redirected(self, method: str, params: bytes) -> tuple[str, bytes]:
        """Return the call that is to be made in place of this one, as the hook `rpc_command` decides.

        Raises:
            ReturnedByHookError: if a plugin answers the call.
            RpcError: if a plugin fails.
        """
        call = {"id": "lnstandin", "method": method, "params": json_value(params)}
        response = await self.hook(RPC_COMMAND, {RPC_COMMAND: call})
        if "replace" in response:
            return response["replace"]["method"], encode(response["replace"]["params"])
        if "return" in response:
            returned = response["return"]
            raise ReturnedByHookError(
                returned.get("result"), error_of(returned["error"]) if "error" in returned else None
            )
        return method, params

    def check_configured(self) -> None:
        """Raise PluginError if an option of the command line is one of no plugin."""
        known = {option.name for plugin in self._plugins for option in plugin.manifest.options}
        if unknown := self.configured.keys() - known:
            options = ", ".join(sorted(known)) or "none"
            raise PluginError(f"no plugin has the option {', '.join(sorted(unknown))}; there are {options}")

    async def set_option(self, name: str, value: Any, *, check: bool = False) -> dict[str, Any] | None:
        """Change a dynamic option of a plugin, or only check the value; return what `setconfig` says about it.

        None means that no plugin has the option. Raises RpcError if the plugin refuses the value.
        """
        for plugin in self._plugins:
            for option in plugin.manifest.options:
                if option.name == name and option.dynamic:
                    await self._set(plugin, {"config": name, "val": _as_text(value)}, check=check)
                    return _setting(plugin, option, value)
        return None

    async def _set(self, plugin: Plugin, params: Mapping[str, Any], *, check: bool) -> None:
        given = {name: value for name, value in params.items() if value is not None}
        if not check:
            await plugin.process.request("setconfig", encode(given))
        elif plugin.manifest.can_check:
            await plugin.process.request("check", encode({"command_to_check": "setconfig", **given}))

    async def check(self, command: str, params: bytes) -> Any:
        """Return a plugin's answer to `check` of one of its commands, whose parameters are also those of `check`."""
        for plugin in self._plugins:
            if command in plugin.manifest.commands and plugin.manifest.can_check:
                return await plugin.process.request("check", params)
        return {"command_to_check": command}

    def has_hook(self, name: str) -> bool:
        """Return whether a plugin registered a hook."""
        return any(name in plugin.manifest.hooks for plugin in self._plugins)

    def _carrier(self, plugin: Plugin, command: str) -> Callable[[bytes, Caller], Awaitable[Any]]:
        async def carry(params: bytes, caller: Caller) -> Any:
            return await plugin.process.request(command, params, caller.notify)

        return carry

    def _take(self, name: str, message: Message) -> None:
        method, params = message["method"], message.get("params", {})
        if method == "log":
            self.log.append(LogLine(name, params.get("level", "info"), params.get("message", "")))
            return
        is_declared = any(each.name == name and method in each.manifest.topics for each in self._plugins)
        for plugin in self._plugins if is_declared else ():
            if plugin.wants(method):
                plugin.process.notify(method, params, origin=name)

    def _check_names(self, plugin: Plugin) -> None:
        """Raise PluginError if another plugin has one of its commands."""
        for other in self._plugins:
            if taken := other.manifest.commands.keys() & plugin.manifest.commands.keys():
                raise PluginError(f"the plugin {other.name} has the command {', '.join(sorted(taken))} already")

    def _configuration(self, *, startup: bool) -> dict[str, Any]:
        features = {"init": "08a0000a0a69a2", "node": "88a0000a0a69a2", "channel": "", "invoice": "02000002024100"}
        return {
            "lightning-dir": str(self._socket.parent),
            "rpc-file": self._socket.name,
            "startup": startup,
            "network": "regtest",
            "feature_set": features,
        }


_FILTERED_BY: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "custommsg": lambda payload: int(payload["payload"][:4], 16),
    RPC_COMMAND: lambda payload: payload[RPC_COMMAND]["method"],
}
"""Hook -> what its filters are compared with."""


def _wants_event(plugin: Plugin, hook: str, payload: Mapping[str, Any]) -> bool:
    filters = plugin.manifest.hooks.get(hook)
    return filters is not None and (not filters or _FILTERED_BY[hook](payload) in filters)


def _as_text(value: Any) -> Any:
    """Return a value as lightningd sends it in `setconfig`: as text."""
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return value if value is None or isinstance(value, str) else encode(value).decode()


def _setting(plugin: Plugin, option: Option, value: Any) -> dict[str, Any]:
    """Return the answer to `setconfig`."""
    text = _as_text(value)
    kinds = {"int": "value_int", "bool": "value_bool"}
    shown: dict[str, Any]
    if option.multi:
        shown = {"values_str": text or []}
    elif option.kind == "flag":
        shown = {"set": True}
    else:
        shown = {kinds.get(option.kind, "value_str"): option.of_text([text])}
    source = {"config": option.name, "source": "setconfig", "plugin": str(plugin.path), "dynamic": True}
    return {"config": source | shown}


def _check_init(answer: Any) -> None:
    if isinstance(answer, dict) and "disable" in answer:
        raise PluginError(f"it disables itself: {answer['disable']}")
