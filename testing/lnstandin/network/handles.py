"""One node of a network, as a test sees it."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from clnrpc import Client
from clnrpc.errors import (
    PAY_DESTINATION_INSUFFICIENT_CAPACITY,
    PAY_DESTINATION_PERM_FAIL,
    PAY_IN_PROGRESS,
    PAY_INSUFFICIENT_FUNDS,
    PAY_INVOICE_EXPIRED,
    PAY_ROUTE_NOT_FOUND,
    PAY_ROUTE_TOO_EXPENSIVE,
)
from lnoffers.service.errors import ServiceError
from lnstandin.network.recording import CALLS, recorded_calls
from lnstandin.play.ledger import NAME

REASON: Final = "the test wants it so"
NOT_TRIED: Final = frozenset(
    {
        PAY_ROUTE_NOT_FOUND,
        PAY_ROUTE_TOO_EXPENSIVE,
        PAY_INVOICE_EXPIRED,
        PAY_INSUFFICIENT_FUNDS,
        PAY_DESTINATION_INSUFFICIENT_CAPACITY,
    }
)
"""The codes of payments that have never left, so that no list shows them."""
PAYMENT_CODES: Final = range(PAY_IN_PROGRESS, PAY_DESTINATION_INSUFFICIENT_CAPACITY + 1)
"""The codes with which payments fail."""


class NetworkError(ServiceError):
    """The network, or one of its nodes, cannot do what was asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a node is started with."""

    directory: Path
    """The value of `--lightning-dir` for other programs."""
    number: int
    """Its place in the network, from 0; its secret follows from that."""
    faults: str = ""
    """What goes wrong, as `lnstandin.play.faults` has it."""
    rest_port: int | None = None
    """The TCP port of REST; 0 for any, None for no REST."""
    clock_seconds: int = 0
    """By how many seconds its clock is ahead."""


class Balance(NamedTuple):
    """What a node has in the channel with a peer."""

    our_msat: int
    """What it can send, in millisatoshi."""
    sent: Mapping[bytes, int]
    """What it has paid or may still pay, by payment hash."""
    taken: Mapping[bytes, int]
    """What it was paid, by payment hash."""


Waiting: TypeAlias = Callable[[], Any]
"""Waits for a result, and returns it, once. So several nodes can be at work at the same time."""


class Host(ABC):
    """Where a node runs."""

    @abstractmethod
    def start(self, settings: Settings) -> Waiting:
        """Start a node; the result is there when it serves. Waiting raises ServiceError if it cannot run."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the node as a signal does; what has arrived is answered."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the node at once. Raises NetworkError if it has no process of its own."""

    @abstractmethod
    def interrupt(self) -> None:
        """Kill the node if it has a process of its own, so that calls that wait for it fail; for signal handlers."""

    @abstractmethod
    def call(self, method: str, arguments: Mapping[str, Any]) -> Waiting:
        """Call a method of `lnstandin.network.node.RunningNode`. Waiting raises ServiceError if it fails."""


class NetworkNode:
    """A node of a network. Its files, its id and its funds stay when it is started again."""

    def __init__(self, settings: Settings, host: Host, introduce: Callable[[NetworkNode], None]) -> None:
        self._settings = settings
        self.directory: Final = settings.directory
        """The value of `--lightning-dir` for other programs."""
        self.is_running = False
        self.id = ""
        """The node id, in hex."""
        self.address = ""
        """ID@HOST:PORT, which changes when the node is started again."""
        self.rest = ""
        """The URL of REST, https://HOST:PORT, which stays the same; empty without it."""
        self._host = host
        self._introduce = introduce
        self._client: Client | None = None

    @property
    def socket(self) -> Path:
        """The path of the JSON-RPC socket."""
        return self.directory / "regtest" / "lightning-rpc"

    @property
    def ledger(self) -> Path:
        """The SQLite file of its payments and balances."""
        return self.directory / "regtest" / NAME

    @property
    def certificate(self) -> Path:
        """The file of the certificate authority of REST, in PEM, for clients that verify it."""
        return self.directory / "regtest" / "ca.pem"

    @cached_property
    def rune(self) -> str:
        """A rune that permits everything, also after a restart."""
        return self.client.createrune().rune

    @property
    def client(self) -> Client:
        """A client with typed methods for all commands."""
        if self._client is None:
            self._client = Client(self.socket)
        return self._client

    def start(self) -> None:
        """Start the node, and connect it to all others that run. Raises ServiceError if it cannot run."""
        self.begin()()
        self._introduce(self)

    def begin(self) -> Waiting:
        """Start the node without connecting it; the result is there when it serves."""
        if self.is_running:
            raise NetworkError("this node runs already")
        started = self._host.start(self._settings)

        def wait() -> None:
            started()
            self.is_running = True
            about = self.control("about")
            self.id, self.address, self.rest = about["id"], about["address"], about["rest"]
            if self.rest:
                self._settings = replace(self._settings, rest_port=int(self.rest.rpartition(":")[2]))

        return wait

    def stop(self) -> None:
        """Stop the node; what has arrived is answered first.

        Raises:
            NetworkError: if it does not end by itself; a node in a process of its own was killed then.
        """
        try:
            self._end(self._host.stop)
        finally:
            self.is_running = False

    def kill(self) -> None:
        """Kill the node's process, as a crash would. Raises NetworkError if it has none of its own."""
        self._end(self._host.kill)

    def interrupt(self) -> None:
        """Make whatever waits for this node fail, if it has a process of its own. A signal handler may call this."""
        self._host.interrupt()

    def restart(self) -> None:
        """Stop the node if it runs, and start it again. Faults and failures that were asked for are forgotten."""
        if self.is_running:
            self.stop()
        self.start()

    def fail_next(self, code: int = PAY_DESTINATION_PERM_FAIL, *, count: int = 1, reason: str = REASON) -> None:
        """Let the next payments that this node makes fail with an error code of `pay`, such as 203, 205, 206 or 210.

        Raises:
            NetworkError: if no payment fails with this code.
        """
        if code not in PAYMENT_CODES:
            first, last = PAYMENT_CODES[0], PAYMENT_CODES[-1]
            raise NetworkError(f"no payment fails with the code {code}: choose one from {first} to {last}")
        self.control("fail_next", count=count, code=code, reason=reason, leaves=code not in NOT_TRIED)

    def calls(self) -> Sequence[str]:
        """Return the latest calls of this node and their answers, a line each, also if it does not run any more."""
        return recorded_calls(self.directory / "regtest" / CALLS)

    def advance(self, seconds: int) -> None:
        """Set the node's clock forward, also for when it is started again."""
        self._settings = replace(self._settings, clock_seconds=self._settings.clock_seconds + seconds)
        if self.is_running:
            self.control("advance", seconds=seconds)

    def hold(self) -> None:
        """Let payments to this node stay pending until `release`."""
        self.control("hold")

    def release(self) -> None:
        """Take the payments that were held, and new ones at once."""
        self.control("release")

    def delay(self, seconds: float) -> None:
        """Send each message about a payment up to so much later."""
        self.control("disturb", faults={"delay": seconds})

    def lose(self, share: float) -> None:
        """Lose a share of the messages about payments, from 0 up to, not including, 1: they are sent again."""
        if not 0 <= share < 1:
            raise NetworkError("a share is from 0 up to, not including, 1: with 1 nothing would ever arrive")
        self.control("disturb", faults={"lose": share})

    def control(self, method: str, **arguments: Any) -> Any:
        """Call a method of `lnstandin.network.node.RunningNode`. Raises ServiceError if it fails."""
        return self.call(method, **arguments)()

    def call(self, method: str, **arguments: Any) -> Waiting:
        """Begin such a call."""
        if not self.is_running:
            raise NetworkError("this node does not run: call start")
        return self._host.call(method, arguments)

    def balances(self) -> Mapping[str, Balance]:
        """Return what the ledger has, by the id of each peer with a channel; also of a node that does not run."""
        with closing(sqlite3.connect(self.ledger)) as connection:
            connection.execute("BEGIN")  # all that follows is of one moment
            channels = connection.execute("SELECT peer, our_msat FROM channels").fetchall()
            sent = "SELECT payment_hash, amount_msat FROM sent WHERE payee = ? AND state <> 'failed'"
            taken = "SELECT payment_hash, amount_msat FROM received WHERE payer = ? AND state = 'paid'"
            return {
                peer.hex(): Balance(
                    our_msat,
                    dict(connection.execute(sent, (peer,)).fetchall()),
                    dict(connection.execute(taken, (peer,)).fetchall()),
                )
                for peer, our_msat in channels
            }

    def _end(self, end: Callable[[], None]) -> None:
        if self._client is not None:
            self._client.rpc_close()
            self._client = None
        end()  # also a node that is still starting
        self.is_running = False
