"""`python tests/release.py` (the session `release`): what would be published is sound, away from the checkout.

The sdist and the wheel are built twice and must be the same to the byte. Their metadata and contents are checked, and
each extra is tried in an empty environment. Wheel, sdist and an editable install must generate the same bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECRET = b"lightning-2".ljust(32, b"\0")
OFFER = "lno1pqps85yspgrxxmmxvejk293pqthvwfzadd7jejes8q9lhc4rvjxd022zv5l44g6qah82ru5rdpnpj"
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "packages"
]


def run(*command: str | Path, cwd: Path, **settings: str) -> str:
    """Return the output of a command that must succeed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | settings
    done = subprocess.run(
        [str(part) for part in command], check=False, cwd=cwd, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(into: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from it."""
    committed = run("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
    run(sys.executable, "-m", "build", "--outdir", into, cwd=ROOT, SOURCE_DATE_EPOCH=committed)
    return next(into.glob("*.tar.gz")), next(into.glob("*.whl"))


def reproducible(work: Path) -> tuple[Path, Path]:
    """Return sdist and wheel, which a second build makes again to the byte."""
    first, second = build(work / "dist"), build(work / "again")
    for made, again in zip(first, second, strict=True):
        assert made.read_bytes() == again.read_bytes(), f"{made.name} is not reproducible"
        print(f"{made.name}: {made.stat().st_size:,} bytes, sha256 {sha256(made.read_bytes()).hexdigest()}")
    return first


def contents(sdist: Path, wheel: Path) -> None:
    """Check what is in the files."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    roots = {Path(package).name for package in PACKAGES}
    information = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    assert {name.partition("/")[0] for name in names} == roots | {information}, "something outside of the packages"
    required = {f"{root}/{name}" for root in roots for name in ("__init__.py", "py.typed")}
    required |= {f"{information}/{name}" for name in ("METADATA", "entry_points.txt", "licenses/LICENSE")}
    required |= {f"lnoffers/man/{page.name}" for page in (ROOT / "generated" / "man").glob("*")}
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    required |= {f"rpcschema/{path.relative_to(ROOT).as_posix()}" for path in templates}
    assert required <= names, sorted(required - names)
    assert not [name for name in names if "test" in name.split("/")], "tests in the wheel"
    with tarfile.open(sdist) as packed:
        found = {member.name.partition("/")[2] for member in packed if member.isfile()} - {"PKG-INFO"}
    tracked = set(run("git", "ls-files", cwd=ROOT).splitlines())
    assert found == tracked, f"the sdist differs from what git tracks: {sorted(found ^ tracked)}"
    print(f"contents: {len(names)} files in the wheel, {len(found)} in the sdist, all that git tracks")


def environment(folder: Path, *requirements: str) -> Path:
    """Return the `bin` of a new environment in which only `requirements` are installed."""
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements, cwd=folder)
    return folder / "bin"


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files below `folder`."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def client_alone(work: Path, wheel: Path) -> None:
    programs = environment(work / "client", str(wheel))
    listed = json.loads(run(programs / "python", "-m", "pip", "list", "--format", "json", cwd=work))
    assert {entry["name"] for entry in listed} <= {"clnrpc", "msgspec", "pip", "setuptools"}, listed
    code = "import clnrpc; clnrpc.Client, clnrpc.AsyncClient, clnrpc.Service, clnrpc.types.InvoicerequestResponse"
    run(programs / "python", "-c", f"{code}; assert clnrpc.__version__ == {wheel.name.split('-')[1]!r}", cwd=work)
    for program, extra in (("lnoffers", "offers"), ("rpcschema", "generator")):
        done = subprocess.run([programs / program, "check-store"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
        assert f"pip install 'clnrpc[{extra}]'" in done.stderr, done
    assert not (work / "client" / "share" / "man").exists()
    print("clnrpc alone: imports with", ", ".join(entry["name"] for entry in listed))


def library(work: Path, wheel: Path) -> None:
    programs = environment(work / "bolt12", f"clnrpc[bolt12] @ {wheel.as_uri()}")
    code = f"import sys, lnoffers; offer = lnoffers.decode({OFFER!r}); print(offer.offer_description)"
    assert run(programs / "python", "-c", code, cwd=work) == "coffee\n"
    assert json.loads(run(programs / "lnoffers", "decode", OFFER, cwd=work))["offer_description"] == "coffee"
    run(programs / "python", "-c", "import lnoffers.net, lnoffers.bolt11, lnoffers.runes, lnoffers.emergency", cwd=work)
    print("clnrpc[bolt12]: decodes, as a library and as a program")


def service(work: Path, wheel: Path) -> None:
    programs = environment(work / "offers", f"clnrpc[offers] @ {wheel.as_uri()}")
    node = work / "node" / "regtest"
    node.mkdir(parents=True)
    (node / "hsm_secret").write_bytes(SECRET)
    (node / "hsm_secret").chmod(0o600)
    example = json.loads((ROOT / "schemas" / "invoicerequest.json").read_bytes())["examples"][0]
    answer = run(
        *(programs / "lnoffers", "call", "--lightning-dir", work / "node", "--network", "regtest"),
        *("--dev-entropy", "40f3b447861516367be1ad748c9b15ac", "invoicerequest", "1000000", "Simple test"),
        cwd=work,
    )
    assert json.loads(answer) == example["response"], answer
    pages = Path(run(programs / "lnoffers", "man", "--path", cwd=work).strip())
    assert tree(pages) == tree(ROOT / "generated" / "man"), pages
    print("clnrpc[offers]: lnoffers call gives the example's answer, and the manual pages are there")


def stand_ins(work: Path, wheel: Path) -> None:
    programs = environment(work / "testing", f"clnrpc[testing] @ {wheel.as_uri()}")
    command = [programs / "lnoffers", "serve", "--lightning-dir", work / "play", "--network", "regtest"]
    command += ["--backend", "play:lose=0.1", "--rest", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=work) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"Listening on "), "the server has ended"
        server.terminate()
    assert (work / "play" / "regtest" / "play.sqlite3").exists()
    assert (work / "play" / "regtest" / "ca.pem").exists()
    print("clnrpc[testing], which includes clnrpc[rest]: lnoffers serve --backend play --rest starts")


def generated(work: Path, name: str, *requirements: str) -> dict[str, bytes]:
    """Return what the generator makes, installed in an environment of its own."""
    programs = environment(work / name, *requirements)
    out = work / f"{name}-out"
    run(programs / "rpcschema", "generate", ROOT / "schemas", "--out", out, "--package", "clnrpc", cwd=work)
    return tree(out)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        sdist, wheel = reproducible(work)
        run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel, cwd=work)
        contents(sdist, wheel)
        client_alone(work, wheel)
        library(work, wheel)
        service(work, wheel)
        stand_ins(work, wheel)
        made = {
            "wheel": generated(work, "wheel", f"clnrpc[generator] @ {wheel.as_uri()}"),
            "sdist": generated(work, "sdist", f"clnrpc[generator] @ {sdist.as_uri()}"),
            "editable": generated(work, "editable", "--editable", f"{ROOT}[generator]"),
        }
        assert made["wheel"] == made["sdist"] == made["editable"], "they do not generate the same bytes"
        print(f"clnrpc[generator]: wheel, sdist and editable install generate the same {len(made['wheel'])} files")


if __name__ == "__main__":
    main()
