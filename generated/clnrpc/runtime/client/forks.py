"""What a forked child process does not share with its parent: connections, and locks that nobody there will release."""

from __future__ import annotations

import os
from typing import Final, Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What must begin anew in a child process."""

    def begin_anew(self) -> None:
        """Let go of what is the parent's, without a word to the other side of a connection."""


_forkable: Final[WeakSet[Forkable]] = WeakSet()


def begin_anew_in_children(owner: Forkable) -> None:
    """Have `owner.begin_anew` called first of all in each child process that is forked from now on."""
    _forkable.add(owner)


def _begin_anew() -> None:
    for owner in tuple(_forkable):
        owner.begin_anew()


os.register_at_fork(after_in_child=_begin_anew)
