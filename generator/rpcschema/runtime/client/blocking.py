"""What the generated blocking client stands on.

Its own names begin with `rpc_`, because commands are called `close`, `connect` and `stop`.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

from ..errors import ClientError, RpcError
from ..values.decode import decode_plain
from .caller import Caller
from .exchange import Params, decode_response, encode_params
from .transport import UnixTransport
from .version import GETINFO


class BaseClient(Caller):
    """A client of a node's Unix socket, `<lightning-dir>/<network>/lightning-rpc`, over one connection.

    It connects at the first call and again when the node was restarted in between. `timeout` bounds each call, in
    seconds (None: as long as it takes). Threads may share a client; their calls follow one another, and the wait for
    them counts. Calls raise RpcError (the node says no) or a ClientError (there is no answer). A forked child process
    gets a connection of its own, and so does a client that is pickled.

    Before the first call of a command's method it asks the node for its version, and gives a VersionWarning if its
    types are those of another release. A node that does not tell brings no warning.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        super().__init__()
        self._rpc_transport = UnixTransport(path, timeout)

    def rpc_call(self, method: str, params: Params = None) -> Any:
        """Call any command, even one without a method, and return its result as plain JSON values.

        Parameters go by name or by position.
        """
        return decode_plain(method, self._rpc_transport.call(method, encode_params(params), only=self._rpc_filter))

    def rpc_send(self, name: str, /, *values: Any) -> Any:
        """Call the command `name`, and return the value of its response class.

        `values` are those of its parameters, in their order, but for extensions; those that are None are not sent.
        Warnings point at the line that called the command's method.
        """
        command, params = self._rpc_prepare(name, values)
        deadline = self._rpc_transport.deadline()
        if command.name != GETINFO:
            self._rpc_ask_version(deadline)
        raw = self._rpc_transport.call(command.name, params, deadline, only=self._rpc_filter)
        if command.name == GETINFO and self._rpc_filter is None:
            self._rpc_version.learn(raw, stacklevel=3)
        return decode_response(self.rpc_package, command, raw)

    def rpc_close(self) -> None:
        """Close the connection. Pending calls of other threads fail, and a later call opens another."""
        self._rpc_transport.close()

    def _rpc_ask_version(self, deadline: float | None) -> None:
        """Ask once; threads that call meanwhile do not wait for it."""
        if self._rpc_version.is_settled or not self._rpc_transport.asking.acquire(blocking=False):
            return
        try:
            answer = self._rpc_transport.call(GETINFO, b"{}", deadline)
        except RpcError:
            self._rpc_version.learn(None, stacklevel=4)
        except ClientError:
            pass  # the call that follows meets the same trouble, and tells it
        else:
            self._rpc_version.learn(answer, stacklevel=4)
        finally:
            self._rpc_transport.asking.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.rpc_close()
