"""The REST interface of a server: `lnoffers.rest` over the server's own calls."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from lnoffers.net.address import place_text
from lnoffers.service.errors import ListenError
from lnoffers.service.options import Options
from lnoffers.service.serving.connection import ConnectionHandler
from lnoffers.service.serving.inprocess import InProcessCalls

if TYPE_CHECKING:
    from pathlib import Path

    from lnoffers.rest.application import Dispatch
    from lnoffers.rest.listening import Listener

MISSING: Final = "--rest needs packages that are not installed: pip install 'clnrpc[rest]'"

logger = logging.getLogger(__name__)


@asynccontextmanager
async def listening(options: Options, server: ConnectionHandler, connections: int) -> AsyncIterator[Listener | None]:
    """Serve REST while the block runs, if the options ask for it, with at most so many connections.

    The block calls `Listener.close` when the server stops, and ends when the last call is answered.

    Raises:
        ListenError: if packages are missing, or the address or the certificates cannot be used.
    """
    if options.rest is None:
        yield None
        return
    folder = None if options.rest_http else options.network_dir
    async with opened(InProcessCalls(server), *options.rest, folder, connections) as listener:
        yield listener


@asynccontextmanager
async def opened(  # noqa: PLR0913 - one parameter per choice
    dispatch: Dispatch,
    host: str,
    port: int,
    certificates: Path | None,
    connections: int,
    *,
    check: Dispatch | None = None,
) -> AsyncIterator[Listener]:
    """Serve the calls of `dispatch` while the block runs, with the certificates in a folder, or without TLS.

    Runes are checked through `check`, by default as one more call.

    Raises:
        ListenError: if packages are missing, or the address or the certificates cannot be used.
    """
    try:
        from lnoffers.rest.application import application  # noqa: PLC0415 # 0085: optional
        from lnoffers.rest.certificates import CertificateError, server_context  # noqa: PLC0415 # 0085: optional
        from lnoffers.rest.listening import Limits, NotLoopbackError, serving  # noqa: PLC0415 # 0085: optional
    except ModuleNotFoundError as error:
        raise ListenError(MISSING) from error
    async with AsyncExitStack() as stack:
        try:
            tls = None if certificates is None else server_context(certificates, host)
            app, limits = application(dispatch, check), Limits(connections=connections)
            listener = await stack.enter_async_context(serving(app, host, port, tls, limits))
        except (CertificateError, NotLoopbackError) as error:
            raise ListenError(f"--rest: {error}") from error
        except OSError as error:
            raise ListenError(f"cannot listen at {place_text(host, port)} for REST: {error.strerror}") from error
        logger.info("REST listens at %s://%s", "http" if tls is None else "https", place_text(*listener.address))
        yield listener
