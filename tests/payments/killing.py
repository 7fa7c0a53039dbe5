"""A server that is killed at one step of a payment: `python -m tests.payments.killing POINT python -m lnoffers ...`.

The step is one of `POINTS` or `RECOVERING`: before or after a method, the first time that it is called. It works on any
backend.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from lnoffers.service.payments.checking import Checker
from lnoffers.service.payments.payer import Payer
from lnoffers.service.store import payments

POINTS: Final[dict[str, tuple[Any, str, str]]] = {
    "before the invoice is checked": (Checker, "claim", "before"),
    "when the claim is not committed": (Checker, "claim", "after"),
    "when the claim is committed": (Payer, "submit", "before"),
    "before the claim is counted": (Payer, "_tell", "before"),
    "before the backend is told": (Payer, "_ask", "before"),
    "when the backend has answered": (Payer, "_ask", "after"),
    "before the outcome is stored": (Payer, "_complete", "before"),
    "when the outcome is not committed": (payments, "step", "after"),
    "when the outcome is committed": (Payer, "_complete", "after"),
}
"""The steps of a payment, in their order."""
RECOVERING: Final[dict[str, tuple[Any, str, str]]] = {
    "before the claim is taken over": (Payer, "_take_over", "before"),
    "when the take-over is not committed": (Payer, "_take_over", "after"),
    "when the take-over is committed": (Payer, "submit", "before"),
    "before it is begun again": (Payer, "_begin_again", "before"),
    "when beginning again is not committed": (Payer, "_begin_again", "after"),
    "when it is begun again": (Payer, "_tell", "before"),
}
"""The steps of the next server, which finds a claim whose backend was never told."""


def die() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(method: Callable[..., Any], when: str) -> Callable[..., Any]:
    """Return a method that ends the process before or after it runs."""
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def wait(*arguments: Any, **named: Any) -> Any:
            if when == "before":
                die()
            await method(*arguments, **named)
            die()

        return wait

    @wraps(method)
    def run(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            die()
        method(*arguments, **named)
        die()

    return run


def main(point: str, arguments: list[str]) -> int:
    """Run a server that dies at this point."""
    from lnoffers.service.cli import main as serve  # noqa: PLC0415 # after the methods are replaced

    where, name, when = (POINTS | RECOVERING)[point]
    setattr(where, name, deadly(getattr(where, name), when))
    sys.argv = ["lnoffers", *arguments]
    return serve()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[5:]))
