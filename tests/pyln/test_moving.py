"""The twenty pairs of the page on moving from pyln-client: both sides run at the same stand-in, and print the same.

The stand-in runs in the environment of LNOFFERS, which needs the extra `testing` for it.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.project.guides import pieces

pytest.importorskip("pyln.client", reason="the session pyln has it")
if "LNOFFERS" not in os.environ:
    pytest.skip("LNOFFERS names no program, beside which the stand-in would be", allow_module_level=True)

STANDIN = Path(os.environ["LNOFFERS"]).with_name("lnstandin")
SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
PIECES = pieces("move-from-pyln-client", "python")
NUMBERS = range(1, 21)
SCRIPT = """
FORWARD = {"in_channel": "1x1x1", "in_msat": 1, "status": "failed", "received_time": 1.5, "resolved_time": 2.5}


def listforwards(params):
    start, limit = params.get("start", 1), params.get("limit", 100)
    return {"forwards": [FORWARD | {"created_index": each} for each in (1, 2, 5) if each >= start][:limit]}
"""
"""The stand-in makes up its lists, with other elements for each call; this one has pages."""
SECONDS = 60


def snippets(side: str) -> list[str]:
    """Return the pieces of "pyln-client" or "clnrpc", which begin with that in a comment."""
    return [piece for piece in PIECES if piece.startswith(f"# {side}\n")]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Run a stand-in of a node in a home directory."""
    with tempfile.TemporaryDirectory(prefix="moving") as name:
        socket = Path(name) / ".lightning" / "regtest" / "lightning-rpc"
        socket.parent.mkdir(parents=True)
        script = Path(name, "script.py")
        script.write_text(SCRIPT)
        command = [str(STANDIN), "mock", str(SCHEMAS), "--socket", str(socket), "--script", str(script)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as standin:
            assert standin.stdout is not None
            assert standin.stderr is not None
            if not standin.stdout.readline():
                if b"No module named" in (said := standin.stderr.read()):
                    pytest.skip("the environment of LNOFFERS lacks the extra testing")
                raise AssertionError(said)
            try:
                yield Path(name)
            finally:
                standin.terminate()
                standin.communicate(timeout=SECONDS)


@pytest.fixture(scope="module")
def printed(home: Path) -> dict[str, list[str]]:
    """Run each side's pieces, one after the other as one program; return what each piece prints."""
    found: dict[str, list[str]] = {}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setenv("HOME", str(home))
        for side in ("pyln-client", "clnrpc"):
            names: dict[str, Any] = {}
            found[side] = []
            for piece in snippets(side):
                with redirect_stdout(io.StringIO()) as output:
                    exec(piece, names)
                found[side].append(output.getvalue())
    return found


def test_there_are_twenty_pairs() -> None:
    assert [re.sub(r"\n.*", "", piece, flags=re.DOTALL) for piece in PIECES] == ["# pyln-client", "# clnrpc"] * 20


@pytest.mark.parametrize("number", NUMBERS)
def test_both_sides_print_the_same(printed: dict[str, list[str]], number: int) -> None:
    theirs, ours = (printed[side][number - 1] for side in ("pyln-client", "clnrpc"))
    assert theirs == ours
    assert theirs.strip() not in {"", "[]", "None", "[None]"}
