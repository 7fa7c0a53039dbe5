"""How bad each finding is: the table `[tool.rpcschema.lint]`.

    [tool.rpcschema.lint]
    profile = "own"
    fail_on = "warning"
    missing-example = "off"

`profile` is that of all documents; without it, those that name Core Lightning's meta-schema, and documents of facts,
are "upstream". `fail_on` is the default of `--fail-on`. Every other key is a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args

from rpcschema.findings import Severity
from rpcschema.lint.rules import LEVELS, RULES, LevelName, Profile
from rpcschema.model.nodes import Document
from rpcschema.problems import suggestion
from rpcschema.settings import SettingsError

PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)
OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {"profile": PROFILES, "fail_on": (*LEVELS[1:], "never")}
"""What are no rules, and their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The levels of all rules."""

    chosen: Mapping[str, LevelName] = field(default_factory=dict)
    """Those that the table names, for documents of both profiles."""
    profile: Profile | None = None
    fail_on: str | None = None

    def severity(self, rule: str, document: Document | None) -> Severity | None:
        """Return how bad it is to break a rule in a document, None for a file that is none; None for not at all."""
        level = self.chosen.get(rule) or RULES[rule].level(self._profile_of(document))
        return None if level == "off" else Severity[level.upper()]

    def _profile_of(self, document: Document | None) -> Profile:
        is_theirs = document is not None and (document.is_upstream or document.is_facts)
        return self.profile or ("upstream" if is_theirs else "own")


def levels(table: Mapping[str, Any], where: str) -> Levels:
    """Return the levels that a table gives. Raises SettingsError for a rule or level that does not exist."""
    chosen = {}
    for key, value in table.items():
        allowed = OPTIONS.get(key, LEVELS)
        if key not in OPTIONS and key not in RULES:
            meant = suggestion(key, (*RULES, *OPTIONS)) or "; docs/reference/lint.md lists them"
            raise SettingsError(f"{where}: there is no rule {key!r}{meant}")
        if value not in allowed:
            meant = suggestion(value, allowed) if isinstance(value, str) else ""
            raise SettingsError(f"{where}: {key}: expected {', '.join(allowed)}; found {value!r}{meant}")
        if key in RULES:
            chosen[key] = cast("LevelName", value)
    return Levels(chosen=chosen, profile=table.get("profile"), fail_on=table.get("fail_on"))
