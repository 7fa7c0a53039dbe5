"""The call of a command that is running, which a plugin may inform about its progress."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RunningCall:
    """A call of a plugin's command."""

    identity: str | int | float
    allows_deprecated: bool


running_call: Final[ContextVar[RunningCall | None]] = ContextVar("running_call", default=None)
"""The call that the current task answers; None in a notification or a hook."""
