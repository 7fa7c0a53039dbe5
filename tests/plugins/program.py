"""The plugin as a program, with the package that it needs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final

from tests.generator.commands import rpcschema
from tests.shared import ROOT

DOCUMENTS: Final = Path(__file__).with_name("schemas")
NAME: Final = "greeter"


def write_greeter(folder: Path) -> Path:
    """Generate the package in a folder; return a program there that runs the plugin."""
    made = rpcschema("generate", DOCUMENTS, "--package", "greeting", "--runtime", "clnrpc", cwd=folder)
    assert (made.returncode, made.stderr) == (0, "")
    program = folder / NAME
    path = shlex.quote(str(folder / "generated"))
    command = shlex.join([sys.executable, "-m", "tests.plugins.greeter"])
    program.write_text(f"#!/bin/sh\ncd {shlex.quote(str(ROOT))} && PYTHONPATH={path} exec {command}\n")
    program.chmod(0o700)
    return program
