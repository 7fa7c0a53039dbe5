"""What tests of networks ask nodes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, Final

import pytest

from clnrpc import RpcError
from lnstandin.network import NetworkNode
from lnstandin.network.network import CHANNEL_SAT
from tests.service.program import SECONDS

HALF_MSAT: Final = CHANNEL_SAT * 1000 // 2
"""What each side of a channel begins with."""


def bolt11(node: NetworkNode, amount: str = "21sat", label: str = "a label") -> str:
    """Return a new invoice of a node."""
    return node.client.invoice(amount, label, "a sandwich").bolt11


def balance(node: NetworkNode) -> int:
    """Return what a node has, in millisatoshi."""
    return sum(channel.our_amount_msat for channel in node.client.listfunds().channels)


def error(call: Callable[[], Any]) -> RpcError:
    """Return the error with which a call fails."""
    with pytest.raises(RpcError) as raised:
        call()
    return raised.value


class Later(Thread):
    """A call in a thread of its own, with a client of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._result: Any = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._call()
        except RpcError as failure:
            self._result = failure

    def result(self) -> Any:
        """Wait for the call, and return its result, or the error with which it failed."""
        self.join(SECONDS)
        assert not self.is_alive()
        return self._result
