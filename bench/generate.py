"""How long it takes to generate everything, beside what Core Lightning's own tools take for less.

    python bench/generate.py [--runs N]

Each figure is the median over N rounds of whole processes; every round runs each of them once, so that a busy machine
is busy for all. The yardstick runs from a copy of the checkout that the variable CLN_REPO names: tools/fromschema.py,
one process a document, as `make` does it, then `msggen generate`. It makes Markdown pages, a third of the commands in
Rust and protobuf, and no Python. "With exports" adds the targets that are off by default. "The same imports" is Python
with every module that a run without changes imports, and nothing else.

Documents are those of Core Lightning's master, from the shared material, or else from that checkout; without either,
nothing is measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import cyclopts
from rich.console import Console
from rich.table import Table

from rpcschema.targets import TARGETS

ROOT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = Path(os.environ.get("CLNRPC_SHARED", ROOT.parent / "shared"), "corpus/master-2026-08/schemas")
DOCUMENTS: Final = SHARED if SHARED.is_dir() else Path(os.environ.get("CLN_REPO", ROOT / "none"), "doc/schemas")
USED_BY_THE_YARDSTICK: Final = (
    *("tools/fromschema.py", ".msggen.json", "contrib/msggen", "contrib/pyln-testing/pyln/testing"),
    *("cln-rpc/src", "cln-grpc/src", "cln-grpc/proto"),
)
RPCSCHEMA: Final = (sys.executable, "-m", "rpcschema")
GENERATE: Final = ("generate", "schemas", "--package", "node", "--out", "out")
EVERYTHING: Final = tuple(f"--target={name}" for name in TARGETS)
MEBIBYTE: Final = 1024 * 1024


def main(*, runs: int = 5) -> int:
    """Print one table; the exit code is 1 if a bar was missed."""
    if not DOCUMENTS.is_dir():
        print("rpcschema generate: skipped without documents; set CLN_REPO to a checkout of Core Lightning")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(DOCUMENTS, work / "schemas")
        yardstick = _yardstick(work / "cln")
        times: dict[str, list[float]] = {}

        def measure(name: str, call: Callable[[], None]) -> None:
            times.setdefault(name, []).append(_seconds(call))

        _generate(work, *EVERYTHING)
        importing = [sys.executable, "-c", f"import {', '.join(_imported(work))}"]
        for _ in range(runs):
            if yardstick is not None:
                measure("yardstick", yardstick)
            for name, options in (("", ()), (" with exports", EVERYTHING)):
                shutil.rmtree(work / "out", ignore_errors=True)
                measure(f"nothing there{name}", partial(_generate, work, *options))
            measure("the same imports", partial(_run, importing, work))
            measure("nothing changed with exports", partial(_generate, work, *EVERYTHING))
            _change(work / "schemas/listpeers.json")
            measure("one changed with exports", partial(_generate, work, *EVERYTHING))
            measure("diff of v24.11 and v26.06", partial(_run, [*RPCSCHEMA, "diff", "v24.11", "v26.06"], work))
        shutil.rmtree(work / "out")
        memory = _peak_memory(work)
    return _show({name: median(each) for name, each in times.items()}, memory)


def _show(times: dict[str, float], memory: float) -> int:
    """Print the table; return whether a bar was missed."""
    table = Table("rpcschema generate", "median", "bar", "verdict")
    yardstick = times.get("yardstick")
    bars = {
        "nothing there": yardstick and yardstick / 2,
        "nothing there with exports": yardstick and yardstick * 0.6,
        "nothing changed with exports": times["the same imports"] * 3,
        "one changed with exports": 1.0,
        "diff of v24.11 and v26.06": times["nothing there"],
    }
    rows: list[tuple[str, float, float | None, str]] = [(name, times[name], bar, "s") for name, bar in bars.items()]
    rows.append(("peak memory, resident, sum over all processes", memory / MEBIBYTE, 300, "MiB"))
    if yardstick is not None:
        table.add_row("(Core Lightning's own tools)", f"{yardstick:.2f} s", "", "")
    table.add_row("(the same imports)", f"{times['the same imports']:.2f} s", "", "")
    for name, value, bar, unit in rows:
        shown = "" if bar is None else f"{bar:.2f} {unit}"
        verdict = "no CLN_REPO, no yardstick" if bar is None else "holds" if value <= bar else "missed"
        table.add_row(name, f"{value:.2f} {unit}", shown, verdict)
    Console().print(table)
    return int(any(bar is not None and value > bar for _, value, bar, _ in rows))


def _generate(work: Path, *options: str) -> None:
    _run([*RPCSCHEMA, *GENERATE, *options], work)


def _imported(work: Path) -> list[str]:
    """Return the modules that a run without changes imports."""
    program = "\n".join(
        [
            "import atexit, sys",
            "from rpcschema.cli.main import main",
            "atexit.register(lambda: print(*sys.modules))",
            "main()",
        ]
    )
    command = [sys.executable, "-c", program, *GENERATE, *EVERYTHING]
    printed = subprocess.run(command, cwd=work, check=True, capture_output=True, text=True).stdout
    return [name for name in printed.splitlines()[-1].split() if not name.startswith("__")]


def _change(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace('"title": "', '"title": "Changed: ', 1), encoding="utf-8")


def _yardstick(copy: Path) -> Callable[[], None] | None:
    """Return what Core Lightning runs for its documents; None without a checkout."""
    if "CLN_REPO" not in os.environ:
        return None
    checkout = Path(os.environ["CLN_REPO"])
    for name in USED_BY_THE_YARDSTICK:  # msggen writes into its checkout
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (checkout / name).is_dir():
            shutil.copytree(checkout / name, copy / name)
        else:
            shutil.copy(checkout / name, copy / name)
    documents = sorted(DOCUMENTS.rglob("*.json"))

    def run() -> None:
        for document in documents:
            page = f"{document.stem}.7.md"
            _run([sys.executable, "tools/fromschema.py", f"--markdownfile={page}", str(document)], copy)
        _run([sys.executable, "contrib/msggen/msggen/__main__.py", "-s", "generate"], copy)

    return run


def _run(command: list[str], cwd: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["contrib/msggen", os.environ.get("PYTHONPATH", "")])}
    subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _seconds(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _peak_memory(work: Path) -> float:
    """Return the most bytes that the processes of one run had in memory at a time, sampled every hundredth of a second.

    Pages that several processes share count for each of them.
    """
    peak = 0
    with subprocess.Popen(
        [*RPCSCHEMA, *GENERATE, *EVERYTHING], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            peak = max(peak, sum(_resident(pid) for pid in _family(process.pid)))
            time.sleep(0.01)
    return peak


def _family(pid: int) -> Iterator[int]:
    yield pid
    with _gone_is_nothing():
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            yield from _family(int(child))


def _resident(pid: int) -> int:
    with _gone_is_nothing():
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


@contextmanager
def _gone_is_nothing() -> Iterator[None]:
    """Ignore that a process has ended."""
    try:
        yield
    except (FileNotFoundError, ProcessLookupError):
        return


if __name__ == "__main__":
    sys.exit(cyclopts.run(main))
