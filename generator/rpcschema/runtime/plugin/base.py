"""The base of the generated `Plugin`: lightningd's side of a plugin, over stdin and stdout, as typed calls.

lightningd starts a plugin, asks for its manifest, and sends `init` when its own RPC is ready. From then on it sends
notifications, which have no response, hooks, whose responses it waits for, and calls of the plugin's commands.
Source: Core Lightning, lightningd/plugin.c.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from ..errors import INVALID_PARAMS, RpcError, unknown_command
from ..server import envelope
from ..server.bind import BadParameter
from ..server.dispatch import CHECKED, checked_name
from ..values.encode import encode
from .calls import RunningCall, running_call
from .commands import Commands
from .declare import FeaturePlace, LogLevel, PluginDisabled, PluginEvent
from .declared import Declared
from .events import Events, unwrapped
from .loop import Output, Tasks, read_messages
from .manifest import manifest
from .setting import SETCONFIG, OptionSetter
from .stdio import own_streams


class BasePlugin:
    """A plugin of lightningd; its program only calls `MyPlugin().rpc_run()`.

    It subscribes to the notifications and registers the hooks whose methods are overridden. If it is also a `Service`,
    the methods of commands that are overridden become commands of the node. Its options are `rpc_options`, an instance
    of a dataclass whose fields are made by `option`.

    Methods are called one at a time, in the order in which lightningd sends events and calls; it waits for the response
    to a hook. Asynchronous ones run beside each other. Exceptions are logged. If a hook's method raises one, the
    response is a safe default: an HTLC is failed, a channel is rejected, and anything else continues as if there were
    no plugin; only `db_write` and `commitment_revocation` end lightningd.

    Raises TypeError, when the class is created, for a method `on_…` or `hook_…` that matches no notification or hook,
    for an asynchronous method where none is allowed, and for anything else that lightningd would refuse.
    """

    rpc_package: ClassVar[str]
    """The package of the classes that its methods get and return."""
    rpc_notifications: ClassVar[Mapping[str, PluginEvent]]
    rpc_hooks: ClassVar[Mapping[str, PluginEvent]]

    rpc_topics: ClassVar[Sequence[str]] = ()
    """The topics of the notifications that it sends with `rpc_emit`."""
    rpc_custommessages: ClassVar[Sequence[int]] = ()
    """The types of the messages from peers that reach `hook_custommsg`, though lightningd does not know them."""
    rpc_featurebits: ClassVar[Mapping[FeaturePlace, Sequence[int]]] = {}
    """The numbers of the feature bits that the node announces. lightningd does not start such a plugin later on."""
    rpc_dynamic: ClassVar[bool] = True
    """Whether `lightning-cli plugin` may start and stop it while lightningd runs; not with feature bits."""

    _rpc_declared: ClassVar[Declared]
    _rpc_deprecated: bool = True
    """Whether lightningd's user accepts deprecated behaviour."""
    _rpc_oneshot: bool | None = None
    """Whether the caller of the next command accepts it, if lightningd has announced that."""
    _rpc_configuration: Mapping[str, Any] | None = None

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls._rpc_declared = Declared.of(cls)

    def rpc_run(self) -> None:
        """Serve lightningd on stdin and stdout, until it closes them or announces its shutdown.

        Meanwhile, printed text goes to stderr. What asynchronous methods are doing at the end is cancelled. Ends the
        program with a message if a person started it, or if the input is not JSON.
        """
        if sys.stdin.isatty():
            sys.exit("this is a plugin of lightningd: use lightningd --plugin=PATH, or lightning-cli plugin start PATH")
        with own_streams() as (source, sink):
            self._rpc_output.use(sink)
            try:
                asyncio.run(self._rpc_serve(source))
            except (BrokenPipeError, KeyboardInterrupt):
                return  # lightningd has ended or is ending: the interrupt was meant for it
            finally:
                self._rpc_output.use(None)

    def rpc_init(self) -> Awaitable[None] | None:
        """Prepare the plugin; override this. It is called once, as soon as lightningd accepts calls.

        It may be async. If it raises an exception, the plugin disables itself; `PluginDisabled` says why without a
        traceback.
        """

    def rpc_options_changed(self, before: Any, /) -> Awaitable[None] | None:
        """React to a change of `rpc_options` by `setconfig`; override this.

        `before` are the options until now. It may be async. If it raises an exception, they stay, and `setconfig`
        fails; the caller sees an RpcError.
        """

    def rpc_manifest(self) -> dict[str, Any]:
        """Return what lightningd needs to know about this plugin (the result of `getmanifest`).

        Override it to extend the result of `super()` by what the class cannot declare. If it raises an exception, or
        returns something that is not JSON, the plugin disables itself.
        """
        return manifest(type(self), self._rpc_declared, self._rpc_commands.described())

    @property
    def rpc_configuration(self) -> Mapping[str, Any]:
        """What lightningd sent about itself in `init`: "lightning-dir", "network", "startup" and more.

        Raises RuntimeError before `init`.
        """
        if self._rpc_configuration is None:
            raise RuntimeError("lightningd has not configured this plugin yet; this works from rpc_init on")
        return self._rpc_configuration

    @property
    def rpc_socket(self) -> Path:
        """The socket of lightningd's RPC. Raises RuntimeError before `init`."""
        configuration = self.rpc_configuration
        return Path(configuration["lightning-dir"], configuration["rpc-file"])

    def rpc_log(self, message: str, level: LogLevel = "info") -> None:
        """Write to lightningd's log, from any thread; to stderr before `rpc_run` and after it."""
        text = _printable(message)
        if self._rpc_output.is_open:
            self._rpc_send("log", {"level": level, "message": text})
        else:
            print(text, file=sys.stderr)

    def rpc_emit(self, topic: str, payload: object) -> None:
        """Send a notification of the plugin's own to the plugins that subscribe to it, from any thread.

        Args:
            topic: one of `rpc_topics`.
            payload: an object of a generated class, or a mapping.

        Raises:
            ValueError: if the topic is not declared, so that lightningd would drop the notification.
        """
        if topic not in self.rpc_topics:
            raise ValueError(f"{topic!r} is not among the plugin's rpc_topics")
        self._rpc_send(topic, payload)

    def rpc_message(self, message: str, level: LogLevel = "info") -> None:
        """Send a text to the caller of the command that is running; only those who asked for such texts get it."""
        if (call := running_call.get()) is not None:
            params = {"id": call.identity, "level": level, "message": _printable(message)}
            self._rpc_send("message", params)

    def rpc_progress(self, number: int, total: int, *, stage: tuple[int, int] | None = None) -> None:
        """Tell the caller of the command that is running how far it is, as `rpc_message`.

        Args:
            number: the step that is done, from 0 to `total` - 1.
            total: the number of steps.
            stage: the number of the stage that these steps belong to, counted from 0, and the number of stages.
        """
        if (call := running_call.get()) is not None:
            params: dict[str, Any] = {"id": call.identity, "num": number, "total": total}
            if stage is not None:
                params["stage"] = {"num": stage[0], "total": stage[1]}
            self._rpc_send("progress", params)

    @property
    def rpc_allows_deprecated(self) -> bool:
        """Whether the caller of the command that is running accepts deprecated behaviour, or else lightningd's user."""
        call = running_call.get()
        return self._rpc_deprecated if call is None else call.allows_deprecated

    @cached_property
    def _rpc_output(self) -> Output:
        return Output()

    @cached_property
    def _rpc_events(self) -> Events:
        return Events(self, self.rpc_package, self._rpc_declared, self.rpc_log)

    @cached_property
    def _rpc_setter(self) -> OptionSetter:
        return OptionSetter(self, self._rpc_declared.options, self._rpc_events.report)

    @cached_property
    def _rpc_commands(self) -> Commands:
        return Commands(self, self._rpc_events.report, self._rpc_hide)

    async def _rpc_serve(self, source: int) -> None:
        tasks = Tasks()
        async for text in read_messages(source):
            if not await self._rpc_take(text, tasks):
                return

    async def _rpc_take(self, text: str, tasks: Tasks) -> bool:
        """Handle one message; return False if it is the last. What is asynchronous begins here, and ends in a task."""
        try:
            message = _decode_message(text)
        except msgspec.ValidationError:
            self.rpc_log("lightningd sent an invalid request: it has no method", "error")
            return True
        except (msgspec.DecodeError, RecursionError):
            sys.exit("lightningd sent invalid JSON-RPC: its syntax is wrong, or it is nested too deeply")
        if isinstance(message.id, msgspec.UnsetType):
            return await self._rpc_notify(message, tasks)
        context = copy_context()
        response = context.run(self._rpc_respond, message, bytes(message.id), text)
        if isinstance(response, bytes):
            self._rpc_output.write(response)
        else:
            tasks.start(self._rpc_write_later(response), context)
            await asyncio.sleep(0)  # so that it begins before the next message is handled
        return True

    async def _rpc_write_later(self, response: Awaitable[bytes]) -> None:
        made = await response
        with suppress(BrokenPipeError):  # lightningd has ended, and soon this plugin will
            self._rpc_output.write(made)

    async def _rpc_notify(self, message: _Message, tasks: Tasks) -> bool:
        params = bytes(message.params)
        if message.method == _ONESHOT:
            self._rpc_oneshot = _decode_oneshot(unwrapped(_ONESHOT, params)).deprecated_ok
        pending = self._rpc_events.notify(message.method, params)
        if message.method == "shutdown":
            await asyncio.gather(*pending)
            return False
        for each in pending:
            tasks.start(each)
            await asyncio.sleep(0)
        return True

    def _rpc_respond(self, message: _Message, identity: bytes, text: str) -> bytes | Awaitable[bytes]:
        """Return the response to a request, a whole message."""
        name = message.method
        if name in self._rpc_commands.commands:
            allows, self._rpc_oneshot = self._rpc_oneshot, None
            running_call.set(
                RunningCall(msgspec.json.decode(identity), self._rpc_deprecated if allows is None else allows)
            )
            return self._rpc_commands.answer(name, text.encode())
        try:
            result = self._rpc_result(name, bytes(message.params))
        except RpcError as error:
            return envelope.failure(identity, error)
        return envelope.success(identity, result) if isinstance(result, bytes) else _respond_later(identity, result)

    def _rpc_result(self, name: str, params: bytes) -> bytes | Awaitable[bytes]:
        """Return the JSON text of the result of anything but a command. Raises RpcError."""
        if name in self._rpc_declared.all_hooks:  # also one that only rpc_manifest adds: an error would end lightningd
            return self._rpc_events.ask(name, params)
        match name:
            case "getmanifest":
                return self._rpc_describe(params)
            case "init":
                return self._rpc_configure(params)
            case _ if name == SETCONFIG:
                return self._rpc_setter.change(params)
            case "check":
                return self._rpc_check(params)
            case _:
                raise unknown_command(name)

    def _rpc_describe(self, params: bytes) -> bytes:
        with suppress(msgspec.DecodeError):
            self._rpc_deprecated = _decode_asked(params).allow_deprecated_apis
        try:
            return encode(self.rpc_manifest())
        except Exception as error:  # noqa: BLE001 # the author's code may raise anything
            return self._rpc_disable("rpc_manifest", error)

    def _rpc_configure(self, params: bytes) -> bytes | Awaitable[bytes]:
        try:
            given = _decode_init(params)
        except msgspec.DecodeError:
            raise RpcError(INVALID_PARAMS, "init: missing required member: configuration (an object)") from None
        self._rpc_configuration = given.configuration
        try:
            self._rpc_setter.fill(given.options)
        except ValueError as error:
            return encode({"disable": _printable(str(error))})
        try:
            made = self.rpc_init()
        except Exception as error:  # noqa: BLE001
            return self._rpc_disable("rpc_init", error)
        return encode({}) if made is None else self._rpc_configure_later(made)

    async def _rpc_configure_later(self, made: Awaitable[None]) -> bytes:
        try:
            await made
        except Exception as error:  # noqa: BLE001
            return self._rpc_disable("rpc_init", error)
        return encode({})

    def _rpc_disable(self, method: str, error: Exception) -> bytes:
        """Return the response of a plugin that cannot start; lightningd logs the reason and ends it."""
        if isinstance(error, PluginDisabled):
            return encode({"disable": _printable(str(error))})
        self.rpc_log(f"{method} failed:\n{traceback.format_exc()}", "error")
        return encode({"disable": _printable(f"{method} failed: {error}")})

    def _rpc_check(self, params: bytes) -> bytes:
        """Return the result of `check`, which lightningd passes on. Raises RpcError."""
        name = checked_name(params)
        if name == SETCONFIG:
            self._rpc_setter.check(params)
        else:
            self._rpc_commands.check(params)
        return encode({CHECKED: name})

    def _rpc_hide(self, command: str, error: BadParameter) -> None:
        """Log the token that the caller does not see, as lightningd does for its own commands."""
        token = error.token.decode(errors="replace")
        self.rpc_log(f"{command}: {error.place}: invalid token {token}", "debug")

    def _rpc_send(self, method: str, params: object) -> None:
        self._rpc_output.write(b'{"jsonrpc":"2.0","method":%b,"params":%b}\n\n' % (encode(method), encode(params)))


class _Message(msgspec.Struct):
    method: str
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = msgspec.Raw(b"{}")


class _AskedManifest(msgspec.Struct):
    allow_deprecated_apis: bool = msgspec.field(name="allow-deprecated-apis", default=True)


class _InitParams(msgspec.Struct):
    configuration: dict[str, Any]
    options: dict[str, Any] = {}


class _Oneshot(msgspec.Struct):
    deprecated_ok: bool = True


_ONESHOT: Final = "deprecated_oneshot"
_decode_message: Final = msgspec.json.Decoder(_Message).decode
_decode_asked: Final = msgspec.json.Decoder(_AskedManifest).decode
_decode_init: Final = msgspec.json.Decoder(_InitParams).decode
_decode_oneshot: Final = msgspec.json.Decoder(_Oneshot).decode


async def _respond_later(identity: bytes, result: Awaitable[bytes]) -> bytes:
    try:
        return envelope.success(identity, await result)
    except RpcError as error:
        return envelope.failure(identity, error)


def _printable(text: str) -> str:
    """Return `text` with lone surrogates escaped, which UTF-8 cannot hold."""
    return text.encode(errors="backslashreplace").decode()
