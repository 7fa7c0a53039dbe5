"""The base of the generated `Plugin`: lightningd's notifications and hooks, over stdin and stdout, as typed calls.

lightningd starts a plugin, asks for its manifest, and sends `init` when its own RPC is ready. From then on it sends
notifications, which have no response, and hooks, whose responses it waits for. An error response to a hook ends
lightningd itself, so if a hook's method fails, the plugin still responds, and refuses that one event. Source: Core
Lightning, lightningd/plugin.c, plugin_hook.c and notification.c.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import UnionType
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar, overload

import msgspec

from ..client.exchange import MAX_RESPONSE_BYTES
from ..client.objects import ObjectReader
from ..command import load_class
from ..errors import GENERIC, INVALID_PARAMS, RpcError, unknown_command
from ..server.stubs import is_filled
from ..values.decode import decode
from ..values.encode import encode
from .stdio import own_streams, read_chunks, write_all

T = TypeVar("T")
LogLevel: TypeAlias = Literal["debug", "info", "warn", "error"]

_REJECT: Final = {"result": "reject"}
_RESPONSES_OF_FAILED_HOOKS: Final[Mapping[str, Mapping[str, str] | None]] = {
    "htlc_accepted": {"result": "fail", "failure_message": "2002"},  # temporary_node_failure: the sender may retry
    "openchannel": _REJECT,
    "openchannel2": _REJECT,
    "openchannel2_changed": _REJECT,
    "openchannel2_sign": _REJECT,
    "rbf_channel": _REJECT,
    # Continuing without the copy that these make could lose money, so lightningd should rather end.
    "commitment_revocation": None,
    "db_write": None,
}
"""None stands for an error. The response to any other hook is the one without a plugin."""
_CONTINUE: Final = {"result": "continue"}
_ABOUT_LOGS: Final = frozenset({"log", "warning"})
"""Notifications about log entries: logging their failure would cause the next one."""


@dataclass(frozen=True, slots=True)
class PluginEvent:
    """A notification or a hook."""

    name: str
    """On the wire."""
    method: str
    """The method of the plugin."""
    module: str
    """The module of its classes, under `<package>.types`."""
    payload: str
    """The payload's class in `<package>.types`."""
    response: str = ""
    """The class of a hook's response; a notification has none."""


