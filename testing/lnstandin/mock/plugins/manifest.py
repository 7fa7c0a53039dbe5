"""A plugin's manifest, its answer to `getmanifest`. Source: Core Lightning, lightningd/plugin.c."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lnoffers.service.errors import ServiceError

ALL: Final = "*"
"""A subscription to all notifications."""


class PluginError(ServiceError):
    """A plugin cannot be started, has ended, or does not keep to the protocol."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a plugin; `kind` is string, int, bool or flag."""

    name: str
    kind: str
    default: Any = None
    multi: bool = False
    dynamic: bool = False
    """Whether `setconfig` may change it."""

    def of_text(self, texts: Sequence[str]) -> Any:
        """Return the value that texts of the command line give. Raises PluginError."""
        values = [self._of_text(text) for text in texts]
        return values if self.multi else values[-1]

    def _of_text(self, text: str) -> Any:
        if self.kind in ("bool", "flag") and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if self.kind == "int" and text.removeprefix("-").isdecimal():
            return int(text)
        return self.value(text)

    def value(self, given: Any) -> Any:
        """Return a value for `init`. Raises PluginError if it has another type."""
        kinds = {"int": int, "bool": bool, "flag": bool}
        values = given if self.multi and isinstance(given, list) else [given]
        if not all(isinstance(each, kinds.get(self.kind, str)) for each in values):
            raise PluginError(f"the option {self.name} takes values of the type {self.kind}, not {given!r}")
        return given


@dataclass(frozen=True, slots=True)
class Manifest:
    """The commands, options, subscriptions and hooks of a plugin."""

    commands: Mapping[str, str]
    """Name -> usage."""
    options: tuple[Option, ...]
    subscriptions: frozenset[str]
    hooks: Mapping[str, tuple[Any, ...]]
    """Name -> filters; without any, the hook is called for all events."""
    topics: frozenset[str]
    """Notifications that it sends itself."""
    has_text_ids: bool
    """Whether ids of requests may be texts."""
    can_check: bool
    """Whether it answers `check` for its commands and options."""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Manifest:
        """Parse the result of `getmanifest`. Raises PluginError if the plugin disables itself, or it is malformed."""
        if "disable" in raw:
            raise PluginError(f"it disables itself: {raw['disable']}")
        try:
            return cls(
                commands={each["name"]: each.get("usage") or "" for each in raw.get("rpcmethods", ())},
                options=tuple(_options(raw)),
                subscriptions=frozenset(raw.get("subscriptions", ())),
                hooks=dict(_hook(each) for each in raw.get("hooks", ())),
                topics=frozenset(each["method"] for each in raw.get("notifications", ())),
                has_text_ids=raw.get("nonnumericids", False) is True,
                can_check=raw.get("cancheck", False) is True,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PluginError(f"its manifest is malformed: {type(error).__name__}: {error}") from None

    def settings(self, given: Mapping[str, Any], configured: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return the options for `init`, as lightningd does. Raises PluginError.

        They are those given, else those of the node's command line, if there are any of that name, else their defaults.
        """
        known = {option.name: option for option in self.options}
        if unknown := given.keys() - known.keys():
            raise PluginError(f"it has no option {', '.join(sorted(unknown))}; it has {', '.join(known) or 'none'}")
        values: dict[str, Any] = {}
        for name, option in known.items():
            if name in given:
                values[name] = option.value(given[name])
            elif name in configured:
                values[name] = option.of_text(configured[name])
            elif option.default is not None or option.kind == "flag":
                values[name] = option.default if option.default is not None else False
        return values


def _options(raw: Mapping[str, Any]) -> Iterator[Option]:
    for each in raw.get("options", ()):
        default = each.get("default")
        if isinstance(default, str) and each["type"] == "int":
            default = int(default)
        if isinstance(default, str) and each["type"] in ("bool", "flag"):
            default = default.lower() == "true"
        yield Option(each["name"], each["type"], default, each.get("multi", False), each.get("dynamic", False))


def _hook(raw: Any) -> tuple[str, tuple[Any, ...]]:
    return (raw, ()) if isinstance(raw, str) else (raw["name"], tuple(raw.get("filters", ())))
