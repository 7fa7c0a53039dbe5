"""A call worked in this process, on the node's own store, while no server is running."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from clnrpc.runtime.client.exchange import ResponseReader, encode_request
from lnoffers.service.commands import OffersService
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.system import forbid_core_dumps

if TYPE_CHECKING:
    from clnrpc.runtime.server.dispatch import Answer


def call_in_process(method: str, params: bytes, only: bytes | None, options: Options) -> bytes:
    """Return the result (JSON) of a call; `params` and `only`, the filter, are JSON too.

    Raises:
        RpcError: if the answer is an error.
        ServiceError: if the node cannot be opened.
    """
    logging.basicConfig(level=logging.INFO, format="lnoffers: %(message)s")
    message = encode_request("lnoffers", method, params, only)
    forbid_core_dumps()
    with Node.open(options) as node:
        answer = dispatcher(OffersService(node), developer=options.developer).answer(message)
        if isinstance(answer, Awaitable):
            answer = _wait_for(answer)
        whole = answer.data + b"".join(answer.rest or ())
    [response] = ResponseReader().feed(whole)
    return response.result(method)


def _wait_for(pending: Awaitable[Answer]) -> Answer:
    """Return the answer of a command that waits until another process changes the store."""
    import asyncio  # noqa: PLC0415 # 0085: slow

    async def wait() -> Answer:
        return await pending

    return asyncio.run(wait())
