"""Nodes that mean harm cost no more than the time that was allowed, and little memory."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.fetching.conftest import Start
from tests.fetching.hostile import MODES
from tests.fetching.test_fetch import offer
from tests.service.program import COMMAND

MEGABYTES = 100
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
    command = [*COMMAND, "fetch", offer().encode(), "--connect", node, "--timeout", "3"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 2
    assert SAID[mode] in said
    assert "Traceback" not in said
    assert len(said) < 3_000
    assert used.ru_maxrss < MEGABYTES * 1_024
