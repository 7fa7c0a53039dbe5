"""The base of all families of commands: the node, and transactions whose failures become error responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from clnrpc.commands import COMMANDS
from clnrpc.runtime.errors import GENERIC, INVALID_PARAMS, RpcError
from clnrpc.runtime.server.stubs import is_filled
from clnrpc.service import Service
from lnoffers.service.errors import StoreError
from lnoffers.service.node import Node
from lnoffers.service.options import Options

if TYPE_CHECKING:
    from types import TracebackType

    from clnrpc.runtime.command import Command
    from clnrpc.runtime.server.convert import Converter
    from lnoffers.bolt12.message import Message
    from lnoffers.service.payments.payer import Payer
    from lnoffers.service.peers import Peers
    from lnoffers.service.store import Connection, Transaction


MAX_MADE: Final = 65_535
"""Bytes of a string's records, without its signature. No message has room for more (BOLT 1), so nobody could answer."""


@dataclass(frozen=True, slots=True)
class Served:
    """The parts of a server that commands use."""

    socket: Path
    stop: Callable[[], None]
    peers: Peers
    payer: Payer


class Commands(Service):
    """A family of commands of one node."""

    rpc_converters: ClassVar[dict[str, Mapping[str, Converter]]] = {}
    """Command -> parameter -> converter, for commands that only a subclass outside of this package has."""

    def __init__(self, node: Node, served: Served | None = None) -> None:
        self._node = node
        self._served = served

    @classmethod
    def rpc_available(cls, options: Options) -> Mapping[str, Command]:
        """Return the commands that exist with these options, by name."""
        return {
            name: command
            for name, command in COMMANDS.items()
            if is_filled(cls, command.method) and (options.injectable or name != "dev-inject")
        }

    @property
    def rpc_commands(self) -> Mapping[str, Command]:
        """The commands that exist here, by name."""
        return self.rpc_available(self._node.options)

    @property
    def _peers(self) -> Peers:
        """The peers of the server; RpcError without a server."""
        if self._served is None:
            raise RpcError(GENERIC, "No server is running, so no node is connected: start lnoffers serve")
        return self._served.peers

    @property
    def _payer(self) -> Payer:
        """The payments of the server; RpcError without a server."""
        if self._served is None:
            raise RpcError(GENERIC, "No server is running, so nothing can be paid: start lnoffers serve")
        return self._served.payer

    @staticmethod
    def _check_size(made: Message) -> None:
        """Raise RpcError if a new string is too long to be of use."""
        size = len(made.to_bytes())
        if size > MAX_MADE:
            raise RpcError(INVALID_PARAMS, f"bolt12: would have {size} bytes, and no message has more than {MAX_MADE}")

    def _transaction(self, *, writes: bool = True) -> Answering:
        """Return a transaction of the store whose failure is an error response."""
        return Answering(self._node.store.transaction(writes=writes))


class Answering:
    """A transaction of the store whose failure is an error response."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def __enter__(self) -> Connection:
        try:
            return self._transaction.__enter__()
        except StoreError as error:
            raise RpcError(GENERIC, str(error)) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._transaction.__exit__(kind, error, traceback)
        except StoreError as failure:
            raise RpcError(GENERIC, str(failure)) from failure
        if isinstance(error, StoreError):  # a record that cannot be read
            raise RpcError(GENERIC, str(error)) from error
