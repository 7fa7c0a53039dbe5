"""`python bench/startup.py`: how long a program waits for `import clnrpc`, and for its first typed call.

Whole processes, in turn; medians. The node is a thread of this process that has its answers ready. Prints a table;
exits with 1 if a bar is missed.
"""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Final

from answers import answer

import clnrpc

RUNS: Final = 15
NOTHING: Final = "pass"
IMPORT: Final = "import clnrpc"
CALLS: Final = {
    "getinfo": clnrpc.types.GetinfoResponse,
    "listpeerchannels": clnrpc.types.ListpeerchannelsResponse,
}
IMPORT_MS: Final = 60
"""Of a whole process that does only that."""
CALL_MS: Final = 30
"""What a process with one call may take beyond that."""

ANSWERS: Final = {method: json.dumps(answer(kind, seed=0)).encode() for method, kind in CALLS.items()}


class Node(socketserver.StreamRequestHandler):
    """Answers calls, which are small and arrive in one piece."""

    def handle(self) -> None:
        while request := self.request.recv(1 << 16):
            call = json.loads(request)
            identity = json.dumps(call["id"]).encode()
            self.wfile.write(b'{"jsonrpc":"2.0","id":%b,"result":%b}\n\n' % (identity, ANSWERS[call["method"]]))


def milliseconds(code: str, bytecode: str) -> float:
    """Return how long a process takes that only runs `code`, with all bytecode in the folder `bytecode`."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    return (time.perf_counter() - started) * 1e3


def medians(codes: Mapping[str, str], bytecode: str) -> dict[str, float]:
    """Return the median of each. The first run is not counted, because it compiles, as an installation does."""
    runs = [{name: milliseconds(code, bytecode) for name, code in codes.items()} for _ in range(1 + RUNS)]
    return {name: median(run[name] for run in runs[1:]) for name in codes}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "lightning-rpc"))
        call = f"import clnrpc\nwith clnrpc.Client({path!r}) as client: client."
        with socketserver.ThreadingUnixStreamServer(path, Node) as node:
            Thread(target=node.serve_forever, daemon=True).start()
            codes = {NOTHING: NOTHING, IMPORT: IMPORT} | {method: f"{call}{method}()" for method in CALLS}
            found = medians(codes, str(Path(folder, "bytecode")))
            node.shutdown()
    print(f"whole processes, medians of {RUNS}; `python -c pass`: {found[NOTHING]:.0f} ms\n")
    print("| | found | at most |\n|---|---|---|")
    print(f"| `{IMPORT}` | {found[IMPORT]:.0f} ms | {IMPORT_MS} ms |")
    more = {method: found[method] - found[IMPORT] for method in CALLS}
    for method, beyond in more.items():
        print(f"| first call, `{method}` | {beyond:.0f} ms more | {CALL_MS} ms more |")
    return int(found[IMPORT] > IMPORT_MS or max(more.values()) > CALL_MS)


if __name__ == "__main__":
    sys.exit(main())
