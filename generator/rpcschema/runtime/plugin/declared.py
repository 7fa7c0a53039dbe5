"""What the class of a plugin declares, checked when the class is created."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Final, get_args

from ..server.stubs import is_filled
from .commands import filled_commands
from .declare import FeaturePlace, HookTerms, PluginEvent, terms_of, topics_of
from .options import OptionTable

_PREFIXES: Final = ("on_", "hook_")
_PLACES: Final[tuple[str, ...]] = get_args(FeaturePlace)
_FILTERS: Final[Mapping[str, type]] = {"custommsg": int, "rpc_command": str}
"""The hooks that have filters, and the type of these."""
_NEVER_ASYNC: Final = frozenset({"db_write"})
"""lightningd does nothing else until these hooks are answered, so waiting in them would wait for ever."""
_MAY_BE_ASYNC: Final = frozenset({"rpc_init", "rpc_options_changed"})


@dataclass(frozen=True, slots=True)
class Declared:
    """The declarations of a plugin's class."""

    notifications: Mapping[str, PluginEvent]
    """Those whose methods are overridden."""
    all_hooks: Mapping[str, PluginEvent]
    """All hooks that there are."""
    hooks: Mapping[str, HookTerms]
    """Those whose methods are overridden."""
    subscribers: Mapping[str, tuple[str, ...]]
    """Topic -> methods."""
    options: OptionTable

    @classmethod
    def of(cls, plugin: type) -> Declared:
        """Return the declarations of a class. Raises TypeError if they contradict each other or match nothing."""
        notifications: Mapping[str, PluginEvent] = getattr(plugin, "rpc_notifications", {})
        hooks: Mapping[str, PluginEvent] = getattr(plugin, "rpc_hooks", {})
        subscribers: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        for name in dir(plugin):
            for topic in topics_of(getattr(plugin, name)):
                subscribers[topic] += (name,)
        _check_names(plugin, {event.method for event in (*notifications.values(), *hooks.values())})
        _check_hooks(plugin, hooks)
        _check_async(plugin)
        _check_facts(plugin, notifications)
        return cls(
            notifications={name: event for name, event in notifications.items() if is_filled(plugin, event.method)},
            all_hooks=hooks,
            hooks={name: _terms(plugin, event) for name, event in hooks.items() if is_filled(plugin, event.method)},
            subscribers=dict(subscribers),
            options=OptionTable.of(getattr(plugin, "rpc_options", None)),
        )


def _check_names(plugin: type, known: set[str]) -> None:
    """Raise TypeError for a method `on_…` or `hook_…` that nothing calls."""
    known |= {command.method for command in filled_commands(plugin).values()}
    for name in dir(plugin):
        if name.startswith(_PREFIXES) and name not in known and not topics_of(getattr(plugin, name)):
            raise TypeError(f"{plugin.__name__}.{name} would never be called: {_suggestion(name, known)}")


def _suggestion(name: str, known: set[str]) -> str:
    from difflib import get_close_matches  # 0085: slow

    prefix = name[: name.index("_") + 1]
    kind = "notification" if prefix == "on_" else "hook"
    close = get_close_matches(name, [each for each in known if each.startswith(prefix)], 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"there is no {kind} {name.removeprefix(prefix)!r}{hint}"


def _check_hooks(plugin: type, hooks: Mapping[str, PluginEvent]) -> None:
    """Raise TypeError for a decorated method that is no hook, and for a command that messages cannot tell from one."""
    methods = {event.method for event in hooks.values()}
    for name in dir(plugin):
        if terms_of(getattr(plugin, name)) is not None and name not in methods:
            raise TypeError(f"{plugin.__name__}.{name} is no hook, so @hook does not belong there")
    for name in filled_commands(plugin):
        if name in hooks and is_filled(plugin, hooks[name].method):
            raise TypeError(f"{plugin.__name__}: the command {name} has the name of a hook that the plugin handles")


def _check_facts(plugin: type, notifications: Mapping[str, PluginEvent]) -> None:
    """Raise TypeError for topics, custom messages and feature bits that lightningd would refuse."""
    for topic in getattr(plugin, "rpc_topics", ()):
        if topic in notifications:
            raise TypeError(f"{plugin.__name__}.rpc_topics: {topic} is a notification of lightningd")
    messages = getattr(plugin, "rpc_custommessages", ())
    for number in messages:
        if not 0 <= number < 1 << 16:
            raise TypeError(f"{plugin.__name__}.rpc_custommessages: {number} is no type of a message (0 to 65535)")
    if messages and not is_filled(plugin, "hook_custommsg"):
        raise TypeError(f"{plugin.__name__}.rpc_custommessages needs a method hook_custommsg, which gets the messages")
    for place, bits in getattr(plugin, "rpc_featurebits", {}).items():
        if place not in _PLACES:
            raise TypeError(f"{plugin.__name__}.rpc_featurebits: there is no place {place!r}: use {', '.join(_PLACES)}")
        for bit in bits:
            if bit < 0:
                raise TypeError(f"{plugin.__name__}.rpc_featurebits: {bit} is no feature bit")


def _check_async(plugin: type) -> None:
    for name in dir(plugin):
        method = getattr(plugin, name)
        if isasyncgenfunction(method) and (name.startswith(_PREFIXES) or topics_of(method)):
            raise TypeError(f"{plugin.__name__}.{name} must not yield: return the response")
        if not iscoroutinefunction(method):
            continue
        if name.removeprefix("hook_") in _NEVER_ASYNC:
            raise TypeError(f"{plugin.__name__}.{name} must not be async: meanwhile lightningd does nothing else")
        if name.startswith("rpc_") and name not in _MAY_BE_ASYNC:
            raise TypeError(f"{plugin.__name__}.{name} must not be async: its result is needed at once")


def _terms(plugin: type, event: PluginEvent) -> HookTerms:
    """Return the terms of a hook, checked."""
    terms = terms_of(getattr(plugin, event.method)) or HookTerms()
    kind = _FILTERS.get(event.name)
    if terms.filters and (kind is None or not all(type(each) is kind for each in terms.filters)):
        wanted = "it has none" if kind is None else "they are " + ("types of messages" if kind is int else "commands")
        raise TypeError(f"{plugin.__name__}.{event.method}: wrong filters {list(terms.filters)}: {wanted}")
    return terms
