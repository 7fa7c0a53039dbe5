"""The project's sessions: tests, checks and tools, each in an environment of its own.

`python3 noxfile.py SESSION... [-- ARGUMENT...]` needs only Python and pip: it first installs nox into `.nox/`. If you
have nox, `nox -s SESSION` does the same.

Sessions install the exact versions in `constraints/`, so that a new release of a dependency does not break a checkout
that worked yesterday. `lock` renews these files; `newest` runs what must pass without them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PEERS = ROOT / ".nox" / "peers"
EXPORTS = ROOT / ".nox" / "exports-npm"
LDK = ROOT / ".nox" / "ldk"
PYLN_PROTO = ROOT / ".nox" / "pyln-proto"
PYLN_CLIENT = ROOT / ".nox" / "pyln-client"
PROTOTEST = ROOT / ".nox" / "lnprototest"
SERVER = ROOT / ".nox" / "server"
LNBITS = ROOT / ".nox" / "lnbits"
CASHU = ROOT / ".nox" / "cashu"
BOOTSTRAP = ROOT / ".nox" / f"bootstrap-{sys.version_info[0]}.{sys.version_info[1]}"
CONSTRAINTS = ROOT / "constraints"


def _bootstrap(arguments: list[str]) -> int:
    """Run the named sessions with a nox that is installed below `.nox/`. They get the arguments after `--`."""
    locked = CONSTRAINTS / "sessions.txt"
    installed = BOOTSTRAP / locked.name
    if not installed.is_file() or installed.read_bytes() != locked.read_bytes():
        shutil.rmtree(BOOTSTRAP, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pip += ["--target", str(BOOTSTRAP), "--constraint", str(locked), "nox", "virtualenv"]
        subprocess.run(pip, check=True)
        shutil.copy(locked, installed)
    path = os.pathsep.join(filter(None, [str(BOOTSTRAP), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), "--session", *arguments]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) < 2 or any(argument.startswith("-") for argument in takewhile("--".__ne__, sys.argv[1:])):
        sys.exit(
            "usage: python3 noxfile.py SESSION... [-- ARGUMENT...]  "
            "(generate check tests matrix coverage lint types man audit bench crosscheck exports interop pyln fuzz "
            "fuzz-socket soak durability hostile race standin demo release neighbours lowest newest lock)"
        )
    sys.exit(_bootstrap(sys.argv[1:]))

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
GROUPS = {name: nox.project.dependency_groups(PROJECT, name) for name in PROJECT["dependency-groups"]}
ALONE = {"pyln", "lnbits", "prototest"}
"""Dependency groups that conflict with the others; each has its own lock."""
nox.options.sessions = ["check", "tests", "lint", "types", "man"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "virtualenv"  # uv would ignore pip's constraints


def _install(session: nox.Session, *groups: str, extras: str = "testing,generator", locked: str = "sessions") -> None:
    """Install the project in editable mode, with extras and dependency groups, in the versions of a lock."""
    _lock(session, locked)
    session.install("--quiet", "-e", f".[{extras}]", *_requirements(*groups))


def _lock(session: nox.Session, locked: str) -> None:
    """Restrict pip to the versions in `constraints/<locked>.txt`, for this session."""
    # Without this, sessions would import from the bootstrap folder.
    session.env["PYTHONPATH"] = None
    # Older releases of pip read only the first variable, and apply it to build tools too.
    for name in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"):
        session.env[name] = (CONSTRAINTS / f"{locked}.txt").as_uri()


def _requirements(*groups: str) -> list[str]:
    return [requirement for group in groups for requirement in GROUPS[group]]


@nox.session
def lock(session: nox.Session) -> None:
    """Write `constraints/`: the newest versions that pyproject.toml allows, and the oldest for `lowest`."""
    _lock(session, "sessions")
    session.install("--quiet", *GROUPS["lock"])
    every_group = [f"--group={name}" for name in GROUPS if name not in ALONE]
    _resolve(session, CONSTRAINTS / "sessions.txt", "--all-extras", *every_group)
    for name in sorted(ALONE):
        # lnprototest needs an older coincurve than the library, and runs without it.
        extras = [] if name == "prototest" else ["--extra=bolt12"]
        _resolve(session, CONSTRAINTS / f"{name}.txt", *extras, f"--group={name}", "--group=build")
    # The oldest versions of what users install, with the newest of what only tests need.
    oldest = Path(session.create_tmp()).resolve() / "oldest.txt"
    _resolve(session, oldest, "--all-extras", "--resolution=lowest-direct")
    lowest = ("--all-extras", "--group=test", "--group=build", f"--constraint={oldest}")
    _resolve(session, CONSTRAINTS / "lowest.txt", *lowest)


def _resolve(session: nox.Session, file: Path, *arguments: str) -> None:
    """Write the versions for every supported Python to `file`."""
    uv = ["uv", "pip", "compile", "pyproject.toml", "--quiet", "--upgrade", "--universal", "--python-version=3.11"]
    uv += ["--no-python-downloads", "--no-annotate", "--custom-compile-command=python3 noxfile.py lock"]
    session.run(*uv, *arguments, f"--output-file={file}", silent=True)


@nox.session
def generate(session: nox.Session) -> None:
    """Generate `generated/` from `schemas/` and `templates/`."""
    _install(session)
    session.run("rpcschema", "generate", *session.posargs)


@nox.session
def check(session: nox.Session) -> None:
    """Fail if `generated/` differs from what `schemas/` and `templates/` give."""
    _install(session)
    session.run("rpcschema", "check")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests."""
    _install(session, "test", "lint", "strict")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Fail if the project's own tests, without upstream material, miss a branch of the BOLT 12 core."""
    _install(session, "test", "coverage")
    session.env["CLNRPC_SHARED"] = os.devnull
    session.run("coverage", "run", "-m", "pytest", "tests/bolt12")
    session.run("coverage", "report")


