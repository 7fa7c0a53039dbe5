"""The limit of open files: how many connections it allows, and a warning when it is reached."""

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
"""Files that are not connections: the store, the event loop, the log, and files that are open briefly."""

logger = logging.getLogger(__name__)


def room_for_connections(most: int) -> int:
    """Return how many connections may be open, at most `most`; raise the limit of the process as far as allowed.

    Raises:
        ListenError: if not even one may be open.
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
    """The event loop's exception handler. asyncio reports every failed attempt to accept a connection; this logs the
    failure once a minute.

    (uvloop retries silently.)
    """

    def __init__(self) -> None:
        self._warner = Warner(logger)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
            loop.default_exception_handler(context)
        else:
            self._warner.warn(f"New connections have to wait: {error.strerror}")
