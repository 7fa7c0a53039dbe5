"""What a client checks before it sends a request: rules for several parameters, and deprecations.

The rules are those of the document (`oneOfMany`, `pairedWith`, `dependentUpon`) that nodes were seen to enforce. Nodes
ignore the others, so those are only documentation. Each command reports a broken rule in its own words, so a server
made from these documents leaves the rules to its methods.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from ..command import Command
from ..errors import ParameterError


def check_parameters(command: Command, params: Mapping[str, Any], *, stacklevel: int) -> None:
    """Refuse parameters that cannot be given together, and warn about deprecated ones.

    `params` has values by wire name; None means not given. Raises ParameterError. The warnings are DeprecationWarnings;
    `stacklevel` works as in `warnings.warn`, where 1 is the caller of this function.
    """
    given = {name for name, value in params.items() if value is not None}
    if (broken := _broken_rule(command, given)) is not None:
        raise ParameterError(f"{command.name}: {broken}; nothing was sent (rpc_call sends without this check)")
    if command.deprecated is not None:
        _warn(f"{command.name} is deprecated", command.deprecated, stacklevel + 1)
    for parameter in command.parameters:
        if parameter.deprecated is not None and parameter.name in given:
            _warn(f"{command.name}: the parameter {parameter.name} is deprecated", parameter.deprecated, stacklevel + 1)


def _broken_rule(command: Command, given: set[str]) -> str | None:
    for group in command.at_most_one:
        if len(together := [name for name in group if name in given]) > 1:
            return f"at most one of {_listed(group)} can be given, not {_listed(together)}"
    for group in command.all_or_none:
        if (absent := [name for name in group if name not in given]) and len(absent) < len(group):
            return f"{_listed(group)} must be given together or not at all; missing: {_listed(absent)}"
    for name, needed in command.needs:
        if name in given and needed not in given:
            return f"{name} can only be given together with {needed}"
    return None


def _warn(what: str, releases: tuple[str, ...], stacklevel: int) -> None:
    since = f" since {releases[0]}" if releases else ""
    last = f", and {releases[1]} is the last release that supports it" if len(releases) > 1 else ""
    warnings.warn(f"{what}{since}{last}", DeprecationWarning, stacklevel=stacklevel + 1)


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
