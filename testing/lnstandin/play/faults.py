"""What goes wrong on purpose: the argument of the backend, as `--backend play:lose=0.3,delay=50ms,seed=7` has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lnoffers.service.payments.backend import BackendError

MAX_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often this node's messages go astray, and how often it refuses to be paid. The docs' table has `MEANINGS`."""

    lose: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    """Seconds."""
    late: float = 0.0
    """Seconds."""
    fail: float = 0.0
    seed: int | None = None

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Return the faults in `NAME=VALUE,…`; none for an empty text.

        Raises:
            BackendError: if a name is unknown or a value is not valid.
        """
        given: dict[str, float | int] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            if name not in _READERS:
                raise BackendError(f"{part!r} is no fault of play: it has {', '.join(_READERS)}, each with =VALUE")
            try:
                given[name] = _READERS[name](value)
            except ValueError as error:
                raise BackendError(f"{part!r} is not valid: {error}") from None
        return cls(**given)  # type: ignore[arg-type] # each reader returns the type of its field


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:  # also refuses nan; with 1 nothing would ever arrive
        raise ValueError("a share is from 0 up to, not including, 1")
    return share


def _seconds(text: str) -> float:
    number, unit = (text[:-2], 0.001) if text.endswith("ms") else (text.removesuffix("s"), 1.0)
    seconds = float(number) * unit
    if not 0 <= seconds <= MAX_SECONDS or not text.endswith("s"):
        raise ValueError("a time is 50ms or 2s, and at most an hour")
    return seconds


_READERS: Final[Mapping[str, Callable[[str], float | int]]] = {
    "lose": _share,
    "repeat": _share,
    "delay": _seconds,
    "late": _seconds,
    "fail": _share,
    "seed": int,
}
MEANINGS: Final[Mapping[str, str]] = {
    "lose": "the share of this node's messages that are lost: as a payer its payments, as a payee its answers",
    "repeat": "the share of its messages that are sent twice",
    "delay": "each message is sent up to so much later, so that they overtake each other",
    "late": "the second copy of a repeated message is sent so much later",
    "fail": "the share of payments to this node that it refuses",
    "seed": "a number; with the same one the same messages go astray, if they come in the same order",
}
"""What each name in the argument means, for the docs."""
