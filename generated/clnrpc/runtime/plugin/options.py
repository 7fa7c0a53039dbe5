"""The options of a plugin: a dataclass that lightningd fills from its command line, its config file and `setconfig`.

Source: Core Lightning, lightningd/plugin.c (plugin_opt_add, json_add_plugin_options, plugin_set_dynamic_opt).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import (
    Any,
    Final,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from ..values.plain import is_array

T = TypeVar("T")
Deprecated: TypeAlias = bool | Sequence[str]

_KEY: Final = "rpc_option"
_NAMES: Final[Mapping[type, str]] = {str: "string", int: "int", bool: "bool"}
_TRUE: Final = frozenset({"true", "yes"})
_FALSE: Final = frozenset({"false", "no"})
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_is_name: Final = re.compile(r"[0-9a-z_-]+").fullmatch
_is_integer: Final = re.compile(r"[+-]?[0-9]{1,19}").fullmatch


@dataclass(frozen=True, slots=True)
class _Terms:
    description: str
    name: str
    dynamic: bool
    flag: bool
    conceal: bool
    deprecated: Deprecated


def option(
    default: T,
    description: str,
    *,
    name: str = "",
    dynamic: bool = False,
    flag: bool = False,
    conceal: bool = False,
    deprecated: Deprecated = False,
) -> T:
    """Return a field of the dataclass of a plugin's options.

    The field's type is str, int, bool, one of these or None, list[str] or list[int]. A list is an option that may be
    given several times.

    Args:
        default: the value if the option is not given; None if there is none.
        description: the text in `lightningd --help`.
        name: its name, `--NAME`; by default the field's, with `-` for `_`. All of lightningd's options have different
            names, so it should begin with the name of the plugin.
        dynamic: whether `setconfig` changes it while the plugin runs.
        flag: whether it takes no value: given means true. The default must be False.
        conceal: whether `listconfigs` hides its value; for text only.
        deprecated: whether it is deprecated, or the releases in which that begins and ends, such as
            ["v26.06", "v27.03"].
    """
    terms = {_KEY: _Terms(description, name, dynamic, flag, conceal, deprecated)}
    made: Any
    if isinstance(default, list):
        values = cast("list[Any]", default)
        made = field(default_factory=lambda: list(values), metadata=terms)
    else:
        made = field(default=default, metadata=terms)
    return cast("T", made)


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    attribute: str
    """The name of its field."""
    name: str
    kind: type
    """str, int or bool."""
    multi: bool
    terms: _Terms

    def described(self, default: Any) -> dict[str, Any]:
        """Return its entry in the manifest."""
        terms = self.terms
        kind = "flag" if terms.flag else "string-conceal" if terms.conceal else _NAMES[self.kind]
        entry: dict[str, Any] = {"name": self.name, "type": kind, "description": terms.description}
        if default is not None and not self.multi and not terms.flag:
            entry["default"] = default
        entry |= {key: True for key in ("dynamic",) if terms.dynamic} | {key: True for key in ("multi",) if self.multi}
        if terms.deprecated:
            entry["deprecated"] = terms.deprecated
        return entry

    def value(self, given: Any) -> Any:
        """Return a value that lightningd sent, which may be text for any type. Raises ValueError."""
        if not self.multi:
            return self._single(given)
        if not is_array(given):
            raise ValueError(f"{self.name} takes a list, not {given!r}")
        return [self._single(each) for each in given]

    def _single(self, given: Any) -> Any:
        if self.terms.flag and given is None:
            return True
        if self.kind is bool:
            text = str(given).lower()
            if text in _TRUE | _FALSE:
                return text in _TRUE
            raise ValueError(f"{self.name} takes true or false, not {given!r}")
        if self.kind is int:
            if not isinstance(given, bool) and _is_integer(str(given)) and _MIN_INT <= int(given) <= _MAX_INT:
                return int(given)
            raise ValueError(f"{self.name} takes an integer of 64 bits, not {given!r}")
        if isinstance(given, str):
            return given
        raise ValueError(f"{self.name} takes text, not {given!r}")


@dataclass(frozen=True, slots=True)
class OptionTable:
    """The options of a plugin by name, and their defaults: an instance of the plugin's dataclass."""

    options: Mapping[str, Option]
    defaults: Any

    @classmethod
    def of(cls, defaults: object) -> OptionTable:
        """Return the options of a dataclass; None stands for a plugin without options. Raises TypeError."""
        if defaults is None:
            return cls({}, None)
        if not is_dataclass(defaults) or isinstance(defaults, type):
            raise TypeError(f"rpc_options must be an instance of a dataclass, not {defaults!r}")
        types = get_type_hints(type(defaults))
        found = [_option(each, types[each.name], getattr(defaults, each.name)) for each in fields(defaults)]
        return cls({each.name: each for each in found}, defaults)

    def described(self) -> list[dict[str, Any]]:
        """Return the options for the manifest."""
        return [each.described(getattr(self.defaults, each.attribute)) for each in self.options.values()]

    def filled(self, given: Mapping[str, Any]) -> Any:
        """Return the options with the values of `init`. Raises ValueError."""
        known = ((self.options[name], value) for name, value in given.items() if name in self.options)
        values = {found.attribute: found.value(value) for found, value in known}
        return replace(self.defaults, **values)

    def changed(self, current: Any, name: str, given: Any) -> Any:
        """Return `current` with another value of a dynamic option. Raises ValueError."""
        found = self.options.get(name)
        if found is None or not found.terms.dynamic:
            raise ValueError(f"{name} is no dynamic option of this plugin")
        return replace(current, **{found.attribute: found.value(given)})


def _option(declaration: Field[Any], declared: Any, default: Any) -> Option:
    """Return the option of a field. Raises TypeError."""
    attribute, terms = declaration.name, declaration.metadata.get(_KEY)
    if not isinstance(terms, _Terms):
        raise TypeError(f"the option {attribute} has no description: write {attribute} = option(DEFAULT, DESCRIPTION)")
    multi = get_origin(declared) is list
    kind = get_args(declared)[0] if multi else _not_none(declared)
    name = terms.name or attribute.replace("_", "-")
    if kind not in _NAMES or (multi and kind is bool):
        raise TypeError(
            f"the option {attribute} cannot be a {declared}: "
            "there are str, int, bool, these or None, list[str] and list[int]"
        )
    if not _is_name(name):
        raise TypeError(f"the option {attribute} cannot be called {name!r}: use lower-case letters, digits, - and _")
    if (terms.flag and (kind is not bool or default is not False)) or (terms.conceal and kind is not str):
        raise TypeError(f"the option {attribute}: a flag is a bool that is False, and only text is concealed")
    return Option(attribute, name, kind, multi, terms)


def _not_none(declared: Any) -> Any:
    """Return the type T of `T | None`, or `declared` itself."""
    others = [each for each in get_args(declared) if each is not NoneType]
    return others[0] if isinstance(declared, UnionType) and len(others) == 1 else declared
