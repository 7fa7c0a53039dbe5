"""How many connections the operating system lets this process have open, and what to say when there are no more."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
from typing import Any, Final

from lnoffers.service.errors import ListenError
from lnoffers.service.warner import Warner

WANTED: Final = 1024
RESERVED: Final = 32
"""For the store, the event loop, the log and what is being opened."""

logger = logging.getLogger(__name__)


def room_for_connections(most: int) -> int:
    """Return how many connections may be open, `most` at most; raise the process's own limit as far as allowed.

    Raises:
        ListenError: if there is no room for any.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < WANTED:
        soft = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return most
    if soft <= RESERVED:
        raise ListenError(f"only {soft} files may be open (ulimit -n): a server needs more than {RESERVED}")
    return min(most, soft - RESERVED)


class ExhaustionReporter:
    """The event loop's exception handler: a loop that can accept nobody says so for each try, this once a minute.

    (uvloop tries again and says nothing.)
    """

    def __init__(self) -> None:
        self._warner = Warner(logger)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
            loop.default_exception_handler(context)
        else:
            self._warner.warn(f"New connections have to wait: {error.strerror}")
