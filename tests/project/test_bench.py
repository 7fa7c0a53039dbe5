"""Benchmarks without upstream's material."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.shared import ROOT


def test_benchmark_of_the_generator_is_skipped_without_documents(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CLN_REPO"}
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "generate.py"],
        env=environment | {"CLNRPC_SHARED": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rpcschema generate: skipped without documents")
