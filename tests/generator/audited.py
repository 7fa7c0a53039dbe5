"""Run `rpcschema`, and send it a signal at an exact moment of its work.

    python -m tests.generator.audited EVENT WORD COUNT SIGNAL ARGUMENTS...

The process sends itself SIGNAL when the audit event EVENT, with WORD in its first argument, is raised for the COUNT-th
time, e.g. `os.rename generated 2 SIGKILL generate schemas`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from rpcschema.__main__ import main as rpcschema


def main() -> None:
    event, word, count, name, *arguments = sys.argv[1:]
    left = int(count)

    def hook(raised: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if raised == event and word in str(args[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.Signals[name])

    sys.argv = ["rpcschema", *arguments]
    sys.addaudithook(hook)
    rpcschema()


if __name__ == "__main__":
    main()
