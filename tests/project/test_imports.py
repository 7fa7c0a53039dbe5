"""Who imports whom: the contracts in pyproject.toml hold, and importing the client loads little."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest

from tests.shared import ROOT

ARROWS = 17
"""How many arrows a drawing of the runtime may have; docs/explanation/architecture.md says what one is."""


def test_folders_import_only_what_the_contracts_allow() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("needs import-linter")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_few_parts_of_the_runtime_import_each_other() -> None:
    grimp = pytest.importorskip("grimp", reason="needs import-linter, which brings grimp")
    runtime = "rpcschema.runtime"
    graph = grimp.build_graph("rpcschema", cache_dir=None)
    parts = sorted(graph.find_children(runtime))
    assert len(parts) > 1
    arrows = [
        (one, other)
        for one, other in permutations(parts, 2)
        if graph.direct_import_exists(importer=one, imported=other, as_packages=True)
    ]
    assert 0 < len(arrows) <= ARROWS, arrows


def test_importing_the_client_loads_nothing_heavy() -> None:
    heavy = ("asyncio", "coincurve", "cryptography", "jinja2", "rich", "cyclopts")
    code = f"import sys, clnrpc; clnrpc.Client; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
