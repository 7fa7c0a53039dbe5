"""What strace saw of a server: whether the store's log was on disk before each answer was written."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOG: Final = r"\(\d+<[^>]*lnoffers\.sqlite3-wal>"
_WRITTEN: Final = re.compile("pwrite64" + _LOG)
_SYNCED: Final = re.compile("(fsync|fdatasync)" + _LOG + r"\)\s*= 0$")
_ANSWERED: Final = re.compile(r"(sendto|sendmsg|write)\(")
_ID: Final = re.compile(r'invreq_id\\":\\"([0-9a-f]{64})')


def tracer(trace: Path) -> tuple[str, ...]:
    """The command under which to start a server so that `trace` tells its writes and syncs."""
    calls = "trace=pwrite64,write,fsync,fdatasync,sendto,sendmsg"
    return ("strace", "-f", "-y", "-s", "4096", "-o", str(trace), "-e", calls)


@dataclass(frozen=True, slots=True)
class Order:
    """What came before what."""

    durable: tuple[str, ...]
    """The ids of the requests, in the order of their answers, that were on disk by then."""
    too_early: tuple[str, ...]
    """Those that were not."""
    syncs: int


def order_of(trace: Path, made: Collection[str]) -> Order:
    """How the answers that tell the ids `made` lie among the writes and syncs of the log."""
    unsynced, syncs = False, 0
    answered: dict[bool, list[str]] = {True: [], False: []}
    for line in trace.read_text().splitlines():
        call = line.split(maxsplit=1)[1]
        if _WRITTEN.match(call):
            unsynced = True
        elif _SYNCED.match(call):
            unsynced = False
            syncs += 1
        elif _ANSWERED.match(call):
            answered[unsynced] += [identity for identity in _ID.findall(call) if identity in made]
    return Order(tuple(answered[False]), tuple(answered[True]), syncs)