class BasePlugin:
    """A plugin of lightningd; its program only calls `MyPlugin().rpc_run()`.

    It subscribes to the notifications and registers the hooks whose methods are overridden. They are called one at a
    time, in the order of the events; lightningd waits for the response to a hook. Exceptions are logged. If a hook's
    method raises one, the response is a safe default: an HTLC is failed, a channel is rejected, and anything else
    continues as if there were no plugin; only `db_write` and `commitment_revocation` end lightningd.
    """

    rpc_package: ClassVar[str]
    """The package of the classes that its methods get and return."""
    rpc_notifications: ClassVar[Mapping[str, PluginEvent]]
    rpc_hooks: ClassVar[Mapping[str, PluginEvent]]

    _rpc_sink: int | None = None
    _rpc_writing: ClassVar[Lock] = Lock()  # a process has one stdout
    _rpc_configuration: Mapping[str, Any] | None = None

    def rpc_run(self) -> None:
        """Serve lightningd on stdin and stdout, until it closes them or announces its shutdown.

        Meanwhile, printed text goes to stderr. Ends the program with a message if a person started it, or if the input
        is not JSON.
        """
        if sys.stdin.isatty():
            sys.exit("this is a plugin of lightningd: use lightningd --plugin=PATH, or lightning-cli plugin start PATH")
        with own_streams() as (source, sink):
            self._rpc_sink = sink
            try:
                for message in _read_messages(source):
                    if not self._rpc_take(message):
                        return
            except (BrokenPipeError, KeyboardInterrupt):
                return  # lightningd has ended or is ending: the interrupt was meant for it
            finally:
                with self._rpc_writing:  # a thread may be writing
                    self._rpc_sink = None

    def rpc_init(self) -> None:
        """Prepare the plugin; override this. It is called once, as soon as lightningd accepts calls.

        If it raises an exception, the plugin disables itself.
        """

    def rpc_manifest(self) -> dict[str, Any]:
        """Return what lightningd needs to know about this plugin (the result of `getmanifest`).

        Override it to extend the result of `super()`: the order or the filters of a hook, featurebits, custommessages.
        If it raises an exception, or returns something that is not JSON, the plugin disables itself.
        """
        return {
            "options": [],
            "rpcmethods": [],
            "subscriptions": [
                name for name in self.rpc_notifications if self._rpc_filled(self.rpc_notifications, name)
            ],
            "hooks": [{"name": name} for name in self.rpc_hooks if self._rpc_filled(self.rpc_hooks, name)],
            "dynamic": True,
            "nonnumericids": True,
        }

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
        if self._rpc_sink is None:
            print(text, file=sys.stderr)
        else:
            params = encode({"level": level, "message": text})
            self._rpc_write(b'{"jsonrpc":"2.0","method":"log","params":%b}' % params)

    def _rpc_take(self, text: str) -> bool:
        """Handle one message; return False if it is the last."""
        try:
            message = _decode_message(text)
        except msgspec.ValidationError:
            self.rpc_log("lightningd sent an invalid request: it has no method", "error")
            return True
        except (msgspec.DecodeError, RecursionError):
            sys.exit("lightningd sent invalid JSON-RPC: its syntax is wrong, or it is nested too deeply")
        params = bytes(message.params)
        if isinstance(message.id, msgspec.UnsetType):
            self._rpc_notify(message.method, params)
            return message.method != "shutdown"
        try:
            kind, value = b"result", self._rpc_respond(message.method, params)
        except RpcError as error:
            kind, value = b"error", encode(error.as_json())
        self._rpc_write(b'{"jsonrpc":"2.0","id":%b,"%b":%b}' % (bytes(message.id), kind, value))
        return True

    def _rpc_respond(self, method: str, params: bytes) -> bytes:
        """Return the JSON text of the result. Raises RpcError."""
        if method == "getmanifest":
            return self._rpc_describe()
        if method == "init":
            return self._rpc_configure(params)
        if method in self.rpc_hooks:  # also one that only rpc_manifest adds: an error would end lightningd
            return self._rpc_ask(self.rpc_hooks[method], params)
        raise unknown_command(method)

    def _rpc_describe(self) -> bytes:
        try:
            return encode(self.rpc_manifest())
        except Exception as error:  # noqa: BLE001 # the author's code may raise anything
            return self._rpc_disable("rpc_manifest", error)

    def _rpc_configure(self, params: bytes) -> bytes:
        try:
            self._rpc_configuration = _decode_init(params).configuration
        except msgspec.DecodeError:
            raise RpcError(INVALID_PARAMS, "init: missing required member: configuration (an object)") from None
        try:
            self.rpc_init()
        except Exception as error:  # noqa: BLE001
            return self._rpc_disable("rpc_init", error)
        return encode({})

    def _rpc_disable(self, method: str, error: Exception) -> bytes:
        """Return the response of a plugin that cannot start; lightningd logs the reason and ends it."""
        self.rpc_log(f"{method} failed:\n{traceback.format_exc()}", "error")
        return encode({"disable": _printable(f"{method} failed: {error}")})

    def _rpc_notify(self, name: str, params: bytes) -> None:
        if self._rpc_filled(self.rpc_notifications, name):
            event = self.rpc_notifications[name]
            try:
                self._rpc_call(event, unwrapped(name, params), type(None))
            except Exception:  # noqa: BLE001
                self._rpc_report(event)

    def _rpc_ask(self, event: PluginEvent, params: bytes) -> bytes:
        try:
            return encode(self._rpc_call(event, params, load_class(self.rpc_package, event.module, event.response)))
        except Exception:  # noqa: BLE001 # without a response lightningd ends
            self._rpc_report(event)
        safe = _RESPONSES_OF_FAILED_HOOKS.get(event.name, _CONTINUE)
        if safe is None:
            raise RpcError(GENERIC, f"{event.method} failed, see the log")
        return encode(safe)

    def _rpc_call(self, event: PluginEvent, params: bytes, response_type: type[Any]) -> Any:
        payload = decode(load_class(self.rpc_package, event.module, event.payload), params)
        response = getattr(self, event.method)(payload)
        if not isinstance(response, response_type):
            needed = event.response or "None"
            raise TypeError(f"{event.method} returned {type(response).__name__}, not {needed} (it is not awaited)")
        return response

    def _rpc_report(self, event: PluginEvent) -> None:
        text = f"{event.method} failed:\n{traceback.format_exc()}"
        if event.name in _ABOUT_LOGS:
            print(text, file=sys.stderr)
        else:
            self.rpc_log(text, "error")

    def _rpc_filled(self, events: Mapping[str, PluginEvent], name: str) -> bool:
        return name in events and is_filled(self, events[name].method)

    def _rpc_write(self, message: bytes) -> None:
        with self._rpc_writing:
            if self._rpc_sink is not None:
                write_all(self._rpc_sink, message + b"\n\n")


@overload
def decode_payload(kind: type[T], payload: Any) -> T: ...
@overload
def decode_payload(kind: UnionType, payload: Any) -> Any: ...
def decode_payload(kind: type[T] | UnionType, payload: Any) -> T | Any:
    """Return the typed value of a payload that another library has decoded to plain JSON values.

    For example `decode_payload(ChannelOpenedNotification, channel_opened)` in a plugin made with pyln-client. Raises
    DecodeError.
    """
    return decode(kind, encode(payload))


def unwrapped(name: str, params: bytes) -> bytes:
    """Return the payload in the params of the notification `name`, both JSON text.

    lightningd wraps it in a member with the notification's name. Releases before v25.09 put what another plugin sent
    next to its `origin`, and even older ones wrap nothing.
    """
    members = _members(params)
    if members.keys() == {"origin", "payload"}:
        params = bytes(members["payload"])
        members = _members(params)
    inner = bytes(members.get(name, b"")).lstrip()
    return inner if inner.startswith(b"{") else params


class _JsonRpcMessage(msgspec.Struct):
    method: str
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = msgspec.Raw(b"{}")


class _InitParams(msgspec.Struct):
    configuration: dict[str, Any]


_decode_message: Final = msgspec.json.Decoder(_JsonRpcMessage).decode
_decode_init: Final = msgspec.json.Decoder(_InitParams).decode
_decode_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _read_messages(source: int) -> Iterator[str]:
    """Yield lightningd's messages; end the program if the input is not JSON."""
    objects = ObjectReader(MAX_RESPONSE_BYTES)
    for chunk in read_chunks(source):
        try:
            yield from objects.feed(chunk)
        except ValueError as error:
            sys.exit(f"lightningd sent invalid JSON-RPC: {error}")


def _printable(text: str) -> str:
    """Return `text` with lone surrogates escaped, which UTF-8 cannot hold."""
    return text.encode(errors="backslashreplace").decode()


def _members(text: bytes) -> dict[str, msgspec.Raw]:
    """Return the members of an object; none for any other value."""
    try:
        return _decode_members(text)
    except msgspec.DecodeError:
        return {}
