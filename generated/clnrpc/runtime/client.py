"""What the generated blocking client stands on.

Its own names begin with `rpc_`, because commands are called `close`, `connect` and `stop`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from .checks import check
from .command import Command
from .exchange import Params, decode_response, decode_result, encode_params
from .transport import UnixTransport


class BaseClient:
    """Calls commands over one connection to a node's Unix socket, `<lightning-dir>/<network>/lightning-rpc`.

    It connects at the first call and again when the node was restarted in between. `timeout` bounds each call, in
    seconds (None: as long as it takes). Threads may share a client; their calls follow one another, and the wait for
    them counts. Calls raise RpcError (the node says no) or a ClientError (there is no answer).
    """

    rpc_package: ClassVar[str]
    """The package whose classes its calls return."""

    def __init__(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        self._rpc_transport = UnixTransport(path, timeout)

    def rpc_call(self, method: str, params: Params = None) -> Any:
        """Calls any command, known to this package or not; returns its result as plain JSON values.

        Parameters go by name or by position.
        """
        return decode_result(method, self._rpc_transport.call(method, encode_params(params)))

    def rpc_send(self, command: Command, params: Mapping[str, Any]) -> Any:
        """Calls `command`; returns the value of its response class.

        `params` goes by wire name; those that are None are not sent. Warnings point at the caller of who calls this.
        """
        check(command, params, stacklevel=3)
        return decode_response(self.rpc_package, command, self._rpc_transport.call(command.name, encode_params(params)))

    def rpc_close(self) -> None:
        """Closes the connection; calls at hand in other threads fail, and a later call opens another."""
        self._rpc_transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.rpc_close()
