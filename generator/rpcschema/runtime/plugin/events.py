"""Call the methods of a plugin for notifications and hooks.

An error response to a hook ends lightningd itself, so if a hook's method fails, the plugin still responds, and refuses
that one event. Source: Core Lightning, lightningd/plugin_hook.c and notification.c.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from inspect import isawaitable
from types import UnionType
from typing import Any, Final, TypeAlias, TypeVar, overload

import msgspec

from ..command import load_class
from ..errors import GENERIC, RpcError
from ..values.decode import decode
from ..values.encode import encode
from .declare import ALL_TOPICS, HookTerms, LogLevel, PluginEvent
from .declared import Declared

T = TypeVar("T")
_Arguments: TypeAlias = Callable[[], tuple[Any, ...]]
"""Decodes the arguments of a method."""

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
_FILTERED_BY: Final[Mapping[str, Callable[[Any], object]]] = {
    "custommsg": lambda request: int(request.payload[:4], 16),
    "rpc_command": lambda request: request.rpc_command.method,
}
"""Hook -> what its filters are compared with, as lightningd does from v25.12 on; before that, plugins get all events.
"""
_ABOUT_LOGS: Final = frozenset({"log", "warning"})
"""Notifications about log entries: logging their failure would cause the next one."""


class Events:
    """Calls the methods of `plugin` for notifications and hooks, and logs what they raise."""

    def __init__(self, plugin: object, package: str, declared: Declared, log: Callable[[str, LogLevel], None]) -> None:
        self._plugin = plugin
        self._package = package
        self._declared = declared
        self._log = log

    def notify(self, topic: str, params: bytes) -> list[Coroutine[Any, Any, None]]:
        """Call the methods for a notification; return what the asynchronous ones have left to do."""
        declared = self._declared
        payload = unwrapped(topic, params)
        calls: list[tuple[str, _Arguments]] = []
        if event := declared.notifications.get(topic):
            kind = partial(self._class, event, event.payload)
            calls.append((event.method, lambda: (decode(kind(), payload),)))
        topics = (topic,) if topic == "log" else (topic, ALL_TOPICS)
        methods = (method for each in topics for method in declared.subscribers.get(each, ()))
        calls += [(method, lambda: (topic, msgspec.json.decode(payload))) for method in methods]
        pending = [self._tell(topic, method, arguments) for method, arguments in calls]
        return [each for each in pending if each is not None]

    def ask(self, name: str, params: bytes) -> bytes | Awaitable[bytes]:
        """Call the method for a hook; return its response. Raises RpcError if lightningd should end."""
        event = self._declared.all_hooks[name]
        try:
            request = decode(self._class(event, event.payload), params)
            if not _is_wanted(name, self._declared.hooks.get(name), request):
                return encode(_CONTINUE)
            made = getattr(self._plugin, event.method)(request)
            return self._ask_later(event, made) if isawaitable(made) else self._encoded(event, made)
        except Exception:  # noqa: BLE001 # without a response lightningd ends
            return self._failed(event)

    async def _ask_later(self, event: PluginEvent, response: Awaitable[Any]) -> bytes:
        try:
            return self._encoded(event, await response)
        except Exception:  # noqa: BLE001
            return self._failed(event)

    def _encoded(self, event: PluginEvent, response: Any) -> bytes:
        if not isinstance(response, self._class(event, event.response)):
            raise TypeError(f"{event.method} returned {type(response).__name__}, not {event.response}")
        return encode(response)

    def _failed(self, event: PluginEvent) -> bytes:
        """Report the exception that is handled, and return the safe response."""
        self.report(event.method)
        safe = _RESPONSES_OF_FAILED_HOOKS.get(event.name, _CONTINUE)
        if safe is None:
            raise RpcError(GENERIC, f"{event.method} failed, see the log")
        return encode(safe)

    def _tell(self, topic: str, method: str, arguments: _Arguments) -> Coroutine[Any, Any, None] | None:
        try:
            made = getattr(self._plugin, method)(*arguments())
            if isawaitable(made):
                return self._tell_later(topic, method, made)
            _check_none(method, made)
        except Exception:  # noqa: BLE001
            self.report(method, to_log=topic not in _ABOUT_LOGS)
        return None

    async def _tell_later(self, topic: str, method: str, result: Awaitable[Any]) -> None:
        try:
            _check_none(method, await result)
        except Exception:  # noqa: BLE001
            self.report(method, to_log=topic not in _ABOUT_LOGS)

    def report(self, method: str, *, to_log: bool = True) -> None:
        """Log the exception that is being handled, which a method raised; else print it on stderr."""
        text = f"{method} failed:\n{traceback.format_exc()}"
        if to_log:
            self._log(text, "error")
        else:
            print(text, file=sys.stderr)

    def _class(self, event: PluginEvent, name: str) -> type[Any]:
        return load_class(event.package or self._package, event.module, name)


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


_decode_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _members(text: bytes) -> dict[str, msgspec.Raw]:
    """Return the members of an object; none for any other value."""
    try:
        return _decode_members(text)
    except msgspec.DecodeError:
        return {}


def _is_wanted(name: str, terms: HookTerms | None, request: Any) -> bool:
    """Return whether the filters of a hook let an event pass."""
    return terms is None or not terms.filters or _FILTERED_BY[name](request) in terms.filters


def _check_none(method: str, returned: object) -> None:
    if returned is not None:
        raise TypeError(f"{method} returned {type(returned).__name__}, not None")
