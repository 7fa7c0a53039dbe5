"""The base of the generated blocking client.

Our own names begin with `rpc_`, because some commands are called `close`, `connect` and `stop`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar

from ..errors import ClientError, RpcError, TransportError
from ..values.decode import decode_plain
from .address import check_socket_arguments, is_url
from .caller import Caller, Settings
from .exchange import Params, decode_response, encode_params
from .refusals import named
from .transports import CONNECTIONS, Limit, Transport
from .unix import UnixTransport
from .version import GETINFO

if TYPE_CHECKING:
    from .hooks import CallHooks, CallRecord

P = ParamSpec("P")
Response = TypeVar("Response")


class BaseClient(Caller):
    """A client for a node, over its Unix socket or its REST interface (clnrest).

    `node` is a lightning directory (`~/.lightning`), the directory of a network, a socket, or the URL of a REST
    interface. A directory is searched at each connection, so the node may start later. With a URL, `rune` authorizes
    the calls: its text, or a Path to a file that contains it. `ca` is the path of a PEM file with the certificate of
    the authority that signed the server's (the node's `ca.pem`), or with the server's own; without it the system's
    authorities apply. `server_name` is the name that the certificate must have, if it is not the URL's host.

    It connects with the first call, and again if the node was restarted. `timeout` limits each call, in seconds (None:
    no limit). Threads may share a client: their calls use up to `connections` connections at the same time, and waiting
    for a free one counts towards the timeout. Calls raise RpcError (the node refused the call) or a ClientError (there
    is no usable response). A forked child process gets its own connections, and so does a pickled client.

    `retries` is how often a command that only reads is repeated after its connection failed, with growing pauses;
    `timeout` covers them. No other command is ever repeated. The hooks in `on_call` observe all calls.

    Before the first call of a command's method, the client asks the node for its version. It gives a VersionWarning if
    its types are those of another release; a node that does not return a version causes none.
    """

    _rpc_transport: Transport

    def __init__(
        self,
        node: str | os.PathLike[str],
        *,
        rune: str | os.PathLike[str] | None = None,
        ca: str | os.PathLike[str] | None = None,
        server_name: str | None = None,
        timeout: float | None = None,
        connections: int = CONNECTIONS,
        retries: int = 0,
        on_call: Sequence[CallHooks] = (),
    ) -> None:
        settings = Settings(timeout, retries=retries, on_call=tuple(on_call))
        super().__init__(settings, has_filters=not is_url(node))
        if is_url(node):
            from .rest import RestTransport
            from .restnode import RestNode

            self._rpc_transport = RestTransport(RestNode.of(node, rune, ca, server_name), connections)
        else:
            check_socket_arguments(rune, ca, server_name)
            self._rpc_transport = UnixTransport(os.path.expanduser(node), connections)

    def rpc_call(self, method: str, params: Params = None) -> Any:
        """Call any command, even one without a method, and return its result as plain JSON values.

        Parameters are passed by name (a mapping) or, over a socket, by position (a sequence).
        """
        return decode_plain(method, self._rpc_exchange(method, encode_params(params), self._rpc_limit()))

    def rpc_send(self, name: str, /, *values: Any) -> Any:
        """Call the command `name`, and return its response class.

        `values` are the values of its parameters, in order, without extensions; None means not sent. Warnings point to
        the line that called the command's method.
        """
        command, params = self._rpc_prepare(name, values)
        limit = self._rpc_limit()
        if command.name != GETINFO:
            self._rpc_ask_version(limit)
        raw = self._rpc_exchange(command.name, params, limit)
        if command.name == GETINFO and self._rpc_settings.filter is None:
            self._rpc_version.learn(raw, stacklevel=3)
        return decode_response(self.rpc_package, command, raw)

    def rpc_pages(
        self, method: Callable[P, Response], *positional: P.args, **parameters: P.kwargs
    ) -> Iterator[Response]:
        """Read a long list in pages: `client.rpc_pages(client.listforwards, limit=100, status="failed")`.

        `method` is a method of this client that has the parameters `index`, `start` and `limit`. A page has at most
        `limit` elements (default: 1000), in the order of their creation; the other parameters filter. Each page is a
        call of its own, so the list may change meanwhile. Empty pages are left out. Raises TypeError for `index` and
        `start`, which the pages choose.
        """
        from .pages import Pages

        pages = Pages(parameters)
        call: Callable[..., Response] = method  # with other arguments than these
        while (is_page := pages.take(page := call(*positional, **pages.arguments()))) is not None:
            if is_page:
                yield page

    def rpc_changes(
        self,
        subsystem: str,
        index: Literal["created", "updated", "deleted"],
        *,
        since: Mapping[str, int] | None = None,
    ) -> Iterator[Any]:
        """Yield the response of `wait` for each change: `for change in client.rpc_changes("invoices", "updated")`.

        `subsystem` and `index` are as for `wait`. Changes count from now on, or after the number of the index in
        `since`. A response may stand for several changes that came between two calls: its number in the field of the
        index's name is that of the last. The client's timeout does not apply. `rpc_close` in another thread ends a call
        that waits, with an error.
        """
        client = self.rpc_with(timeout=None)
        last = (since or {}).get(index)
        if last is None:
            last = getattr(client.rpc_send("wait", subsystem, index, 0), index)
        while True:
            change = client.rpc_send("wait", subsystem, index, last + 1)
            last = getattr(change, index)
            yield change

    def rpc_close(self) -> None:
        """Close the connections. Pending calls of other threads fail; a later call opens a new one."""
        self._rpc_transport.close()

    def _rpc_limit(self) -> Limit:
        """Return when a call that begins now times out."""
        seconds = self._rpc_settings.timeout
        return Limit(seconds, None if seconds is None else monotonic() + seconds)

    def _rpc_exchange(self, method: str, params: bytes, limit: Limit) -> bytes:
        """Call a command with the settings of this client; return the JSON text of its result.

        Raises RpcError, as the class of its code, or a ClientError.
        """
        if not (hooks := self._rpc_settings.on_call):
            return self._rpc_attempt(method, params, limit, None)
        from .hooks import Observed

        with Observed(hooks, method, params) as record:
            raw = self._rpc_attempt(method, params, limit, record)
            record.response_bytes = len(raw)
        return raw

    def _rpc_attempt(self, method: str, params: bytes, limit: Limit, record: CallRecord | None) -> bytes:
        """Call a command, again if that is allowed; return the JSON text of its result."""
        settings = self._rpc_settings
        for attempts in count(1):
            if record is not None:
                record.attempts = attempts
            try:
                return self._rpc_transport.call(method, params, limit, response_filter=settings.filter)
            except RpcError as error:
                raise named(self.rpc_package, error) from None
            except TransportError:
                left = None if limit.end is None else limit.end - monotonic()
                pause = self._rpc_pause(method, attempts, left)
                if pause is None or not self._rpc_transport.pause(pause):
                    raise
        raise AssertionError  # `count` has no end

    def _rpc_ask_version(self, limit: Limit) -> None:
        """Ask once; other threads that call meanwhile do not wait."""
        if self._rpc_version.is_settled or not self._rpc_transport.version_lock.acquire(blocking=False):
            return
        try:
            response = self._rpc_transport.call(GETINFO, b"{}", limit)
        except RpcError:
            self._rpc_version.learn(None, stacklevel=4)
        except ClientError:
            pass  # the call that follows fails for the same reason, and reports it
        else:
            self._rpc_version.learn(response, stacklevel=4)
        finally:
            self._rpc_transport.version_lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.rpc_close()
