"""The manifest of a plugin: what lightningd needs to know before it starts it. Source: lightningd/plugin.c."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from .declare import ALL_TOPICS, FeaturePlace, HookTerms
from .declared import Declared

_ONESHOT: Final = "deprecated_oneshot"


class PluginClass(Protocol):
    """What the class of a plugin says about it."""

    rpc_topics: Sequence[str]
    rpc_custommessages: Sequence[int]
    rpc_featurebits: Mapping[FeaturePlace, Sequence[int]]
    rpc_dynamic: bool


def manifest(plugin: PluginClass, declared: Declared, commands: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the manifest; `commands` are its entries of the commands."""
    made: dict[str, Any] = {
        "options": declared.options.described(),
        "rpcmethods": commands,
        "subscriptions": _subscriptions(declared, has_commands=bool(commands)),
        "hooks": [_hook(name, terms) for name, terms in declared.hooks.items()],
        "dynamic": plugin.rpc_dynamic and not plugin.rpc_featurebits,
        "nonnumericids": True,
        "cancheck": True,
    }
    if plugin.rpc_topics:
        made["notifications"] = [{"method": topic} for topic in plugin.rpc_topics]
    if plugin.rpc_custommessages:
        made["custommessages"] = list(plugin.rpc_custommessages)
    if plugin.rpc_featurebits:
        made["featurebits"] = {place: _feature_bits(bits) for place, bits in plugin.rpc_featurebits.items()}
    return made


def _subscriptions(declared: Declared, *, has_commands: bool) -> list[str]:
    """Return the topics; "*" stands for all but `log`, which lightningd would otherwise send twice."""
    topics = list({**declared.notifications, **declared.subscribers})
    if has_commands and _ONESHOT not in topics:
        topics.append(_ONESHOT)
    return [topic for topic in topics if topic in (ALL_TOPICS, "log")] if ALL_TOPICS in topics else topics


def _hook(name: str, terms: HookTerms) -> dict[str, Any]:
    asked = {"filters": terms.filters, "before": terms.before, "after": terms.after}
    return {"name": name, **{key: list(values) for key, values in asked.items() if values}}


def _feature_bits(bits: Iterable[int]) -> str:
    """Return feature bits as BOLT 9 writes them: in hexadecimal, bit 0 is the last one."""
    value = sum(1 << bit for bit in set(bits))
    return value.to_bytes((value.bit_length() + 7) // 8).hex()
