"""Wallets of real applications, each in a process of its own, with the Python that has the application."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass
class Wallet:
    """A wallet, whose methods are called by lines of JSON."""

    process: subprocess.Popen[str]

    def begin(self, method: str, **arguments: Any) -> None:
        """Call a method, and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([method, arguments]) + "\n")
        self.process.stdin.flush()

    def result(self) -> Any:
        """Wait for the result of the call that began last."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the wallet has ended: its errors are on standard error"
        return json.loads(line)

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method, and return its result."""
        self.begin(method, **arguments)
        return self.result()


@contextmanager
def running(python: str, program: str, folder: Path, *arguments: str) -> Iterator[Wallet]:
    """Run a wallet during the block; `program` is a module beside this one."""
    pipe = subprocess.PIPE
    command = [python, str(HERE / f"{program}.py"), *arguments]
    process = subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True, stderr=sys.stderr)
    try:
        yield Wallet(process)
    finally:
        process.kill()
        process.communicate()
