"""Refused calls leave nothing in memory."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clnrpc.runtime.server.dispatch import Answer
from lnoffers.service import Node, OffersService
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.parameters.strings import MAX_STRING
from tests.service.program import Program, Wire, children, request

REFUSED = [
    *(("decode", [text]) for text in ("", "lno1qq", "LNR1QQ", "lno1qq+", "lni1Qq", "lnbc1qqqqqq", "clnemerg1qqqqqq")),
    ("decode", ["lnbcrt1" + "b" * 100]),
    ("check", ["decode", "lno1qq"]),
    ("createinvoice", ["lni1qq", "label", "00" * 32]),
    ("listinvoices", {"invstring": "lni1qq"}),
    ("offer", ["1 kroner"]),
    ("invoicerequest", [0, "for nothing"]),
    ("disableoffer", ["00" * 32]),
    ("waitinvoice", ["unknown"]),
    ("nonsense", []),
]
MOST_MIB = 80


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize(("method", "params"), REFUSED)
def test_a_refused_call_leaves_no_reference_cycle(node: Node, method: str, params: object) -> None:
    """A cycle that holds a long string stays until the collector runs, which counts objects and not bytes."""
    through, message = dispatcher(OffersService(node), developer=False), request(method, params)
    through.answer(message)  # what is loaded by the first call may leave cycles
    with without_collector():
        found = through.answer(message)
        assert gc.collect() == 0
    assert isinstance(found, Answer)
    assert b'"error"' in found.data


def peak_mib(process: int) -> float:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads a process's memory as Linux tells it")
def test_refusing_long_strings_takes_little_memory(program: Program) -> None:
    def refuse() -> None:
        with Wire(program.socket) as wire:
            for _ in range(100):
                assert "error" in wire.ask("decode", ["x" * MAX_STRING])

    with program.served() as server:
        clients = [threading.Thread(target=refuse) for _ in range(3)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        with Wire(program.socket) as wire:
            assert "result" in wire.ask("getinfo")
        [decoding] = children(server.pid)
        peaks = {process: peak_mib(process) for process in (server.pid, decoding)}
    assert sum(peaks.values()) < MOST_MIB, peaks
