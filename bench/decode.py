"""`python bench/decode.py`: a `listpeerchannels` answer of 10,000 channels, decoded and every leaf read once.

The yardstick is `json.loads` and every leaf read by key. Four channels that differ, with every field that the response
class has, stand in the answer again and again. Both sides run alternately, first in one process, then each time in a
process of its own; only decoding and reading are timed. Prints a table of medians; exits with 1 if a bar is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from answers import answer

import clnrpc
from clnrpc.runtime.values.decode import decode

CHANNELS: Final = 10_000
DISTINCT: Final = 4
RUNS: Final = 7
BAR: Final = 1.4
SIDES: Final = ("clnrpc", "json.loads")


def channels() -> list[dict[str, Any]]:
    """Return channels that differ, each with every field."""
    return [answer(clnrpc.types.ListpeerchannelsResponse, seed)["channels"][0] for seed in range(DISTINCT)]


def response() -> dict[str, Any]:
    """Return the answer."""
    few = channels()
    return {"channels": [few[at % DISTINCT] for at in range(CHANNELS)]}


def reader(sample: Any, access: Callable[[str], str]) -> Callable[[Any], None]:
    """Return a function that reads every leaf of values like `sample`, in straight code; `access` reads a member."""
    source = "\n".join(["def read(v):", *_reads(sample, "v", "    ", access)])
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 # source of ours, so that neither side pays for being generic
    read: Callable[[Any], None] = namespace["read"]
    return read


def _reads(sample: Any, variable: str, indent: str, access: Callable[[str], str]) -> Iterator[str]:
    inner = f"{variable}v"
    if isinstance(sample, list):
        yield f"{indent}for {inner} in {variable}:"
        yield from _reads(sample[0], inner, f"{indent}    ", access)
    elif isinstance(sample, dict):
        for name, value in sample.items():
            yield f"{indent}{inner} = {variable}{access(name)}"
            if isinstance(value, dict | list):
                yield from _reads(value, inner, indent, access)
    else:
        yield f"{indent}{variable}"


def seconds(side: str, raw: bytes) -> float:
    """Return how long one side takes to decode `raw`, read all of it and free it."""
    sample = {"channels": channels()[:1]}
    if side == "clnrpc":
        read = reader(sample, lambda name: f".{name}")
        decode(clnrpc.types.ListpeerchannelsResponse, b'{"channels":[]}')  # loads the classes
        started = perf_counter()
        read(decode(clnrpc.types.ListpeerchannelsResponse, raw))
    else:
        read = reader(sample, lambda name: f"[{name!r}]")
        started = perf_counter()
        read(json.loads(raw))
    return perf_counter() - started


def in_a_process(side: str, file: Path) -> float:
    """Return the same, measured in a new process."""
    return float(subprocess.run([sys.executable, __file__, side, file], capture_output=True, check=True).stdout)


def main() -> int:
    if len(sys.argv) > 1:
        print(seconds(sys.argv[1], Path(sys.argv[2]).read_bytes()))
        return 0
    raw = json.dumps(response()).encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "answer.json")
        file.write_bytes(raw)
        ways: dict[str, Callable[[str], float]] = {
            "in one process": lambda side: seconds(side, raw),
            "each in a process of its own": lambda side: in_a_process(side, file),
        }
        fields = len(channels()[0])
        print(
            f"listpeerchannels, {CHANNELS:,} channels of {fields} fields, {len(raw) / 1e6:.1f} MB; medians of {RUNS}\n"
        )
        print("| | clnrpc | json.loads | ratio | at most |\n|---|---|---|---|---|")
        missed = False
        for name, measure in ways.items():
            runs = [[measure(side) for side in SIDES] for _ in range(RUNS)]
            ours, theirs = (median(times) for times in zip(*runs, strict=True))
            missed |= ours > BAR * theirs
            print(f"| {name} | {ours * 1e3:.0f} ms | {theirs * 1e3:.0f} ms | {ours / theirs:.2f} | {BAR} |")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
