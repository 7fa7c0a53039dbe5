"""What strace saw of a server: whether each request was in the store's log, and that on disk, before its answer."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None or os.geteuid() != 0,
    reason="needs strace, and to be root: the memory of a server that leaves no core dump is closed to all others",
)

_LOG: Final = r"\(\d+<[^>]*lnoffers\.sqlite3-wal>"
_WRITTEN: Final = re.compile("pwrite64" + _LOG)
_SYNCED: Final = re.compile("(fsync|fdatasync)" + _LOG + r"\)\s*= 0$")
_ANSWERED: Final = re.compile(r"(sendto|sendmsg|writev?)\(")
_ANSWER: Final = re.compile(r'invreq_id\\":\\"([0-9a-f]{64})\\".*?bolt12\\":\\"(lnr1[0-9a-z]+)')
_ROW: Final = re.compile("lnr1[0-9a-z]+")


def tracer(trace: Path) -> tuple[str, ...]:
    """The command under which to start a server so that `trace` tells its writes and syncs."""
    calls = "trace=pwrite64,write,fsync,fdatasync,sendto,sendmsg,writev"
    return ("strace", "-f", "-y", "-v", "-s", "4096", "-o", str(trace), "-e", calls)


@dataclass(frozen=True, slots=True)
class Order:
    """What came before what."""

    durable: tuple[str, ...]
    """The ids of the requests, in the order of their answers, that were on disk by then."""
    too_early: tuple[str, ...]
    """Those that were not."""
    syncs: int


def order_of(trace: Path, made: Collection[str]) -> Order:
    """How the answers that tell the ids `made` lie among the writes and syncs of the log.

    What counts is that the log holds the very string that an answer tells: an answer that came before anything was
    written would else pass as one with nothing left to sync.
    """
    syncs = 0
    written, kept = set[str](), set[str]()  # the strings in the log: on their way to the disk, and there
    answered: dict[bool, list[str]] = {True: [], False: []}
    for line in trace.read_text().splitlines():
        call = line.split(maxsplit=1)[1]
        if _WRITTEN.match(call):
            written.update(_ROW.findall(call))
        elif _SYNCED.match(call):
            kept |= written
            written.clear()
            syncs += 1
        elif _ANSWERED.match(call):
            for identity, bolt12 in _ANSWER.findall(call):
                if identity in made:
                    answered[bolt12 in kept].append(identity)
    return Order(tuple(answered[True]), tuple(answered[False]), syncs)
