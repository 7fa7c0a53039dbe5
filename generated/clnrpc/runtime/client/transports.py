"""The interface of transports: what carries a client's calls to its node, whether over a socket or HTTPS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    import asyncio
    from threading import Lock

CONNECTIONS: Final = 32
"""The default limit of a client's connections: what lets each thread of a ThreadPoolExecutor have one."""


class Limit(NamedTuple):
    """When a call times out; several calls can share one limit."""

    seconds: float | None
    """The timeout, which error messages name; None for no limit."""
    end: float | None
    """When it ends, in seconds of the transport's clock: the monotonic clock, or that of the event loop."""


UNLIMITED: Final = Limit(None, None)


class Transport(Protocol):
    """Blocking calls. Threads may share a transport."""

    version_lock: Lock
    """Held by a call that first asks for the node's version."""

    def call(
        self, method: str, params: bytes, limit: Limit = UNLIMITED, *, response_filter: bytes | None = None
    ) -> bytes:
        """Call `method` and return the result's JSON text; `params` and `response_filter` are JSON texts.

        Raises RpcError or a ClientError.
        """
        ...

    def pause(self, seconds: float) -> bool:
        """Wait; return False if the client is closed meanwhile."""
        ...

    def close(self) -> None:
        """Close all connections. Pending calls fail with ConnectionLostError; a later call opens a new one."""
        ...


class AsyncTransport(Protocol):
    """Calls of an event loop, which may be concurrent and may be cancelled."""

    @property
    def version_lock(self) -> asyncio.Lock:
        """The lock for a call that must ask the node something before other calls go out."""
        ...

    async def call(
        self, method: str, params: bytes, limit: Limit = UNLIMITED, *, response_filter: bytes | None = None
    ) -> bytes:
        """Call `method` and return the result's JSON text; `params` and `response_filter` are JSON texts.

        Raises RpcError or a ClientError.
        """
        ...

    async def pause(self, seconds: float) -> bool:
        """Wait; return False if the client is closed meanwhile."""
        ...

    async def close(self) -> None:
        """Close all connections. Pending calls fail with ConnectionLostError; a later call opens a new one."""
        ...
