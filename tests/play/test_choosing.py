"""Which payment backend a server uses, and what it says if that is not possible."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.service.program import run

HIDDEN = 'raise ModuleNotFoundError("No module named \'lnstandin\'", name="lnstandin")\n'


def serve(folder: Path, network: str, backend: str) -> str:
    """Return the error with which a server refuses to start."""
    done = run("serve", "--lightning-dir", str(folder), "--network", network, "--backend", backend)
    assert (done.code, done.out) == (2, "")
    return done.err.splitlines()[-1]


def test_unknown_backend_is_refused_with_the_names_of_those_installed(tmp_path: Path) -> None:
    why = serve(tmp_path, "regtest", "gold")
    assert why.endswith("there is no payment backend 'gold'; installed are cln, none, play")


def test_play_money_is_refused_on_bitcoin(tmp_path: Path) -> None:
    assert "play money is for regtest only, and this node is on bitcoin" in serve(tmp_path, "bitcoin", "play")


def test_argument_that_is_no_fault_is_refused(tmp_path: Path) -> None:
    assert "'loose=1' is no fault of play: it has lose, repeat" in serve(tmp_path, "regtest", "play:loose=1")


def test_missing_package_is_refused_with_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lnstandin.py").write_text(HIDDEN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    why = serve(tmp_path / "node", "regtest", "play")
    assert why.endswith("cannot be loaded: No module named 'lnstandin'. Install it: pip install 'clnrpc[testing]'")
