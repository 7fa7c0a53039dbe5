"""Proves that what is built works away from the checkout: `python tests/wheel.py` (the nox session `wheel`), as it
installs from an index.

Each extra goes into an empty environment; the wheel, the sdist and an editable install must generate the same bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECRET = b"lightning-2".ljust(32, b"\0")


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a command that must succeed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], check=False, cwd=cwd, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def environment(folder: Path, requirement: str) -> Path:
    """The `bin` of a new environment in which only `requirement` is installed."""
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", requirement, cwd=folder)
    return folder / "bin"


def tree(folder: Path) -> dict[str, bytes]:
    """All generated files below `folder`."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def client_alone(work: Path, built: Path) -> None:
    bin_folder = environment(work / "client", str(built))
    listed = json.loads(run(bin_folder / "python", "-m", "pip", "list", "--format", "json", cwd=work))
    assert {entry["name"] for entry in listed} <= {"clnrpc", "msgspec", "pip", "setuptools"}, listed
    code = "import clnrpc, sys; clnrpc.Client, clnrpc.AsyncClient, clnrpc.Service, clnrpc.types.InvoicerequestResponse"
    run(bin_folder / "python", "-c", code, cwd=work)
    print("clnrpc alone: imports with", ", ".join(entry["name"] for entry in listed))


def offers(work: Path, built: Path) -> None:
    bin_folder = environment(work / "offers", f"clnrpc[offers] @ {built.as_uri()}")
    node = work / "node" / "regtest"
    node.mkdir(parents=True)
    (node / "hsm_secret").write_bytes(SECRET)
    example = json.loads((ROOT / "schemas" / "invoicerequest.json").read_bytes())["examples"][0]
    answer = run(
        *(bin_folder / "lnoffers", "call", "--lightning-dir", work / "node", "--network", "regtest"),
        *("--dev-entropy", "40f3b447861516367be1ad748c9b15ac", "invoicerequest", "1000000", "Simple test"),
        cwd=work,
    )
    assert json.loads(answer) == example["response"], answer
    print("clnrpc[offers]: lnoffers call gives the example's answer")


def generator(work: Path, name: str, requirement: str) -> dict[str, bytes]:
    bin_folder = environment(work / name, requirement)
    out = work / f"{name}-out"
    run(bin_folder / "rpcschema", "generate", ROOT / "schemas", "--out", out, "--package", "clnrpc", cwd=work)
    return tree(out)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run(sys.executable, "-m", "build", "--outdir", work / "dist", cwd=ROOT)
        built = next((work / "dist").glob("*.whl"))
        sdist = next((work / "dist").glob("*.tar.gz"))
        client_alone(work, built)
        offers(work, built)
        made = {
            "wheel": generator(work, "wheel", f"clnrpc[generator] @ {built.as_uri()}"),
            "sdist": generator(work, "sdist", f"clnrpc[generator] @ {sdist.as_uri()}"),
        }
        run(sys.executable, "-m", "venv", work / "editable", cwd=work)
        run(work / "editable/bin/python", "-m", "pip", "install", "-q", "-e", f"{ROOT}[generator]", cwd=work)
        out = work / "editable-out"
        run(
            work / "editable/bin/rpcschema", "generate", ROOT / "schemas", "--out", out, "--package", "clnrpc", cwd=work
        )
        made["editable"] = tree(out)
        assert made["wheel"] == made["sdist"] == made["editable"], "they do not generate the same bytes"
        print(f"clnrpc[generator]: wheel, sdist and editable install generate the same {len(made['wheel'])} files")


if __name__ == "__main__":
    main()
