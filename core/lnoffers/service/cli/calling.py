"""`lnoffers call`: one call, through the running server or, with none running, in this process on the same store."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from clnrpc.runtime.errors import ClientError, RpcError
from lnoffers.service.cli.arguments import json_value, params_text, quoted
from lnoffers.service.cli.output import print_json, require_output
from lnoffers.service.errors import OptionsError, ServiceError
from lnoffers.service.options import Options
from lnoffers.service.serving.listening import is_served

if TYPE_CHECKING:
    from clnrpc.runtime.server.dispatch import Answer


def make_call(
    method: str, arguments: Sequence[str], *, keywords: bool | None, only: str | None, options: Options
) -> int:
    """Make the call and print its result, or its error object; the exit code: 0, or 1 for an error.

    `only` is the filter of the request (JSON).

    Raises:
        ServiceError: if it cannot be made, or the server gives no usable answer.
    """
    require_output()
    quoted(method)  # refuses what is not text, whichever way the call goes
    params = params_text(arguments, keywords=keywords)
    shown = None if only is None else json_value(only)
    make = _remote if is_served(options.socket) else _local
    try:
        result = make(method, params, shown, options)
    except RpcError as error:
        print_json(msgspec.json.encode(error.as_json()))
        return 1
    print_json(result)
    return 0


def _remote(method: str, params: bytes, only: bytes | None, options: Options) -> bytes:
    given = [
        flag
        for flag, value in {
            "--db": options.db,
            "--developer": options.developer or None,
            "--dev-entropy": options.dev_entropy,
            "--dev-time": options.dev_time,
            "--currency-rates": options.currency_rates,
            "--payment-fronting-node": options.payment_fronting_nodes or None,
        }.items()
        if value is not None
    ]
    if given:
        raise OptionsError(f"{' and '.join(given)} cannot be given here: a server is running at {options.socket}")
    from clnrpc.runtime.client.transport import UnixTransport  # noqa: PLC0415 # each way is loaded only where it is gone

    try:
        with closing(UnixTransport(options.socket)) as transport:
            return transport.call(method, params, response_filter=only)
    except ClientError as error:
        raise ServiceError(str(error)) from error


def _local(method: str, params: bytes, only: bytes | None, options: Options) -> bytes:
    import logging  # noqa: PLC0415

    from clnrpc.runtime.client.exchange import encode_request  # noqa: PLC0415
    from clnrpc.runtime.jsontext import members  # noqa: PLC0415
    from lnoffers.service.commands import OffersService  # noqa: PLC0415
    from lnoffers.service.coredumps import forbid_core_dumps  # noqa: PLC0415
    from lnoffers.service.dispatching import dispatcher  # noqa: PLC0415
    from lnoffers.service.node import Node  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="lnoffers: %(message)s")
    message = encode_request("lnoffers", method, params, only)
    forbid_core_dumps()
    with Node.open(options) as node:
        found = dispatcher(OffersService(node), developer=options.developer).answer(message)
        if isinstance(found, Awaitable):
            found = _waited_for(found)
        whole = found.data + b"".join(found.rest or ())
    reply = dict(members(whole))
    if b"error" in reply:
        raise RpcError(**msgspec.json.decode(reply[b"error"]))
    return reply[b"result"]


def _waited_for(answer: Awaitable[Answer]) -> Answer:
    """The answer of a command that waits for something that another process does to the store."""
    import asyncio  # noqa: PLC0415 # it takes longer to load than most calls take

    async def wait() -> Answer:
        return await answer

    return asyncio.run(wait())
