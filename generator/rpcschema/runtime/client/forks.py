"""What a forked child process must not share with its parent: connections, and locks that nobody there can release."""

from __future__ import annotations

import os
from typing import Final, Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """An object that must start again in a child process."""

    def reset_after_fork(self) -> None:
        """Drop what belongs to the parent, without notifying the other side of a connection."""


_forkable: Final[WeakSet[Forkable]] = WeakSet()


def reset_in_children(owner: Forkable) -> None:
    """Call `owner.reset_after_fork` first in every child process that is forked from now on."""
    _forkable.add(owner)


def _reset_all() -> None:
    for owner in tuple(_forkable):
        owner.reset_after_fork()


os.register_at_fork(after_in_child=_reset_all)
