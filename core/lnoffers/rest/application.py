"""The ASGI application: it checks the rune of a request, makes the call, and sends its result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, MutableMapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from clnrpc.runtime.errors import METHOD_NOT_FOUND, RpcError
from lnoffers.rest.request import MAX_BODY_BYTES, Head, RefusedError, read_head, read_parameters, too_long

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Coroutine[None, None, None]]

NOT_PERMITTED: Final = 1502
SEND_SECONDS: Final = 60.0
"""How long the client may take to read a piece of the answer."""
LONG_BYTES: Final = 1 << 14
"""The longest body that takes only milliseconds to parse, here and in the node."""
_LEFT: Final = "the client has left"

logger = logging.getLogger(__name__)


class Dispatch(Protocol):
    """Calls a command: this is all that the application knows of a node.

    `params` is the text of a JSON object. The result is the text of the command's result, whole or, if it is long, in
    pieces. A call whose client leaves is cancelled, and its pieces are closed.

    Raises:
        RpcError: if the command fails, or is unknown (METHOD_NOT_FOUND).
        ConnectionError: if the node cannot answer. If the pieces raise it, the answer is cut off, and the client can
            tell.
    """

    async def __call__(self, method: str, params: bytes, /) -> bytes | AsyncGenerator[bytes, None]: ...


def application(dispatch: Dispatch, check: Dispatch | None = None) -> App:
    """Return the ASGI application that calls commands through `dispatch`, each after `checkrune` has permitted it.

    `checkrune` goes through `check`, if that is given. Anybody can send a long body, so they are handled one at a time
    until their runes are checked.
    """
    long_bodies = asyncio.Lock()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", scope["type"]
        exchange = _Exchange(dispatch, check or dispatch, long_bodies, receive, send)
        try:
            await exchange.answer(scope)
        except Exception:  # a bug in one call must not show its traceback to anybody but the log
            logger.exception("A REST call ended in a bug")
            if not exchange.has_begun:
                await exchange.refuse(RefusedError(500, "Internal error", -1))

    return app


class _EndedError(Exception):
    """The exchange has ended without a complete answer. The server closes the connection."""


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, dispatch: Dispatch, check: Dispatch, long_bodies: asyncio.Lock, receive: Receive, send: Send
    ) -> None:
        self.has_begun = False
        """Whether a part of the answer is sent."""
        self._dispatch = dispatch
        self._check = check
        self._long_bodies = long_bodies
        self._receive = receive
        self._send = send

    async def answer(self, scope: Scope) -> None:
        """Read the request, make the call, and send the answer."""
        try:
            head = read_head(scope["method"], scope["path"], scope["headers"])
            logger.debug("REST: %s", head.method)
            body = await self._body()
            await self._unless_client_leaves(self._call(head, body))
        except RefusedError as refused:
            await self.refuse(refused)
        except _EndedError as ended:
            logger.debug("A REST call is not answered: %s", ended)

    async def refuse(self, refused: RefusedError) -> None:
        """Send an error as the answer."""
        await self._respond(refused.status, refused.body(), refused.headers)

    async def _call(self, head: Head, body: bytes) -> None:
        params = await self._permitted(head, body)
        try:
            result = await self._dispatch(head.method, params)
        except RpcError as error:
            raise _refusal(404 if error.code == METHOD_NOT_FOUND else 500, error) from None
        except ConnectionError as error:
            raise RefusedError(500, f"The node does not answer: {error}") from None
        if isinstance(result, bytes):
            await self._respond(head.status, result)
        else:
            await self._stream(head.status, result)

    async def _permitted(self, head: Head, body: bytes) -> bytes:
        """Return the parameters of a call that the rune permits.

        Raises:
            RefusedError: if the body is malformed, or the rune does not permit the call.
        """
        if len(body) <= LONG_BYTES:
            params = read_parameters(body, is_form=head.is_form)
            await self._check_rune(head, params)
        else:
            async with self._long_bodies:
                params = await asyncio.to_thread(read_parameters, body, is_form=head.is_form)
                await self._check_rune(head, params)
        return params

    async def _check_rune(self, head: Head, params: bytes) -> None:
        """Have the node check that the rune permits the call.

        Raises:
            RefusedError: if it does not.
        """
        rune, method = msgspec.json.encode(head.rune), msgspec.json.encode(head.method)
        try:
            checked = await self._check("checkrune", b'{"rune":%b,"method":%b,"params":%b}' % (rune, method, params))
        except RpcError as error:
            raise _refusal(401, error) from None
        except ConnectionError as error:
            raise RefusedError(500, f"The node does not answer: {error}") from None
        assert isinstance(checked, bytes)
        if msgspec.json.decode(checked).get("valid") is not True:
            raise RefusedError(401, "Rune is not valid", NOT_PERMITTED)

    async def _body(self) -> bytes:
        body = bytearray()
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise _EndedError(_LEFT)
            body += event.get("body", b"")
            if len(body) > MAX_BODY_BYTES:
                raise too_long()
            if not event.get("more_body", False):
                return bytes(body)

    async def _respond(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        await self._begin(status, [(b"content-length", b"%d" % len(body)), *headers])
        await self._send_piece(body, more=False)

    async def _stream(self, status: int, pieces: AsyncGenerator[bytes, None]) -> None:
        await self._begin(status, [])
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    await self._send_piece(piece, more=True)
        except (RpcError, ConnectionError) as error:
            raise _EndedError(f"it was cut off: {error}") from None
        await self._send_piece(b"", more=False)

    async def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.has_begun = True
        headers = [(b"content-type", b"application/json"), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _send_piece(self, piece: bytes, *, more: bool) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._send({"type": "http.response.body", "body": piece, "more_body": more})
        except TimeoutError:
            raise _EndedError(f"the client has not read it within {SEND_SECONDS:g} seconds") from None

    async def _unless_client_leaves(self, work: Coroutine[None, None, None]) -> None:
        """Run `work`, and cancel it if the client leaves.

        Raises:
            _EndedError: in that case.
        """
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self._until_client_leaves())
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise _EndedError(_LEFT)
            working.result()
        finally:
            working.cancel()
            leaving.cancel()
            await asyncio.wait({working, leaving})

    async def _until_client_leaves(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _refusal(status: int, error: RpcError) -> RefusedError:
    return RefusedError(status, error.message, error.code, error.data)