@nox.session(python=["3.11", "3.12", "3.13"])
def matrix(session: nox.Session) -> None:
    """Run all tests on each installed Python, with uvloop."""
    _install(session, "test", extras="testing,generator,uvloop")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run all tests with the oldest dependencies that pyproject.toml allows."""
    _install(session, "test", locked="lowest")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(reuse_venv=False)
def newest(session: nox.Session) -> None:
    """Run what must pass with the newest dependencies that pyproject.toml allows."""
    session.env["PYTHONPATH"] = None
    session.install("--quiet", "-e", ".[testing,generator,uvloop]", *_requirements("dev"))
    session.run("rpcschema", "check")
    session.run("python", "docs/examples/demo.py")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    # Users check their generated package with their own settings, by default ruff's.
    session.run("ruff", "check", "--isolated", "generated/clnrpc")
    session.run("lint-imports")
    session.run("mypy")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and the import contracts."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    # Users check their generated package with their own settings, by default ruff's.
    session.run("ruff", "check", "--isolated", "generated/clnrpc")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Run mypy --strict on the packages, and basedpyright in strict mode on the generated one."""
    _install(session, "test", "strict")
    session.run("mypy")
    session.run("basedpyright")


@nox.session
def man(session: nox.Session) -> None:
    """Run mandoc on the generated man pages; it must warn of nothing."""
    pages = sorted(str(page) for page in (ROOT / "generated" / "man").glob("*.7"))
    session.run("mandoc", "-Tlint", "-W", "warning", *pages, external=True)


@nox.session
def audit(session: nox.Session) -> None:
    """Compare everything generated from Core Lightning's documents with them. Needs mandoc and CLN_REPO."""
    _install(session, "test", "types")
    session.run("python", "-m", "tests.audit")


@nox.session
def crosscheck(session: nox.Session) -> None:
    """Compare the BOLT 12 core with other implementations, which npm installs. A number seeds other strings."""
    _install(session, "test")
    _install_peers(session)
    session.run("python", "-m", "tests.crosscheck", str(PEERS), *session.posargs)


def _install_peers(session: nox.Session) -> None:
    """Install other implementations of BOLT 12 below `.nox/`."""
    _npm(session, ROOT / "tests" / "crosscheck", PEERS)


