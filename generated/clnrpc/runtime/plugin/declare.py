"""What the author of a plugin declares beside its methods: how a hook is called, and other topics to listen to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeVar

Response = TypeVar("Response")
Method = TypeVar("Method", bound=Callable[..., Any])
Handled: TypeAlias = Response | Awaitable[Response]
"""What the method of a notification or a hook returns: its response, or, if it is `async`, an awaitable of it."""
Subscriber = TypeVar("Subscriber", bound=Callable[[Any, str, dict[str, Any]], Awaitable[None] | None])
FeaturePlace: TypeAlias = Literal["node", "init", "invoice", "channel"]
"""Where a feature bit is announced: to all nodes, to peers, in invoices, or with channels."""
LogLevel: TypeAlias = Literal["debug", "info", "warn", "error"]

ALL_TOPICS: Final = "*"
_HOOK: Final = "__rpc_hook__"
_TOPICS: Final = "__rpc_topics__"


class PluginDisabled(Exception):
    """Disables the plugin, if `rpc_init` or `rpc_manifest` raises it. lightningd logs its text as the reason."""


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
    package: str = ""
    """The package of its classes, if that is not the plugin's `rpc_package`."""


@dataclass(frozen=True, slots=True)
class HookTerms:
    """For which events lightningd calls a hook, and in which order."""

    filters: tuple[str | int, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def hook(
    *, filters: Sequence[str] | Sequence[int] = (), before: Sequence[str] = (), after: Sequence[str] = ()
) -> Callable[[Method], Method]:
    """Return a decorator for a method `hook_…` that says for which events lightningd calls it, and when.

    Args:
        filters: the events: for `rpc_command` names of commands, for `custommsg` types of messages. No other hook has
            filters. Without them, the hook is called for every event.
        before: the file names of plugins that get the event after this one, such as "other.py".
        after: the file names of plugins that get it before this one.
    """
    terms = HookTerms(tuple(filters), tuple(before), tuple(after))

    def decorate(method: Method) -> Method:
        setattr(method, _HOOK, terms)
        return method

    return decorate


def subscribe(*topics: str) -> Callable[[Subscriber], Subscriber]:
    """Return a decorator for a method that gets the notifications of `topics` as plain JSON values.

    It is for topics without a document, such as those of other plugins, and for "*": all topics except `log`. The
    method is called with the topic and the payload.
    """

    def decorate(method: Subscriber) -> Subscriber:
        setattr(method, _TOPICS, topics)
        return method

    return decorate


def terms_of(method: object) -> HookTerms | None:
    """Return the terms of a hook's method, None if it has none."""
    terms = getattr(method, _HOOK, None)
    return terms if isinstance(terms, HookTerms) else None


def topics_of(method: object) -> tuple[str, ...]:
    """Return the topics to which a method subscribes."""
    topics: tuple[str, ...] = getattr(method, _TOPICS, ())
    return topics
