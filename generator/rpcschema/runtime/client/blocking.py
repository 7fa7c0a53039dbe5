"""The base of the generated blocking client.

Our own names begin with `rpc_`, because some commands are called `close`, `connect` and `stop`.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

from ..errors import ClientError, RpcError
from ..values.decode import decode_plain
from .caller import Caller
from .exchange import Params, decode_response, encode_params
from .refusals import named
from .transport import UnixTransport
from .version import GETINFO


class BaseClient(Caller):
    """A client for a node's Unix socket, `<lightning-dir>/<network>/lightning-rpc`, over one connection.

    It connects with the first call, and again if the node was restarted. `timeout` limits each call, in seconds (None:
    no limit). Threads may share a client; their calls run one after the other, and waiting for other threads counts
    towards the timeout. Calls raise RpcError (the node refused the call) or a ClientError (there is no usable
    response). A forked child process gets its own connection, and so does a pickled client.

    Before the first call of a command's method, the client asks the node for its version. It gives a VersionWarning if
    its types are those of another release; a node that does not return a version causes none.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        super().__init__()
        self._rpc_transport = UnixTransport(path, timeout)

    def rpc_call(self, method: str, params: Params = None) -> Any:
        """Call any command, even one without a method, and return its result as plain JSON values.

        Parameters are passed by name (a mapping) or by position (a sequence).
        """
        return decode_plain(method, self._rpc_exchange(method, encode_params(params), None))

    def rpc_send(self, name: str, /, *values: Any) -> Any:
        """Call the command `name`, and return its response class.

        `values` are the values of its parameters, in order, without extensions; None means not sent. Warnings point to
        the line that called the command's method.
        """
        command, params = self._rpc_prepare(name, values)
        deadline = self._rpc_transport.deadline()
        if command.name != GETINFO:
            self._rpc_ask_version(deadline)
        raw = self._rpc_exchange(command.name, params, deadline)
        if command.name == GETINFO and self._rpc_filter is None:
            self._rpc_version.learn(raw, stacklevel=3)
        return decode_response(self.rpc_package, command, raw)

    def rpc_close(self) -> None:
        """Close the connection. Pending calls of other threads fail; a later call opens a new one."""
        self._rpc_transport.close()

    def _rpc_exchange(self, method: str, params: bytes, deadline: float | None) -> bytes:
        """Return the result's JSON text. Raises RpcError, as the class of its code, or a ClientError."""
        try:
            return self._rpc_transport.call(method, params, deadline, response_filter=self._rpc_filter)
        except RpcError as error:
            raise named(self.rpc_package, error) from None

    def _rpc_ask_version(self, deadline: float | None) -> None:
        """Ask once; other threads that call meanwhile do not wait."""
        if self._rpc_version.is_settled or not self._rpc_transport.version_lock.acquire(blocking=False):
            return
        try:
            response = self._rpc_transport.call(GETINFO, b"{}", deadline)
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
