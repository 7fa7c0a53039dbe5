"""Nodes that mean harm cost no more than the time that was allowed, and little memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fetching.conftest import Start
from tests.fetching.hostile import MODES
from tests.fetching.test_fetch import offer

MEGABYTES = 100
PROGRAM = """
import atexit, sys
from pathlib import Path
from lnoffers.service.cli import main
atexit.register(lambda: print(Path("/proc/self/status").read_text(), file=sys.stderr))
main()
"""
"""`lnoffers`, which says at its end what it needed. (What wait4 says includes the memory of whoever started it.)"""
SAID = {
    "garbage": "cannot connect",
    "cut": "the peer closed the connection in the state AWAITING_ACT_TWO",
    "silence": "did not answer within 3 seconds",
    "gossip": "no answer came",
    "pings": "no answer came",
    "onions": "no answer came",
    "warnings": "no answer came",
    "channel": "about a channel",
}


@pytest.mark.parametrize("mode", MODES)
def test_a_fetch_ends_with_a_reason_and_stays_small(start: Start, mode: str) -> None:
    node = start(mode, kind="hostile")
    command = [sys.executable, "-c", PROGRAM, "fetch", offer().encode(), "--connect", node, "--timeout"]
    for seconds in ("3", "30"):  # on a busy machine connecting alone may take the first
        done = subprocess.run([*command, seconds], capture_output=True, text=True, check=False)
        said, _, status = done.stderr.partition("Name:")
        if SAID[mode] in said:
            break
    assert done.returncode == 2
    assert SAID[mode] in said
    assert "Traceback" not in said
    assert len(said) < 3_000
    assert int(status.partition("VmHWM:")[2].split()[0]) < MEGABYTES * 1_024
