"""All nodes of a network, and the test's control over them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from clnrpc.errors import PAY_DESTINATION_PERM_FAIL
from lnoffers.service.errors import ServiceError
from lnstandin.network.funds import funding_txid
from lnstandin.network.handles import Balance, NetworkError, NetworkNode, Settings, Waiting

CHANNEL_SAT: Final = 10_000_000
"""The size of a channel; each side begins with half of it."""
MOST_SAT: Final = 21 * 10**14
"""All that there can be."""
MOST_NODES: Final = 17
"""The first one accepts connections of all others from one address, 16 at most."""
MOST_READS: Final = 100
"""How often to look for a moment without a payment."""
Ledgers: TypeAlias = Mapping[str, Mapping[str, Balance]]
"""The balances of all nodes, by node id."""
FIRST_BLOCK: Final = 103
"""The block in the name of the first channel, on a chain that nobody needs."""


class Network:
    """Connected nodes with channels, from `start` to `close`, or during a `with` statement.

    Args:
        count: how many nodes.
        directory: where to keep their files, in folders called 0, 1 and so on; without it, in a temporary folder that
            is removed at the end. Nodes that are there already go on with their funds.
        processes: whether each node runs in a process of its own, which can be killed.
        channels: the pairs of nodes with a channel, by number; by default all pairs. Payments have one hop.
        channel_sat: the size of each channel, in satoshi; each side begins with half of it.
        faults: what goes wrong from the start, as `lnstandin.play.faults` has it: `lose=0.1,delay=50ms`.
        rest: whether each node answers REST, too; it needs the extra `rest`.
    """

    def __init__(  # noqa: PLR0913 - one parameter per choice
        self,
        count: int = 2,
        *,
        directory: Path | None = None,
        processes: bool = False,
        channels: Iterable[tuple[int, int]] | None = None,
        channel_sat: int = CHANNEL_SAT,
        faults: str = "",
        rest: bool = False,
    ) -> None:
        if not 1 <= count <= MOST_NODES:
            raise NetworkError(f"a network has from 1 to {MOST_NODES} nodes, not {count}")
        if not 1 <= channel_sat <= MOST_SAT:
            raise NetworkError(f"a channel has from 1 to {MOST_SAT} sat, not {channel_sat}")
        pairs = list(combinations(range(count), 2) if channels is None else channels)
        for pair in pairs:
            if len({*pair}) != len(pair) or not {*pair} <= {*range(count)}:
                raise NetworkError(f"channels: {pair} is not a pair of different nodes, numbered from 0 to {count - 1}")
        self._is_temporary = directory is None
        self.directory: Final = Path(tempfile.mkdtemp(prefix="lnstandin-")) if directory is None else directory
        self._ends: list[Callable[[], None]] = []
        self._channels = pairs
        self._channel_msat = 1000 * channel_sat
        self.nodes: Final[Sequence[NetworkNode]] = [
            self._node(Settings(self.directory / str(number), number, faults, 0 if rest else None), processes=processes)
            for number in range(count)
        ]

    def start(self) -> Self:
        """Start all nodes, and open the channels that are missing.

        Raises:
            ServiceError: if a node cannot run.
        """
        try:
            _wait_for([node.begin() for node in self.nodes])
            self._connect()
            self._open_channels()
        except BaseException:
            with suppress(ServiceError):
                self.close()
            raise
        return self

    def close(self) -> None:
        """Stop all nodes, and remove their files if they are in a temporary folder."""
        try:
            _wait_for([node.stop for node in self.nodes])
        finally:
            while self._ends:
                self._ends.pop()()
            if self._is_temporary:
                shutil.rmtree(self.directory, ignore_errors=True)

    def interrupt(self) -> None:
        """Make a start that is under way fail at once, if nodes run in processes. A signal handler may call this."""
        for node in self.nodes:
            node.interrupt()

    def advance(self, seconds: int) -> None:
        """Set the clocks of all nodes forward."""
        if seconds < 0:
            raise NetworkError("clocks are set forward only")
        for node in self.nodes:
            node.advance(seconds)

    def fail_next(self, code: int = PAY_DESTINATION_PERM_FAIL, *, count: int = 1) -> None:
        """Let the next payments that each node makes fail with an error code of `pay`."""
        for node in self._running:
            node.fail_next(code, count=count)

    def delay(self, seconds: float) -> None:
        """Send each message about a payment up to so much later."""
        for node in self._running:
            node.delay(seconds)

    def lose(self, share: float) -> None:
        """Lose a share of the messages about payments, from 0 up to, not including, 1: they are sent again."""
        for node in self._running:
            node.lose(share)

    def total_msat(self) -> int:
        """Return what all nodes have together, with what is in flight. It is the same at all times.

        Raises:
            NetworkError: if the ledgers of two nodes contradict each other, or payments never pause.
        """
        for _ in range(MOST_READS):
            ledgers = self._ledgers()
            if ledgers == self._ledgers():  # else some were read before a payment, and others after it
                return _total(ledgers)
        raise NetworkError("the nodes pay all the time, so their ledgers cannot be read at one moment")

    def _ledgers(self) -> Ledgers:
        return {node.id: node.balances() for node in self.nodes}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _running(self) -> Sequence[NetworkNode]:
        return [node for node in self.nodes if node.is_running]

    def _node(self, settings: Settings, *, processes: bool) -> NetworkNode:
        if processes:
            from lnstandin.network.processes import ProcessHost  # noqa: PLC0415 # 0085: seldom needed

            return NetworkNode(settings, ProcessHost(), self._introduce)
        from lnstandin.network.threads import Loop, ThreadHost  # noqa: PLC0415 # 0085: slow, and not for processes

        if not self._ends:
            self._loop = Loop()
            self._ends.append(self._loop.close)
        return NetworkNode(settings, ThreadHost(self._loop), self._introduce)

    def _connect(self) -> None:
        """Connect all nodes with each other."""
        addresses = [node.address for node in self.nodes]
        _wait_for([node.call("connect", addresses=addresses[:place]) for place, node in enumerate(self.nodes)])

    def _introduce(self, newcomer: NetworkNode) -> None:
        """Connect a node that has just started to all others."""
        others = [node for node in self._running if node is not newcomer]
        newcomer.control("connect", addresses=[node.address for node in others])
        for node in others:
            node.control("hurry")

    def _open_channels(self) -> None:
        """Open the channels that are missing; each of the two nodes stores its own side."""
        opened: dict[NetworkNode, list[Mapping[str, Any]]] = {node: [] for node in self.nodes}
        known = {node: node.balances() for node in self.nodes}
        half = self._channel_msat // 2
        for number, pair in enumerate(self._channels):
            sides = [self.nodes[place] for place in pair]
            for side, other in (sides, reversed(sides)):
                channel = {
                    "peer": other.id,
                    "short_channel_id": f"{FIRST_BLOCK + number}x1x0",
                    "funding_txid": funding_txid(*(bytes.fromhex(each.id) for each in sides)),
                    "capacity_msat": 2 * half,
                    "our_msat": half,
                    "is_opener": side is sides[0],
                }
                if other.id not in known[side]:
                    opened[side].append(channel)
        _wait_for([node.call("open_channels", channels=channels) for node, channels in opened.items() if channels])


def _total(ledgers: Ledgers) -> int:
    """Return what is in all ledgers and in flight: what has left a payer, and no payee has taken."""
    total = 0
    for node_id, balances in ledgers.items():
        for peer, (our_msat, sent, _) in balances.items():
            _, _, taken = ledgers[peer][node_id]
            if any(sent.get(payment_hash) != amount for payment_hash, amount in taken.items()):
                raise NetworkError(f"{peer} has taken what {node_id} has not paid")
            total += our_msat + sum(amount for payment_hash, amount in sent.items() if payment_hash not in taken)
    return total


def _wait_for(results: Iterable[Waiting]) -> None:
    """Wait for all results, so that no node is left half-started or running, and then raise the first error."""
    errors: list[Exception] = []
    for wait in results:
        try:
            wait()
        except (ServiceError, OSError) as error:
            errors.append(error)
    if errors:
        raise errors[0]
