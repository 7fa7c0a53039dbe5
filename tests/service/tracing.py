"""Read the output of strace: whether each request was in the store's log, and synced, before its answer; and whether
new files and directories were synced before the program reported them.
"""

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
_SYNCS: Final = re.compile("(fsync|fdatasync)" + _LOG)
_DONE: Final = re.compile(r"sync(?:\(\d+<[^>]*>| resumed>)\)\s*= 0$")
"""A call that another thread's interrupts stands on two lines: its start, and that it goes on."""
_ANSWERED: Final = re.compile(r"(sendto|sendmsg|writev?)\(")
_ANSWER: Final = re.compile(r'invreq_id\\":\\"([0-9a-f]{64})\\".*?bolt12\\":\\"(lnr1[0-9a-z]+)')
_ROW: Final = re.compile("lnr1[0-9a-z]+")

_FILE_SYNCED: Final = re.compile(r"fsync\(\d+<([^>]*)>\)\s*= 0$")
_NAMED: Final = re.compile(r"(?:mkdir|link)(?:at)?\(.*\)\s*= 0$")
_SAID: Final = re.compile(r"write\(1<")


def tracer(trace: Path) -> tuple[str, ...]:
    """Return the command under which to start a server so that `trace` lists its writes and syncs."""
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
    """Return how the answers with the ids `made` are ordered among the writes and syncs of the log.

    What counts is that the log holds the very string that an answer tells: an answer that came before anything was
    written would else pass as one with nothing left to sync.
    """
    syncs = 0
    written, kept = set[str](), set[str]()  # the strings in the log, and those of them that are on the disk
    syncing = dict[str, set[str]]()  # by thread, those that its sync brings there
    answered: dict[bool, list[str]] = {True: [], False: []}
    for line in trace.read_text().splitlines():
        thread, call = line.split(maxsplit=1)
        if _WRITTEN.match(call):
            written.update(_ROW.findall(call))
        if _SYNCS.match(call):
            syncing[thread] = {*written}
        if _DONE.search(call) and thread in syncing:
            kept |= syncing.pop(thread)
            syncs += 1
        if _ANSWERED.match(call):
            for identity, bolt12 in _ANSWER.findall(call):
                if identity in made:
                    answered[bolt12 in kept].append(identity)
    return Order(tuple(answered[True]), tuple(answered[False]), syncs)


def tracer_of_names(trace: Path) -> tuple[str, ...]:
    """Return the command under which to run the program so that `trace` lists the names it makes and what it syncs."""
    calls = "trace=?mkdir,mkdirat,?link,linkat,fsync,write"
    return ("strace", "-y", "-s", "4096", "-o", str(trace), "-e", calls)


@dataclass(frozen=True, slots=True)
class Names:
    """The files and directories that were made before anything was said, in the order in which they got their names."""

    durable: tuple[str, ...]
    """Those whose content was on disk before they had a name, and then the name."""
    lost: tuple[str, ...]
    """Those that a power cut could have taken, or left empty."""


def names_made(trace: Path, below: Path) -> Names:
    """Return how the creation of files and directories below a directory is ordered among the syncs."""
    whole = set[str]()
    named, durable, empty = list[str](), list[str](), list[str]()
    for call in trace.read_text().splitlines():
        if _SAID.match(call):
            break
        if synced := _FILE_SYNCED.match(call):
            whole.add(synced[1])
            durable += [name for name in named if str(Path(name).parent) == synced[1]]
            named = [name for name in named if name not in durable]
        elif _NAMED.match(call):
            *source, name = re.findall('"([^"]*)"', call)
            if Path(name).is_relative_to(below):
                (named if whole.issuperset(source) else empty).append(name)
    return Names(tuple(durable), (*empty, *named))
