"""What the class of a plugin declares, checked when the class is created."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Final

from ..server.stubs import is_filled
from .commands import filled_commands
from .declare import HookTerms, PluginEvent, terms_of, topics_of
from .options import OptionTable

_PREFIXES: Final = ("on_", "hook_")
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
        _check_async(plugin)
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