def _npm(session: nox.Session, source: Path, target: Path) -> None:
    """Install the npm packages of a test folder into `target`, in the versions of its lock file."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, target)
    session.run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(target), external=True)


@nox.session
def exports(session: nox.Session) -> None:
    """Check exported documents with the meta-schemas and the generator of TypeScript clients that npm installs."""
    _install(session, "test")
    _npm(session, ROOT / "tests" / "exports", EXPORTS)
    session.env["EXPORTS_NPM"] = str(EXPORTS)
    session.run("pytest", "tests/exports/test_npm.py", *session.posargs)


@nox.session
def interop(session: nox.Session) -> None:
    """Talk to LDK (installed by npm), pyln-proto and lnprototest, and to Core Lightning if LIGHTNINGD names a binary.

    LNPROTOTEST_TESTS names the folder `tests` of lnprototest's repository, if you have it, and CLNREST the program of
    Core Lightning's plugin for REST.
    """
    _install(session, "test")
    _npm(session, ROOT / "tests" / "interop" / "ldk", LDK)
    pyln_proto = _python_with(session, PYLN_PROTO, "pyln", "pyln-proto")
    prototest = _python_with(session, PROTOTEST, "prototest", *GROUPS["prototest"])
    session.env.update(LDK_PEER=str(LDK), PYLN_PROTO=pyln_proto, LNPROTOTEST=prototest)
    session.run("pytest", "tests/interop", "tests/ports", *session.posargs)


def _python_with(session: nox.Session, folder: Path, locked: str, *requirements: str) -> str:
    """Install packages that conflict with the project's into an environment of their own; return its Python."""
    if not folder.is_dir():
        session.run("python", "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    _lock(session, locked)
    session.run(python, "-m", "pip", "install", "--quiet", *requirements, external=True)
    return python


@nox.session
def pyln(session: nox.Session) -> None:
    """Call the service with pyln-client, and with lightning-cli if there is one.

    The service runs in another environment, because pyln-client installs a fork of a package that it needs.
    """
    if not SERVER.is_dir():
        session.run("python", "-m", "venv", str(SERVER))
    _lock(session, "sessions")
    session.run(str(SERVER / "bin" / "pip"), "install", "--quiet", "-e", ".[testing]", external=True)
    _lock(session, "pyln")
    session.install("--quiet", "-e", ".", *GROUPS["pyln"])
    session.env["LNOFFERS"] = str(SERVER / "bin" / "lnoffers")
    # Warnings in pyln-client are not ours to fix.
    session.run("pytest", "-W", "ignore", "tests/pyln", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Look for input that breaks the BOLT 12 core, for a minute or a given number of seconds."""
    _install(session, "test", "fuzz")
    session.run("python", "-m", "tests.fuzz", str(ROOT / ".nox" / "fuzzed"), *session.posargs)


@nox.session(name="fuzz-socket")
def fuzz_socket(session: nox.Session) -> None:
    """Send the server mutated requests: a hundred thousand or a given number. A second number is the seed."""
    _install(session, "test")
    session.run("python", "-m", "tests.endurance.fuzz_socket", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Fill a store through a server with a million calls or a given number, and list it."""
    _install(session, "test")
    session.run("python", "-m", "tests.endurance.soak", *session.posargs)


@nox.session
def durability(session: nox.Session) -> None:
    """Kill a server under load, and one that pays, two hundred times or as often as given; make its disk fail.

    Needs strace.
    """
    _install(session, "test")
    session.run("python", "-m", "tests.endurance.durability", *session.posargs)
    session.run("python", "-m", "tests.play.killed", *session.posargs)


@nox.session
def hostile(session: nox.Session) -> None:
    """Attack a server as a hostile node would, in nine ways, each for ten seconds or as long as given."""
    _install(session, "test")
    session.run("python", "-m", "tests.endurance.hostile", *session.posargs)


@nox.session
def race(session: nox.Session) -> None:
    """Claim single-use records in four processes, and pay requests for one use, 10,000 times or as often as given."""
    _install(session, "test")
    session.run("python", "-m", "tests.service.claims.race", *(session.posargs or ["10000"]))
    session.run("python", "-m", "tests.play.race", *session.posargs)


@nox.session(python=None if sys.version_info < (3, 13) else "3.12")
def standin(session: nox.Session) -> None:
    """Test the stand-ins for longer than `tests`: 16 seeds of the mock, 10,000 random payments, and real applications.

    The applications are the wallets of lnbits, which needs Python below 3.13, and nutshell. With arguments, pytest runs
    only these tests.
    """
    _install(session, "test")
    session.env["LNBITS_PYTHON"] = _python_with(session, LNBITS, "lnbits", *GROUPS["lnbits"])
    session.env["CASHU_PYTHON"] = _python_with_cashu(session)
    session.env.update(LNSTANDIN_SEEDS="16", NETWORK_PAYMENTS="10000")
    usual = [f"tests/{name}.py" for name in ("mock/test_answers", "network/test_random_payments")]
    session.run("pytest", "-s", *(session.posargs or [*usual, "tests/network/test_applications.py"]))


def _python_with_cashu(session: nox.Session) -> str:
    """Install nutshell into an environment of its own; return its Python."""
    _lock(session, "sessions")
    session.install("--quiet", *GROUPS["lock"])
    # nutshell's environs cannot be imported with marshmallow 4, and of the Breez SDK no release in its range is left.
    override = Path(session.create_tmp()).resolve() / "override.txt"
    override.write_text("breez-sdk-spark\n")
    if not CASHU.is_dir():
        session.run("python", "-m", "venv", str(CASHU))
    python = str(CASHU / "bin" / "python")
    requirements = ["cashu==0.21.0", "marshmallow<4"]
    session.run("uv", "pip", "install", "--quiet", f"--python={python}", f"--override={override}", *requirements)
    return python


@nox.session
def bench(session: nox.Session) -> None:
    """Run all benchmarks, or the named ones. Each prints a table and fails if a limit is exceeded.

    The generator is compared with Core Lightning's own tools, from the checkout in CLN_REPO. `net` compares
    a fetch with that of a real node if LIGHTNINGD names a binary.
    """
    _install(session, "test", extras="testing,generator,uvloop")
    _install_peers(session)
    session.env["PYLN_PYTHON"] = _python_with(session, PYLN_CLIENT, "pyln", "pyln-client")
    _lock(session, "sessions")
    usual = ["startup", "decode", "generate", "bolt12", "net", "money", "service", "rest", "client", "standin"]
    for name in session.posargs or usual:
        session.run("python", f"bench/{name}.py")


@nox.session
def demo(session: nox.Session) -> None:
    """Regenerate, start an ATM, a wallet and a shop, and let play money go around."""
    _install(session)
    session.run("rpcschema", "generate")
    session.run("python", "docs/examples/demo.py")


@nox.session
def release(session: nox.Session) -> None:
    """Build sdist and wheel reproducibly, check both, and try each extra in an empty environment."""
    _lock(session, "sessions")
    session.install("--quiet", *_requirements("release"))
    session.run("python", "tests/release.py", *session.posargs)


@nox.session(python=None if sys.version_info < (3, 13) else "3.12")
@nox.parametrize("beside", ["lnbits", "pyln", "cashu"])
def neighbours(session: nox.Session, beside: str) -> None:
    """`clnrpc[bolt12]` works beside lnbits, which needs Python below 3.13, and pyln-client.

    It and `clnrpc[offers]` fit next to lnbits and cashu.
    """
    if beside != "pyln":
        _check_ranges(session, beside)
    if beside == "cashu":
        return
    _install(session, extras="bolt12", locked=beside)
    session.install("--quiet", *GROUPS[beside])
    with session.chdir(session.create_tmp()):  # lnbits creates a folder for its data
        session.run("python", "-P", str(ROOT / "tests" / "neighbours.py"), beside)


def _check_ranges(session: nox.Session, beside: str) -> None:
    """Find versions that the published ranges of a package and our extras allow together, without installing any."""
    _lock(session, "sessions")
    session.install("--quiet", *GROUPS["lock"])
    folder = Path(session.create_tmp())
    (folder / "beside.in").write_text("\n".join(GROUPS.get(beside, ["cashu>=0.21"])))
    # For cashu: no release in cashu's range of it is published any more; we do not share it.
    (folder / "left-out.in").write_text("breez-sdk-spark; python_version < '3'\n")
    for extra in ("bolt12", "offers"):
        uv = ["uv", "pip", "compile", "--quiet", "--no-annotate", "--no-header", "pyproject.toml", f"--extra={extra}"]
        session.run(*uv, str(folder / "beside.in"), f"--override={folder / 'left-out.in'}", silent=True)
        session.log(f"clnrpc[{extra}] fits next to {beside}")
