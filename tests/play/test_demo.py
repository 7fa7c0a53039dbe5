"""The demo: an ATM pays a wallet once and proves it, and the wallet pays a shop."""

from __future__ import annotations

import subprocess
import sys

from tests.service.program import SECONDS
from tests.shared import ROOT


def test_demo_lets_money_go_around() -> None:
    command = [sys.executable, str(ROOT / "docs" / "examples" / "demo.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = [
        "an invoice for it, which is paid\n",
        "refuses a second one: Single-use invoice_request already paid with ",
        "says 10000000 msat\n",
        "has paid 2500000 msat\n",
        "has received 2500000 msat for a coffee\n",
    ]
    places = [done.stdout.find(text) for text in told]
    assert places == sorted(places), done.stdout
    assert -1 not in places, done.stdout
