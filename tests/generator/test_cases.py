"""A folder of `tests/cases` is a test: `args` is run beside `schemas`, and must make and say what is recorded.

Recorded are the files below `expected` (without the manifest, which names a version, and without the runtime and the
model's schema, which are copies), the problems in `stderr`, and the exit code in `status` where it is not 0. With
CLNRPC_REGENERATE=1 all of that is recorded anew; look at the diff.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.generator.commands import rpcschema, tree
from tests.shared import ROOT

CASES = ROOT / "tests/cases"
RUNTIME = ROOT / "generator/rpcschema/runtime"
MODEL = (ROOT / "generator/rpcschema/model/schema.json").read_bytes()


def recorded(case: Path, name: str, default: str) -> str:
    file = case / name
    return file.read_text(encoding="utf-8") if file.exists() else default


def record(case: Path, made: dict[str, bytes], texts: dict[str, str]) -> None:
    shutil.rmtree(case / "expected", ignore_errors=True)
    for path, content in made.items():
        file = case / "expected" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for name, text in texts.items():
        (case / name).unlink(missing_ok=True)
        if text not in {"", "0\n"}:
            (case / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_case(case: Path, tmp_path: Path) -> None:
    shutil.copytree(case / "schemas", tmp_path / "schemas")
    done = rpcschema(*recorded(case, "args", "").split(), "--out", "out", cwd=tmp_path)
    shipped = tmp_path / "out/tank/runtime"
    if shipped.exists():
        assert tree(shipped) == {
            file.relative_to(RUNTIME).as_posix(): file.read_bytes()
            for file in RUNTIME.rglob("*.py")
            if file.parent.name != "paying"  # for which these packages lack the commands
        }
        shutil.rmtree(shipped)
    made = {path: content for path, content in tree(tmp_path / "out").items() if path != "manifest.json"}
    assert made.pop("model/schema.json", MODEL) == MODEL
    if os.environ.get("CLNRPC_REGENERATE"):
        record(case, made, {"stderr": done.stderr, "status": f"{done.returncode}\n"})
    assert done.stderr == recorded(case, "stderr", "")
    assert done.returncode == int(recorded(case, "status", "0"))
    assert made == tree(case / "expected")
